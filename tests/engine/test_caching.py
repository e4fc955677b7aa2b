"""Cached tasks: what is looked up, what is kept, and how the run tells of it."""

from __future__ import annotations

import asyncio
import datetime
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi import flow, task
from nadi.cache_policies import DEFAULT, INPUTS, NO_CACHE, RUN_ID, TASK_SOURCE, CachePolicy
from nadi.engine import recording
from nadi.engine.loading import load_flow
from nadi.engine.work import SubmittedTaskRun
from nadi.exceptions import CancelledRun, DefinitionError, StoreUnavailable
from nadi.executors import ProcessExecutor
from nadi.model.runs import RunFilter
from nadi.model.secrets import Secret
from nadi.model.states import State
from nadi.storage.contract import Store
from nadi.storage.memory import MemoryStore
from nadi.storage.recorder import DirectRecorder
from tests.conftest import Recorded
from tests.engine.resuming import Here, a_home
from tests.journeys.places import until


class Count(list[Any]):
    """What a task was called with, in order."""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with a_home(tmp_path / "home") as found:
        yield found


@pytest.fixture
def calls() -> Count:
    return Count()


# -- what turns it on --


def test_a_task_with_a_policy_computes_once_over_runs(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=INPUTS)
    def square(x: int) -> int:
        calls.append(x)
        return x * x

    @flow
    def run() -> list[int]:
        return [square(3), square(3), square(4)]

    first, second = run(), run()

    assert first == second == [9, 9, 16]
    assert calls == [3, 4]
    assert recorded.states() == {"square-0": "Cached", "square-1": "Cached", "square-2": "Cached"}


def test_without_a_policy_nothing_is_cached_even_where_results_are_kept(recorded: Recorded, calls: Count) -> None:
    @task(persist_result=True, refresh_cache=True)
    def work() -> None:
        calls.append(1)

    @flow
    def run() -> None:
        work()

    run()
    run()

    assert len(calls) == 2


def test_no_cache_caches_nothing(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=NO_CACHE)
    def work() -> None:
        calls.append(1)

    work()
    work()

    assert len(calls) == 2
    assert not work.spec.is_transaction


def test_an_expiration_alone_means_the_default_policy() -> None:
    @task(cache_expiration=datetime.timedelta(minutes=1))
    def work() -> None: ...

    assert work.spec.cache is not None
    assert work.spec.cache.policy == DEFAULT
    assert work.spec.cache.expiration == 60.0


def test_the_default_policy_shares_within_one_flow_run_only(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=DEFAULT)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> None:
        work(1)
        work(1)

    run()
    run()

    assert calls == [1, 1]


def test_a_cache_key_fn_gives_the_key_from_context_and_parameters(recorded: Recorded, calls: Count) -> None:
    def key(context: Any, parameters: dict[str, Any]) -> str:
        return f"{context.task.name}-{parameters['x'] % 2}"

    @task(cache_key_fn=key)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> list[int]:
        return [work(1), work(2), work(3)]

    assert run() == [1, 2, 1]
    assert calls == [1, 2]


def test_a_cache_key_fn_can_keep_results_to_one_flow_run(recorded: Recorded, calls: Count) -> None:
    @task(cache_key_fn=lambda context, parameters: context.task_run.flow_run_id)
    def work() -> None:
        calls.append(1)

    @flow
    def run() -> None:
        work()
        work()

    run()
    run()

    assert len(calls) == 2


def test_a_cache_key_fn_that_gives_none_caches_nothing(recorded: Recorded, calls: Count) -> None:
    @task(cache_key_fn=lambda context, parameters: None)
    def work() -> None:
        calls.append(1)

    work()
    work()

    assert len(calls) == 2


def test_a_cache_key_fn_wins_over_a_policy_with_a_warning() -> None:
    def define() -> Any:
        @task(cache_policy=INPUTS, cache_key_fn=lambda context, parameters: "k")
        def work() -> None: ...

        return work

    with pytest.warns(UserWarning, match="@task work: cache_key_fn gives the key"):
        work = define()

    assert "from_cache_key_fn" in repr(work.spec.cache.policy)


