"""Assets: what tasks make, and from what, is recorded as they end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi import Flow, Secret, allow_failure, flow, task
from nadi.assets import Asset, AssetProperties, MaterializingTask, add_asset_metadata, materialize
from nadi.cache_policies import INPUTS
from nadi.engine.asset_trail import MOST_KEPT, AssetTrail
from nadi.engine.scope import scope_of
from nadi.exceptions import ContextError, DefinitionError, ValueRefused
from nadi.executors import ProcessExecutor
from nadi.model.assets import Lineage, Materialization
from nadi.storage.contract import Store
from tests.conftest import Recorded
from tests.engine.resuming import Here, a_home

RAW, CLEAN, MODEL, REPORT = "s3://lake/raw", "s3://lake/clean", "s3://models/churn", "file:///report.html"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with a_home(tmp_path / "home") as made:
        yield made


def made(store: Store, key: str = "") -> list[Materialization]:
    """What was made, oldest first."""
    return store.assets.materializations(key)[::-1]


@materialize(CLEAN, by="polars")
def clean(rows: list[int] | None = None) -> list[int]:
    return [row for row in rows or [3, 1, 2] if row > 1]


@materialize(MODEL)
def train(rows: Any) -> str:
    return "a model"


@task
def halve(rows: list[int]) -> list[int]:
    return [row // 2 for row in rows]


@materialize(REPORT)
def report_rows(count: int) -> None:
    add_asset_metadata(REPORT, {"rows": count, "in": "another process"})


def test_a_completed_task_has_made_its_assets(recorded: Recorded) -> None:
    @flow
    def nightly() -> None:
        clean()

    nightly()

    (one,) = made(recorded.store)
    (task_run,) = recorded.task_runs
    assert (one.key, one.succeeded, one.tool) == (CLEAN, True, "polars")
    assert (one.root, one.run, one.task) == (recorded.root.id, recorded.root.id, task_run.id)


def test_a_task_outside_of_a_flow_makes_its_assets_too(recorded: Recorded) -> None:
    clean()

    assert [one.key for one in made(recorded.store)] == [CLEAN]


def test_one_task_makes_several_assets(recorded: Recorded) -> None:
    @materialize(CLEAN, Asset(REPORT, AssetProperties(name="Report")))
    def both() -> None: ...

    both()

    assert [one.key for one in made(recorded.store)] == [CLEAN, REPORT]
    report = recorded.store.assets.asset(REPORT)
    assert report is not None
    assert report.properties.name == "Report"


async def _async_value() -> int:
    return 1


def _items() -> Iterator[int]:
    yield 1
    yield 2


def test_async_and_generator_tasks_make_assets(recorded: Recorded) -> None:
    @flow
    async def nightly() -> None:
        await materialize(CLEAN)(_async_value)()
        assert list(materialize(MODEL)(_items)()) == [1, 2]

    asyncio.run(nightly())

    assert [one.key for one in made(recorded.store)] == [CLEAN, MODEL]


# -- lineage --


def test_an_asset_is_made_from_what_its_upstream_tasks_made(recorded: Recorded) -> None:
    @flow
    def nightly() -> None:
        train.submit(clean.submit())

    nightly()

    assert [one.upstream for one in made(recorded.store, MODEL)] == [(CLEAN,)]


def test_an_asset_with_owners_is_read_like_any_other(recorded: Recorded) -> None:
    owned = materialize(Asset(CLEAN, AssetProperties(owners=["ann"])))(lambda: [1, 2])

    @flow
    def nightly() -> None:
        train(owned())

    nightly()

    assert [one.upstream for one in made(recorded.store, MODEL)] == [(CLEAN,)]


def test_assets_are_followed_through_plain_tasks_between(recorded: Recorded) -> None:
    @flow
    def nightly() -> None:
        train.submit(halve.submit(halve.submit(clean.submit())))

    nightly()

    assert recorded.store.assets.lineage(MODEL, up=True) == [Lineage(CLEAN, MODEL)]


def test_assets_are_followed_through_values_of_tasks_that_were_called(recorded: Recorded) -> None:
    @flow
    def nightly() -> None:
        rows = clean()
        train({"rows": halve(rows)})

    nightly()

    assert recorded.store.assets.lineage(MODEL, up=True) == [Lineage(CLEAN, MODEL)]


def test_an_equal_value_of_another_origin_carries_no_asset(recorded: Recorded) -> None:
    @flow
    def nightly() -> None:
        train(list(clean()))

    nightly()

    assert recorded.store.assets.lineage(MODEL, up=True) == []


def test_of_values_that_cannot_be_watched_only_the_last_are_kept_alive(recorded: Recorded) -> None:
    made_from: list[AssetTrail] = []

    @flow
    def nightly() -> None:
        for _ in range(MOST_KEPT + 50):
            clean()
        trail = scope_of("").session.assets
        assert trail is not None
        made_from.append(trail)

    nightly()

    assert len(made_from[0]._values) == MOST_KEPT


def test_what_is_only_waited_for_is_upstream_too(recorded: Recorded) -> None:
    @flow
    def nightly() -> None:
        train.submit(None, wait_for=[clean.submit()])

    nightly()

    assert [one.upstream for one in made(recorded.store, MODEL)] == [(CLEAN,)]


def test_asset_deps_name_what_no_task_made(recorded: Recorded) -> None:
    raw = Asset(RAW, AssetProperties(owners=["ada"]))

    @materialize(CLEAN, asset_deps=[raw, "file:///rules.toml"])
    def from_raw() -> None: ...

    from_raw()

    assert [one.upstream for one in made(recorded.store, CLEAN)] == [(RAW, "file:///rules.toml")]
    asset = recorded.store.assets.asset(RAW)
    assert asset is not None
    assert (asset.materialized, asset.properties.owners) == (0.0, ["ada"])


def test_asset_deps_of_a_plain_task_pass_through_it(recorded: Recorded) -> None:
    @task(asset_deps=[RAW])
    def load() -> list[int]:
        return [1]

    @flow
    def nightly() -> None:
        train.submit(load.submit())

    nightly()

    assert [one.upstream for one in made(recorded.store)] == [(RAW,)]


def test_a_making_task_hands_on_what_it_made_and_not_what_it_read(recorded: Recorded) -> None:
    @materialize(REPORT)
    def report(model: str) -> None: ...

    @flow
    def nightly() -> None:
        report.submit(train.submit(clean.submit()))

    nightly()

    assert [one.upstream for one in made(recorded.store, REPORT)] == [(MODEL,)]


def test_a_declared_flow_makes_assets_with_their_lineage_too(recorded: Recorded) -> None:
    with Flow("declared") as declared:
        train(halve(clean()))

    declared.run()

    assert [(one.key, one.upstream) for one in made(recorded.store)] == [(CLEAN, ()), (MODEL, (CLEAN,))]


def test_what_a_cache_answers_is_not_made_again_and_is_followed_all_the_same(recorded: Recorded) -> None:
    cached = clean.with_options(cache_policy=INPUTS)

    @flow
    def nightly() -> None:
        train.submit(cached.submit())

    nightly()
    nightly()

    assert len(made(recorded.store, CLEAN)) == 1
    assert [one.upstream for one in made(recorded.store, MODEL)] == [(CLEAN,), (CLEAN,)]


def test_secrets_are_masked_in_what_is_told_of_assets(recorded: Recorded) -> None:
    held = Secret("hunter2-hunter2")
    signed = AssetProperties(url=f"https://lake/clean?sig={held.get()}")

    @materialize(Asset(CLEAN, signed), asset_deps=[f"s3://lake/{held.get()}"])
    def tell() -> None:
        add_asset_metadata(CLEAN, {"all": [held, held.get()]})
        raise OSError(f"no {held.get()}")

    @flow
    def nightly() -> None:
        tell(return_state=True)

    nightly()

    assert "hunter2" not in repr((made(recorded.store), recorded.store.assets.assets(limit=10)))
    assert made(recorded.store)[0].upstream == ("s3://lake/****",)


# -- what went wrong, and what was not done again --


def test_a_failed_task_has_failed_to_make_its_assets(recorded: Recorded) -> None:
    @materialize(CLEAN)
    def broken() -> None:
        raise OSError("disk full")

    @flow
    def nightly() -> None:
        broken(return_state=True)

    nightly()

    (one,) = made(recorded.store)
    assert not one.succeeded
    assert one.message.startswith("OSError: disk full")


def test_only_the_last_attempt_is_told(recorded: Recorded) -> None:
    attempts = []

    @materialize(CLEAN, retries=2)
    def flaky() -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise OSError("again")

    flaky()

    assert [one.succeeded for one in made(recorded.store)] == [True]


def test_a_task_that_never_ran_made_nothing(recorded: Recorded) -> None:
    @task
    def broken() -> list[int]:
        raise OSError("no rows")

    @flow
    def nightly() -> None:
        train.submit(broken.submit()).wait()

    nightly(return_state=True)

    assert recorded.states()["train-1"] == "NotReady"
    assert made(recorded.store) == []


def test_a_failed_upstream_carries_nothing(recorded: Recorded) -> None:
    @materialize(CLEAN)
    def broken() -> None:
        raise OSError("disk full")

    @flow
    def nightly() -> None:
        train.submit(allow_failure(broken.submit()))

    nightly(return_state=True)

    assert [one.upstream for one in made(recorded.store, MODEL)] == [()]


def test_a_resumed_run_does_not_make_again_what_it_reuses_and_knows_where_it_came_from(here: Here) -> None:
    @flow
    def nightly() -> None:
        rows = clean()
        here.crash_once()
        train(rows)

    here.begin(nightly)
    here.resume(nightly)

    assert [(one.key, one.upstream) for one in made(here.store)] == [(CLEAN, ()), (MODEL, (CLEAN,))]


# -- metadata --


def test_a_task_tells_of_what_it_makes(recorded: Recorded) -> None:
    asset = Asset(CLEAN)

    @materialize(asset)
    def tell() -> None:
        asset.add_metadata({"rows": 1, "at": Path("/data")})
        add_asset_metadata(CLEAN, {"rows": 2})

    tell()

    assert msgspec.json.decode(made(recorded.store)[0].metadata) == {"rows": 2, "at": "/data"}


def test_a_task_inside_of_the_one_that_makes_an_asset_tells_of_it_too(recorded: Recorded) -> None:
    @task
    def count(rows: int) -> None:
        add_asset_metadata(CLEAN, {"rows": rows})

    @materialize(CLEAN)
    def outer() -> None:
        count(7)

    outer()

    assert made(recorded.store)[0].metadata == b'{"rows":7}'


def test_a_task_in_another_process_tells_of_what_it_makes(recorded: Recorded) -> None:
    held = Secret("another process")

    @flow(executor=ProcessExecutor(1))
    def nightly() -> None:
        report_rows.submit(7).result()

    nightly()

    assert held is not None
    assert msgspec.json.decode(made(recorded.store)[0].metadata) == {"rows": 7, "in": "****"}


def test_metadata_is_told_only_of_what_the_task_makes(recorded: Recorded) -> None:
    @materialize(CLEAN)
    def wrong() -> None:
        add_asset_metadata(MODEL, {"rows": 1})

    with pytest.raises(ValueRefused, match=f"does not make the asset {MODEL}; @materialize names {CLEAN}"):
        wrong()


def test_metadata_outside_of_a_making_task_is_refused(recorded: Recorded) -> None:
    @task
    def plain() -> None:
        add_asset_metadata(CLEAN, {"rows": 1})

    with pytest.raises(ContextError, match="inside of a task marked @materialize"):
        plain()


# -- declaring --


@pytest.mark.parametrize(
    "key", ["clean", "s3://", "S3://lake", "s3://two words", "s3://" + "x" * 600, "", "s3://a|b", "://x"]
)
def test_a_key_is_an_address(key: str) -> None:
    with pytest.raises(ValueRefused, match="a key is an address such as 's3://bucket/table'"):
        Asset(key)


def test_a_key_bears_no_credentials() -> None:
    with pytest.raises(ValueRefused, match=r"Leave them out: postgres://db/table"):
        Asset("postgres://ada:secret@db/table")


def test_a_declaration_that_names_no_asset_is_refused() -> None:
    with pytest.raises(DefinitionError, match="names no asset"):
        materialize()(lambda: None)
    with pytest.raises(DefinitionError, match="@task lambda: 7 cannot be the key of an asset"):
        materialize(7)(lambda: None)  # type: ignore[arg-type]  # what is refused


def test_a_making_task_takes_the_keywords_of_a_task_and_can_be_varied(recorded: Recorded) -> None:
    @materialize(CLEAN, by="spark", name="cleaning", tags=["io"])
    def made_here() -> int:
        return 1

    varied = made_here.with_options(assets=(MODEL,), name="training")
    varied()

    assert isinstance(varied, MaterializingTask)
    assert (made_here.name, list(made_here.tags), made_here.assets) == ("cleaning", ["io"], [Asset(CLEAN)])
    assert [(one.key, one.tool) for one in made(recorded.store)] == [(MODEL, "spark")]
