"""`nadi cache`: what it lists, and what it removes."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nadi.model.results import ResultRef
from nadi.model.states import StateType
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.results import LocalResults
from tests.cli.conftest import Nadi
from tests.journeys.places import Place
from tests.storage.telling import Writer, an_id, flow_begun, flow_moved, task_begun, task_moved

RUN, TASK = an_id(1), an_id(2)


def an_entry(key: str, **given: Any) -> CacheEntry:
    fields: dict[str, Any] = {
        "task": "clean",
        "result": ResultRef("inline", b"1", "", "pickle", 2048, b"signed"),
        "root": RUN,
        "token": 1,
        "run": RUN,
        "task_run": TASK,
        "name": "clean-0",
        "created": time.time() - 7200,
    } | given
    return CacheEntry(key=key, **fields)


@pytest.fixture
def filled(writer: Writer) -> Writer:
    """A store with a run and three entries of the cache."""
    writer.tell(flow_begun(RUN, name="brave-otter-7"))
    now = time.time()
    writer.store.cache.put(
        [
            an_entry("a1"),
            an_entry("b2", task="fit", expires=now + 3600.4),
            an_entry("c3", task="fit", expires=now - 60, run="", name=""),
        ]
    )
    return writer


def keys(writer: Writer) -> list[str]:
    return [entry.key for entry in writer.store.cache.entries()]


def test_the_list_says_what_each_entry_is_and_who_computed_it(nadi: Nadi, filled: Writer) -> None:
    said = nadi("cache", "ls")

    assert said.status == 0
    rows = [" ".join(line.split()) for line in said.out.splitlines()]
    assert rows == [
        "KEY TASK SIZE AGE EXPIRES COMPUTED BY",
        "c3 fit 2 KiB 2 h ago expired",
        "b2 fit 2 KiB 2 h ago in 1 h clean-0 of brave-otter-7",
        "a1 clean 2 KiB 2 h ago never clean-0 of brave-otter-7",
    ]


def test_what_a_transaction_of_a_flow_kept_names_the_run_once(nadi: Nadi, writer: Writer) -> None:
    writer.tell(flow_begun(RUN, name="brave-otter-7"))
    writer.store.cache.put([an_entry("a1", task="", task_run="", name="brave-otter-7")])

    assert nadi("cache", "ls").out.splitlines()[1].endswith("never    brave-otter-7")


def test_the_list_can_be_of_one_task_and_limited(nadi: Nadi, filled: Writer) -> None:
    limited = nadi("cache", "ls", "--limit", "2").out
    of_task = nadi("cache", "ls", "--task", "clean", "--json").json

    assert "The newest 2 are listed" in limited
    assert "a1" not in limited
    assert [entry["key"] for entry in of_task] == ["a1"]


def test_the_list_as_json_has_times_and_sizes(nadi: Nadi, filled: Writer) -> None:
    newest, *_, oldest = nadi("cache", "ls", "--json").json

    assert (newest["is_fresh"], oldest["is_fresh"]) == (False, True)
    assert oldest["expires"] is None
    assert (oldest["size_bytes"], oldest["run"], oldest["task_run"]) == (2048, RUN, TASK)


def test_an_empty_cache_is_said_to_be_empty(nadi: Nadi, home: Path) -> None:
    assert nadi("cache", "ls") == (0, "The cache is empty.\n", "")
    assert nadi("cache", "ls", "--json").json == []
    assert nadi("cache", "clear", "--all", "--yes").status == 0
    assert not home.exists()


def test_entries_of_deleted_runs_are_listed_with_the_id_of_the_run(nadi: Nadi, filled: Writer) -> None:
    filled.tell(flow_moved(RUN, StateType.COMPLETED))
    filled.store.delete_run(RUN, now=time.time())

    assert f"clean-0 of {RUN}" in nadi("cache", "ls").out


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--task", "fit"], ["a1"]),
        (["--key", "a1", "--key", "b2"], ["c3"]),
        (["--expired"], ["b2", "a1"]),
        (["--task", "clean", "--expired"], ["c3", "b2", "a1"]),
        (["--all", "--yes"], []),
        (["--all"], []),  # no terminal, so nobody is asked
    ],
)
def test_clearing_removes_what_is_said_and_counts_it(
    options: list[str], left: list[str], nadi: Nadi, filled: Writer
) -> None:
    said = nadi("cache", "clear", *options)

    assert said.status == 0
    removed = 3 - len(left)
    assert said.out == f"Removed {removed} {'entry' if removed == 1 else 'entries'}.\n"
    assert keys(filled) == left


@pytest.mark.parametrize("options", [[], ["--yes"], ["--all", "--task", "fit"]])
def test_clearing_without_saying_what_is_a_wrong_call(options: list[str], nadi: Nadi, filled: Writer) -> None:
    said = nadi("cache", "clear", *options)

    assert said.status == 2
    assert "Say what to remove" in said.err
    assert len(keys(filled)) == 3


@pytest.mark.parametrize(("answer", "left"), [("n\n", 3), ("y\n", 0)])
def test_on_a_terminal_removing_all_is_asked_for(
    answer: str, left: int, nadi: Nadi, filled: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: answer.strip())

    said = nadi("cache", "clear", "--all")

    assert said.status == 0
    assert len(keys(filled)) == left


def test_collecting_removes_the_files_of_runs_deleted_long_ago(nadi: Nadi, writer: Writer, home: Path) -> None:
    results = LocalResults(home / "results")
    file = f"{writer.store.id}/{RUN}/1/{TASK}"
    results.write(file, b"1")
    ref = ResultRef("file", key=file, format="pickle", size_bytes=1, signature=b"signed")
    writer.tell(flow_begun(RUN), task_begun(RUN, TASK), task_moved(RUN, TASK, StateType.COMPLETED, result=ref))
    writer.tell(flow_moved(RUN, StateType.COMPLETED))
    before = nadi("cache", "collect").out

    writer.store.delete_run(RUN, now=time.time() - 8 * 24 * 3600)
    after = nadi("cache", "collect").out

    assert before == "There is nothing to remove.\n"
    assert after == "Removed 1 result file that nothing named any more.\n"
    assert not results.exists(file)


FLOW = """
from nadi import flow, task
from nadi.cache_policies import INPUTS