def test_a_task_that_keeps_no_result_caches_nothing_and_says_so() -> None:
    with pytest.warns(UserWarning, match="persist_result=False keeps no result"):

        @task(cache_policy=INPUTS, persist_result=False)
        def work() -> None: ...

    assert work.spec.cache is None


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        ({"cache_policy": "INPUTS"}, "cache_policy must be one of nadi.cache_policies"),
        ({"cache_key_fn": "k"}, "cache_key_fn must be a function"),
        ({"cache_expiration": datetime.timedelta(0)}, "cache_expiration must be a timedelta or seconds greater than 0"),
        ({"cache_expiration": "1h"}, "cache_expiration must be a timedelta"),
        ({"result_storage_key": ""}, "result_storage_key must be a name"),
        ({"cache_policy": INPUTS.configure(lock_manager=object())}, "lock_manager of a cache policy is of no use here"),
        ({"cache_policy": INPUTS.configure(isolation_level="NONE")}, "isolation_level must be an IsolationLevel"),
        ({"on_commit": len}, r"on_commit must be a list of functions \(transaction\)"),
    ],
)
def test_a_keyword_that_cannot_work_is_refused_where_the_task_is_defined(keywords: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError, match=f"@task work: {told}"):
        task(**keywords)(_work)


def _work() -> None: ...


_work.__name__ = "work"


# -- what is found --


def test_a_cached_run_says_who_computed_its_result_and_when(recorded: Recorded) -> None:
    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        return x

    @flow(flow_run_name="first")
    def first() -> None:
        work(1)

    @flow
    def second() -> None:
        states.append(work(1, return_state=True))

    states: list[State[int]] = []
    first()
    [made] = recorded.task_runs
    run = recorded.root
    second()
    [state] = states

    assert state.name == "Cached"
    assert state.is_completed()
    assert state.message.startswith(f"Computed by task run work-0 ({made.id}) of run first ({run.id}) on 20")
    [cached] = recorded.task_runs
    assert cached.message == state.message
    assert cached.result == made.result


def test_an_expired_entry_counts_as_absent_and_is_replaced(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=INPUTS, cache_expiration=datetime.timedelta(hours=1))
    def work(x: int) -> int:
        calls.append(x)
        return len(calls)

    assert [work(1), work(1)] == [1, 1]
    [entry] = recorded.store.cache.entries()
    recorded.store.cache.put([msgspec.structs.replace(entry, expires=entry.created)])
    assert [work(1), work(1)] == [2, 2]

    [replaced] = recorded.store.cache.entries()
    assert round(replaced.expires - replaced.created) == 3600


def test_refresh_cache_computes_again_and_replaces(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=INPUTS)
    def work() -> int:
        calls.append(1)
        return len(calls)

    values = [work(), work.with_options(refresh_cache=True)(), work()]

    assert values == [1, 2, 2]


def test_a_result_that_cannot_be_read_any_more_is_computed_again(home: Path, calls: Count) -> None:
    @task(cache_policy=INPUTS)
    def work() -> bytes:
        calls.append(1)
        return b"x" * 20_000

    work()
    for kept in (home / "results").rglob("*"):
        if kept.is_file():
            kept.write_bytes(b"not what was signed")
    again = work()
    work()

    assert again == b"x" * 20_000
    assert len(calls) == 2


def test_a_value_that_cannot_be_kept_caches_nothing_and_warns(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=INPUTS)
    def work() -> Any:
        calls.append(1)
        return threading.Lock()

    work()
    assert "Its value is not cached" in recorded.logged()
    work()

    assert len(calls) == 2


def test_no_entry_holds_a_secret(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=INPUTS)
    def work(x: int) -> Any:
        calls.append(x)
        return Secret("hunter2-hunter2") if x else {"token": Secret("hunter2-hunter2").get()}

    @flow
    def run() -> None:
        work(0)
        work(1)

    run()
    run()

    assert calls == [0, 1, 0, 1]
    assert recorded.store.cache.entries() == []


def test_an_argument_that_cannot_be_hashed_runs_uncached_with_one_warning_a_task(
    recorded: Recorded, calls: Count
) -> None:
    @task(cache_policy=INPUTS)
    def work(x: int, lock: Any) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> None:
        work(1, threading.Lock())
        work(1, threading.Lock())

    run()

    assert calls == [1, 1]
    warned = [line for line in recorded.logged().splitlines() if "It runs without the cache." in line]
    assert len(warned) == 1
    assert "'lock'" in warned[0]


