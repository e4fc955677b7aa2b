from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from nadi import flow, task
from nadi.artifacts import (
    Artifact,
    acreate_markdown_artifact,
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from nadi.engine.recording import recorder
from nadi.exceptions import ContextError, MissingResult, ValueRefused
from nadi.testing import Records
from tests.public.runs import in_flow


def png(size: int = 0) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    filling = chunk(b"tEXt", b"x" * size) if size else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + filling
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


class Frame:
    """The part of a pandas data frame that tables use."""

    columns = ("name", "score")

    def to_dict(self) -> dict[str, Any]:
        return {}

    def itertuples(self, *, index: bool, name: None) -> list[tuple[str, float]]:
        return [("a", 1.5), ("b", float("nan"))]


class PolarsFrame:
    columns = ("name",)

    def to_dict(self) -> dict[str, Any]:
        return {}

    def rows(self) -> list[tuple[str]]:
        return [("a",), ("b",)]


class Figure:
    def savefig(self, file: io.BytesIO, *, format: str) -> None:
        assert format == "png"
        file.write(png())


class Number:
    ndim = 0

    def item(self) -> int:
        return 7


def made(records: Records) -> Any:
    return json.loads(records.artifacts()[-1].data)


def test_each_kind_of_artifact_is_recorded_with_the_flow_run_that_made_it(records: Records) -> None:
    @flow
    def report() -> list[str]:
        return [
            create_markdown_artifact("# Hello", key="hello", description="A greeting"),
            create_table_artifact([{"a": 1}]),
            create_link_artifact("https://example.com", "Example"),
            create_image_artifact("https://example.com/a.png"),
            create_progress_artifact(0.0),
        ]

    ids = report()

    found = records.artifacts()
    assert [one.id for one in found] == ids
    assert [one.kind for one in found] == ["markdown", "table", "link", "image", "progress"]
    assert {one.run for one in found} == {records.flow_runs()[0].id}
    assert {one.task for one in found} == {""}
    assert (found[0].key, found[0].description, json.loads(found[0].data)) == ("hello", "A greeting", "# Hello")
    assert json.loads(found[2].data) == {"link": "https://example.com", "text": "Example"}
    assert json.loads(found[3].data) == {"url": "https://example.com/a.png"}


def test_an_artifact_made_in_a_task_belongs_to_its_task_run(records: Records) -> None:
    @task
    def show() -> str:
        return create_markdown_artifact("text")

    @flow
    def report() -> str:
        return show.submit().result()

    report()

    assert records.artifacts()[0].task == records.task_runs()[0].id


@task
def show_from_another_process() -> str:
    bar = create_progress_artifact(10, key="bar")
    update_progress_artifact(bar, 60, "nearly")
    create_image_artifact(image=png())
    return create_table_artifact({"a": [1, 2]}, key="far")


def test_artifacts_of_a_task_in_another_process_are_recorded_too(records: Records) -> None:
    @flow(executor="process")
    def report() -> str:
        return show_from_another_process.submit().result()

    id = report()

    assert id == records.artifacts("far")[0].id
    bar = records.artifacts("bar")[0]
    assert (json.loads(bar.data), bar.description) == (60.0, "nearly")


@pytest.mark.parametrize(
    ("table", "columns", "rows"),
    [
        ([{"a": 1, "b": 2}, {"a": 3, "c": None}], ["a", "b", "c"], [[1, 2, None], [3, None, None]]),
        ({"a": [1, 2], "b": (3, 4)}, ["a", "b"], [[1, 3], [2, 4]]),
        ([[1, 2], [3, 4]], [], [[1, 2], [3, 4]]),
        ([], [], []),
        (Frame(), ["name", "score"], [["a", 1.5], ["b", None]]),
        (PolarsFrame(), ["name"], [["a"], ["b"]]),
        ([{1: float("inf"), "n": Number()}], ["1", "n"], [[None, 7]]),
    ],
)
def test_a_table_is_rows_columns_or_a_data_frame(records: Records, table: Any, columns: Any, rows: Any) -> None:
    @flow(validate_parameters=False)
    def report() -> None:
        create_table_artifact(table)

    report()

    assert made(records) == {"columns": columns, "rows": rows}


@pytest.mark.parametrize("table", ["text", 5, [1, 2], {"a": 1}, {"a": [1], "b": [1, 2]}, [{"a": 1}, [2]]])
def test_what_is_no_table_is_refused_in_one_sentence(records: Records, table: Any) -> None:
    with pytest.raises(ValueRefused, match="table"):
        in_flow(lambda: create_table_artifact(table))


@pytest.mark.parametrize("key", ["Upper", "under_score", "", "-a", "a--b", "a b", "ü", "a/b", 5])
def test_a_key_has_lower_case_letters_digits_and_dashes(records: Records, key: Any) -> None:
    with pytest.raises(ValueRefused, match="lower-case letters"):
        in_flow(lambda: create_markdown_artifact("x", key=key))

    assert records.artifacts() == []


def test_an_artifact_of_more_than_a_mebibyte_is_refused(records: Records) -> None:
    with pytest.raises(ValueRefused, match=r"at most 1,048,576.*Show a part"):
        in_flow(lambda: create_markdown_artifact("x" * 1_100_000))


def test_outside_of_a_run_there_is_nothing_to_make_an_artifact_for() -> None:
    with pytest.raises(ContextError, match="inside of a flow or task"):
        create_markdown_artifact("x")


def test_progress_moves_and_keeps_its_description_unless_a_new_one_is_given(records: Records) -> None:
    @flow
    def work() -> None:
        bar = create_progress_artifact(0, key="bar", description="Loading")
        update_progress_artifact(bar, 40)
        update_progress_artifact(bar, 100.0, "Loaded")

    work()

    [bar] = records.artifacts()
    assert (json.loads(bar.data), bar.description, bar.key) == (100.0, "Loaded", "bar")


def test_a_task_moves_the_progress_that_its_flow_made(records: Records) -> None:
    @task
    def move(bar: str) -> None:
        update_progress_artifact(bar, 70)

    @flow
    def work() -> None:
        bar = create_progress_artifact(0)
        move.submit(bar).result()

    work()

    [bar] = records.artifacts()
    assert json.loads(bar.data) == 70.0
    assert bar.task == ""


@pytest.mark.parametrize("progress", [-1, 101, float("nan"), "50", None, True])
def test_progress_is_a_number_from_0_to_100(records: Records, progress: Any) -> None:
    with pytest.raises(ValueRefused, match="from 0 to 100"):
        in_flow(lambda: create_progress_artifact(progress))


def test_the_progress_of_another_run_is_not_moved(records: Records) -> None:
    bar = in_flow(lambda: create_progress_artifact(0))

    with pytest.raises(ValueRefused, match="has no progress artifact"):
        in_flow(lambda: update_progress_artifact(bar, 5))


def test_a_picture_is_a_path_bytes_or_a_figure(records: Records, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png())

    @flow(validate_parameters=False)
    def show(image: Any) -> None:
        create_image_artifact(image=image, key="picture")

    for image in (path, str(path), png(), Figure()):
        show(image)
        found = Artifact.get("picture")
        assert found is not None
        assert found.data["media_type"] == "image/png"
        assert found.image() == png()


def test_a_large_picture_lies_in_result_storage_and_is_read_back_as_plain_bytes(records: Records) -> None:
    large = png(200_000)

    in_flow(lambda: create_image_artifact(image=large, key="large"))

    assert len(records.artifacts("large")[0].data) < 1000
    found = Artifact.get("large")
    assert found is not None
    assert found.image() == large


def test_a_picture_that_was_changed_in_storage_is_not_used(records: Records) -> None:
    in_flow(lambda: create_image_artifact(image=png(200_000), key="large"))
    found = Artifact.get("large")
    assert found is not None
    keeper = recorder().keeper("x", 1)
    assert keeper is not None
    keeper.storage.delete(found.data["kept"]["key"])
    keeper.storage.write(found.data["kept"]["key"], b"cos\nsystem\n(S'true'\ntR.")

    with pytest.raises(MissingResult, match="not signed"):
        found.image()


@pytest.mark.parametrize("image", [b"not a picture", "/no/such/file.png", 5])
def test_what_is_no_picture_is_refused(records: Records, image: Any) -> None:
    with pytest.raises(ValueRefused, match="picture"):
        in_flow(lambda: create_image_artifact(image=image))


def test_a_picture_comes_from_the_web_or_from_here_not_both(records: Records) -> None:
    with pytest.raises(ValueRefused, match="either"):
        in_flow(lambda: create_image_artifact())


def test_the_newest_artifact_of_a_key_is_found_over_all_runs(records: Records) -> None:
    @flow
    def report(text: str) -> None:
        create_markdown_artifact(text, key="daily")

    report("one")
    report("two")

    newest = Artifact.get("daily")
    assert newest is not None
    assert (newest.type, newest.data, newest.flow_run_id) == ("markdown", "two", records.flow_runs()[-1].id)
    assert Artifact.get("none-such") is None


async def _in_coroutine() -> None:
    @flow
    async def report() -> list[str]:
        # A type checker knows that these need no await; code written for Prefect has one.
        return [
            create_markdown_artifact("plain"),
            await create_markdown_artifact("awaited"),
            await acreate_markdown_artifact("twin"),
        ]

    ids = await report()
    assert all(isinstance(id, str) for id in ids)


def test_in_a_coroutine_artifacts_are_made_with_and_without_await(records: Records) -> None:
    import asyncio

    asyncio.run(_in_coroutine())

    assert [json.loads(one.data) for one in records.artifacts()] == ["plain", "awaited", "twin"]


def test_text_that_is_no_valid_unicode_is_made_readable(records: Records) -> None:
    @flow
    def report() -> None:
        create_table_artifact([{"file": "a\udcff"}], description="b\udcff")

    report()

    assert made(records)["rows"] == [["a\\udcff"]]