@task(cache_policy=INPUTS)
def prepare(rows: int) -> list[int]:
    print("preparing")
    return list(range(rows))

@flow
def nightly(rows: int = 3) -> int:
    return len(prepare(rows))
"""


def test_a_cached_task_is_listed_taken_by_the_next_run_and_computed_again_once_cleared(place: Place) -> None:
    place.script(FLOW, "flow.py")

    def nadi(*words: str) -> Any:
        done = place.run("-m", "nadi", *words)
        assert done.returncode == 0, done.stderr
        return done

    first = nadi("run", "flow.py", "--json")
    listed = json.loads(nadi("cache", "ls", "--json").stdout)
    second = nadi("run", "flow.py", "--json")
    cleared = nadi("cache", "clear", "--task", "prepare")
    third = nadi("run", "flow.py", "--json")

    assert [(entry["task"], entry["run"]) for entry in listed] == [("prepare", json.loads(first.stdout)["id"])]
    assert ["preparing" in ran.stderr for ran in (first, second, third)] == [True, False, True]
    assert "Removed 1 entry" in cleared.stdout


def test_a_large_cached_result_is_taken_although_the_run_that_computed_it_was_deleted(place: Place) -> None:
    place.script(FLOW, "flow.py")

    def run() -> Any:
        done = place.run("-m", "nadi", "run", "flow.py", "-p", "rows=20000", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    first = run()
    with closing(place.store()) as store:
        store.delete_run(first["id"], now=time.time() - 8 * 24 * 3600)
        (entry,) = store.cache.entries()
    collected = place.run("-m", "nadi", "cache", "collect")
    second = run()

    assert entry.result.kind == "file"
    assert collected.stdout.startswith("There is nothing to remove.")
    with closing(place.store()) as store:
        assert [task.state_name for task in store.task_runs(second["id"])] == ["Cached"]