def test_a_policy_that_raises_costs_the_run_nothing(recorded: Recorded) -> None:
    class Broken(CachePolicy):
        def compute_key(self, context: Any) -> str | None:
            raise RuntimeError("no idea")

    @task(cache_policy=Broken())
    def work() -> int:
        return 1

    assert work() == 1
    assert "The cache key of work cannot be computed, so it runs without the cache: no idea" in recorded.logged()


@pytest.mark.parametrize("part", ["\ud800", "hunter2-hunter2", str(Secret("another"))])
def test_a_key_that_cannot_be_stored_or_shown_costs_the_run_nothing(
    part: str, recorded: Recorded, calls: Count
) -> None:
    token = Secret("hunter2-hunter2")

    @task(cache_key_fn=lambda context, parameters: f"of {part}")
    def by_key() -> None:
        calls.append(1)

    @task(result_storage_key=f"reports/{part}")
    def by_name() -> None:
        calls.append(2)

    @flow
    def run() -> None:
        by_key()
        by_name()

    run()
    run()

    assert calls == [1, 2, 1, 2]
    assert recorded.store.cache.entries() == []
    assert token.get() not in recorded.logged()


def test_a_failed_run_is_not_cached(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=INPUTS, retries=1)
    def work() -> int:
        calls.append(1)
        if len(calls) < 4:
            raise ValueError("not yet")
        return len(calls)

    with pytest.raises(ValueError, match="not yet"):
        work()
    values = [work(), work()]

    assert values == [4, 4]


def test_a_changed_source_misses_and_a_changed_comment_hits(home: Path, tmp_path: Path) -> None:
    def values(text: str) -> Any:
        (tmp_path / "cached_source.py").write_text(text)
        return load_flow(f"{tmp_path / 'cached_source.py'}:run")()

    program = """
from nadi import flow, task
from nadi.cache_policies import INPUTS, TASK_SOURCE

made = []

def helper(x):
    return x + 1

@task(cache_policy=INPUTS + TASK_SOURCE)
def work(x):
    made.append(x)
    return helper(x)

@flow
def run():
    return work(1), len(made)
"""

    computed = values(program)
    commented = values(program.replace("    return x + 1", "    # a remark\n    return x + 1  # another"))
    changed = values(program.replace("return x + 1", "return x + 2"))

    assert computed == (2, 1)
    assert commented == (2, 0)
    assert changed == (3, 1)


# -- every way to call --


def test_every_style_of_task_is_cached(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=INPUTS)
    def plain(x: int) -> int:
        calls.append("plain")
        return x

    @task(cache_policy=INPUTS)
    async def coroutine(x: int) -> int:
        calls.append("coroutine")
        return x

    @task(cache_policy=INPUTS)
    def items(x: int) -> Iterator[int]:
        calls.append("items")
        yield from range(x)

    @task(cache_policy=INPUTS)
    async def async_items(x: int) -> AsyncIterator[int]:
        calls.append("async items")
        for item in range(x):
            yield item

    @flow
    async def run() -> list[Any]:
        return [
            plain(2),
            await coroutine(2),
            list(items(2)),
            [item async for item in async_items(2)],
            plain.submit(2).result(),
            await coroutine.submit(2),
            list(items.submit(2).result()),
            await async_items.submit(2),
        ]

    first, second = asyncio.run(run()), asyncio.run(run())

    assert first == second == [2, 2, [0, 1], [0, 1], 2, 2, [0, 1], [0, 1]]
    assert calls == ["plain", "coroutine", "items", "async items"]


@pytest.mark.parametrize("executor", ["thread", "sequential"])
def test_mapped_children_of_one_key_compute_once(recorded: Recorded, calls: Count, executor: str) -> None:
    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow(executor=executor)
    def run() -> list[int]:
        return work.map([1, 2, 3] * 20).result()

    assert run() == [1, 2, 3] * 20
    assert sorted(calls) == [1, 2, 3]


def test_the_look_up_comes_before_a_parcel_is_sent_to_another_process(home: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"

    @task(cache_policy=INPUTS)
    def work(x: int, ledger: str) -> int:
        with open(ledger, "a") as file:
            file.write(f"{x}\n")
        return x

    @flow(executor="process")
    def run() -> list[int]:
        return work.map([1, 2, 1, 2], ledger=str(ledger)).result()

    first, second = run(), run()

    assert first == second == [1, 2, 1, 2]
    assert sorted(ledger.read_text().split()) == ["1", "2"]


def test_a_nested_task_in_another_process_runs_uncached_and_says_so_once(home: Path) -> None:
    @task(cache_policy=INPUTS)
    def inner(x: int) -> int:
        return x

    @task
    def outer() -> int:
        return inner(1) + inner(1)

    @flow(executor="process")
    def run() -> int:
        return outer.submit().result()

    assert run() == 2
    store = recording.recorder().store()
    [root] = store.flow_runs(RunFilter(), limit=1)
    told = [line.text for line in store.logs(root.id, limit=1000)]
    assert sum("neither looked up in the cache nor kept there" in line for line in told) == 1


def test_futures_count_by_their_value(recorded: Recorded, calls: Count) -> None:
    @task
    def source(x: int) -> int:
        return x

    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> int:
        return work.submit(source.submit(5)).result()

    run()
    run()

    assert calls == [5]


def test_waiting_for_a_key_in_a_coroutine_does_not_block_its_loop(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=INPUTS)
    async def work(x: int, gate: list[Any]) -> int:
        calls.append(x)
        await gate[0].wait()
        return x

    keyed = work.with_options(cache_policy=INPUTS - "gate")

    @flow
    async def run() -> list[int]:
        gate = [asyncio.Event()]
        first = asyncio.ensure_future(keyed(1, gate))
        second = asyncio.ensure_future(keyed(1, gate))
        while not calls:
            await asyncio.sleep(0)
        gate[0].set()
        return [await first, await second]

    assert asyncio.run(run()) == [1, 1]
    assert calls == [1]


def test_a_task_that_calls_itself_with_the_same_key_does_not_wait_for_itself(recorded: Recorded, calls: Count) -> None:
    @task(cache_key_fn=lambda context, parameters: "one key")
    def work(depth: int) -> int:
        calls.append(depth)
        return work(depth - 1) + 1 if depth else 0

    @flow
    def run() -> int:
        return work(3)

    assert run() == 3
    assert calls == [3, 2, 1, 0]


def test_two_tasks_that_want_each_others_keys_do_not_wait_for_ever(recorded: Recorded) -> None:
    meet = threading.Barrier(2, timeout=10)

    @task(cache_key_fn=lambda context, parameters: parameters["own"])
    def work(own: str, other: str) -> str:
        if other:
            meet.wait()
            return own + work(other, "")
        return own

    @flow
    def run() -> list[str]:
        return [future.result(timeout=20) for future in (work.submit("a", "b"), work.submit("b", "a"))]

    # What the inner calls give depends on who was first; that both end is the point.
    assert [value[0] for value in run()] == ["a", "b"]


def test_a_plain_task_does_not_wait_for_a_coroutine_of_the_loop_that_it_blocks(
    recorded: Recorded, calls: Count
) -> None:
    @task(cache_key_fn=lambda context, parameters: "one key")
    async def slow(gate: Any) -> int:
        calls.append("slow")
        await gate.wait()
        return 1

    @task(cache_key_fn=lambda context, parameters: "one key")
    def plain() -> int:
        calls.append("plain")
        return 2

    @flow
    async def run() -> list[int]:
        gate = asyncio.Event()
        first = asyncio.ensure_future(slow.with_options(persist_result=None)(gate))
        while not calls:
            await asyncio.sleep(0)
        value = plain()
        gate.set()
        return [await first, value]

    assert asyncio.run(run()) == [1, 2]
    assert calls == ["slow", "plain"]


def test_a_generator_that_is_being_read_keeps_nobody_waiting(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=INPUTS)
    def items(x: int) -> Iterator[int]:
        calls.append(x)
        yield from range(x)

    @flow
    def run() -> list[tuple[int, int]]:
        return [(one, other) for one in items(2) for other in items(2)]

    assert run() == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert calls == [2, 2]


def test_a_cancelled_waiter_frees_its_place_in_the_queue(recorded: Recorded, calls: Count) -> None:
    started, go_on = threading.Event(), threading.Event()

    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        calls.append(x)
        started.set()
        assert go_on.wait(20)
        return x

    @flow
    def run() -> list[str]:
        holder = work.submit(1)
        assert started.wait(20)
        waiters = [work.submit(1) for _ in range(3)]
        until(lambda: recorded.logged().count("Waits for the run that computes the same.") == 3)
        not_wanted = waiters[0].run
        assert isinstance(not_wanted, SubmittedTaskRun)
        not_wanted.cancel(CancelledRun("not wanted"))
        waiters[0].wait()
        go_on.set()
        for future in (holder, *waiters):
            future.wait()
        return [future.state.name for future in waiters]

    states = run()

    assert states == ["Cancelled", "Cached", "Cached"]
    assert len(calls) == 1


def test_a_coroutine_that_waits_for_a_key_can_be_cancelled(recorded: Recorded, calls: Count) -> None:
    go_on = threading.Event()

    @task(cache_policy=INPUTS)
    async def work(x: int) -> int:
        calls.append(x)
        while not go_on.is_set():
            await asyncio.sleep(0.001)
        return x

    @flow
    def run() -> list[str]:
        futures = [work.submit(1)]
        until(lambda: bool(calls))
        futures.append(work.submit(1))
        until(lambda: "Waits for the run" in recorded.logged())
        not_wanted = futures[1].run
        assert isinstance(not_wanted, SubmittedTaskRun)
        not_wanted.cancel(CancelledRun("not wanted"))
        futures[1].wait()
        go_on.set()
        futures[0].wait()
        return [future.state.name for future in futures]

    assert run() == ["Completed", "Cancelled"]
    assert calls == [1]


def test_a_waiter_computes_itself_where_the_holder_failed(recorded: Recorded, calls: Count) -> None:
    started = threading.Event()

    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        calls.append(x)
        if len(calls) == 1:
            assert started.wait(20)
            raise ValueError("the first one fails")
        return x

    @flow
    def run() -> list[str]:
        futures = [work.submit(1), work.submit(1), work.submit(1)]
        started.set()
        for future in futures:
            future.wait()
        return sorted(future.state.name for future in futures)

    assert run() == ["Cached", "Completed", "Failed"]
    assert len(calls) == 2


def test_a_retry_takes_what_another_run_computed_during_its_delay(recorded: Recorded, calls: Count) -> None:
    submitted = threading.Event()

    @task(cache_policy=INPUTS, retries=1, retry_delay_seconds=0.2)
    def work(x: int) -> int:
        calls.append(x)
        if len(calls) == 1:
            assert submitted.wait(20)
            raise ValueError("the first attempt fails")
        return x

    @flow
    def run() -> list[str]:
        futures = [work.submit(1), work.submit(1)]
        submitted.set()
        for future in futures:
            future.wait()
        return sorted(future.state.name for future in futures)

    assert run() == ["Cached", "Completed"]
    assert len(calls) == 2


def test_waiting_for_a_key_is_no_part_of_the_time_that_a_task_may_take(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        calls.append(x)
        assert go_on.wait(20)
        return x

    go_on = threading.Event()
    hurried = work.with_options(timeout_seconds=0.05)

    @flow
    def run() -> list[str]:
        futures = [work.submit(1)]
        until(lambda: bool(calls))
        futures += [hurried.submit(1), hurried.submit(1)]
        until(lambda: recorded.logged().count("Waits for") == 2)
        assert not futures[1].run.wait(0.3)
        go_on.set()
        for future in futures:
            future.wait()
        return [future.state.name for future in futures]

    assert run() == ["Completed", "Cached", "Cached"]


def test_a_place_in_a_pool_of_processes_is_not_held_by_who_waits_for_a_key(home: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"

    @task(cache_policy=INPUTS, retries=1, retry_delay_seconds=0.1)
    def work(x: int, ledger: str) -> int:
        with open(ledger, "a+") as file:
            file.write("x\n")
            file.seek(0)
            if len(file.readlines()) == 1:
                raise ValueError("the first attempt fails")
        return x

    @flow(executor=ProcessExecutor(max_workers=1))
    def run() -> list[int]:
        return work.map([1] * 5, ledger=str(ledger)).result()

    assert run() == [1] * 5
    assert ledger.read_text() == "x\nx\n"


# -- without a store --


class AwayRecorder(DirectRecorder):
    """Records in memory, and cannot reach its store for questions."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, "away")
        self.asked = 0

    def store(self) -> Store:
        self.asked += 1
        raise StoreUnavailable("The store is away.")


def test_without_its_store_a_run_computes_and_says_so_once(calls: Count) -> None:
    store = MemoryStore()
    recorder = AwayRecorder(store)

    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> list[int]:
        return [work(1), work(1), work(2)]

    with recording.recording_to(recorder):
        assert run() == [1, 1, 2]

    assert calls == [1, 1, 2]
    assert recorder.asked == 1


# -- storage keys --


def test_a_storage_key_names_the_file_and_is_the_cache_key(home: Path, calls: Count) -> None:
    @task(result_storage_key="reports/{parameters[day]}-{flow_run.flow_name}.json", result_serializer="json")
    def report(day: str) -> dict[str, str]:
        calls.append(day)
        return {"day": day}

    @flow
    def run() -> dict[str, str]:
        return report("monday")

    first, second = run(), run()

    assert first == second == {"day": "monday"}
    assert calls == ["monday"]
    assert (home / "results" / "reports" / "monday-run.json").read_text() == '{"day":"monday"}'
    assert recording.recorder().store().cache.get("reports/monday-run.json") is not None


def test_a_storage_key_that_is_computed_again_replaces_the_file_and_leaves_old_runs_their_result(
    home: Path, calls: Count
) -> None:
    @task(result_storage_key="latest")
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run(x: int) -> int:
        return work.with_options(refresh_cache=True)(x)

    run(1)
    store = recording.recorder().store()
    recording.recorder().barrier()
    entry = store.cache.get("latest")
    run(2)

    replaced = store.cache.get("latest")
    assert entry is not None
    assert replaced is not None
    assert recording.recorder().fetch(replaced.result) == 2
    recording.recorder().barrier()
    assert [recording.recorder().fetch(made.result) for made in _task_runs(store, "work")] == [1, 2]


def _task_runs(store: Store, name: str) -> list[Any]:
    runs = store.flow_runs(RunFilter(), limit=10)
    return [made for run in reversed(runs) for made in store.task_runs(run.id) if made.task == name]


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", ".hidden/x", "{parameters[y]}"])
def test_a_storage_key_that_cannot_be_used_costs_the_run_nothing(home: Path, key: str) -> None:
    @task(result_storage_key=key)
    def work(x: int) -> int:
        return x

    assert work(1) == 1
    assert not (home.parent / "outside").exists()


# -- resume --


def test_a_record_of_the_run_comes_before_the_cache_and_a_cached_one_counts_as_finished(here: Here) -> None:
    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        here.did.append("work")
        return x

    @flow
    def run() -> int:
        value = work(1)
        here.crash_once()
        return value

    work(1)
    here.begin(run)
    before = here.task("work")
    here.store.cache.remove(now=0.0)
    value = here.resume(run)

    assert value == 1
    assert here.take() == []
    assert before.state_name == "Cached"
    assert here.task("work").id == before.id


def test_importing_nadi_loads_nothing_of_this() -> None:
    program = "import sys, nadi; print([name for name in sys.modules if 'caching' in name or 'transactions' in name])"

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout == "['nadi.model.transactions']\n"


def test_a_policy_of_the_run_holds_over_its_retries(recorded: Recorded, calls: Count) -> None:
    @task(cache_policy=RUN_ID + INPUTS + TASK_SOURCE, rerun_on_retry=True)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow(retries=1)
    def run() -> int:
        value = work(1)
        if len(calls) == 1 and not again:
            again.append(1)
            raise ValueError("once more")
        return value

    again: list[int] = []

    assert run() == 1
    assert calls == [1]
