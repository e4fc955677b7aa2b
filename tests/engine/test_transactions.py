"""Transactions: what commits when, what is undone in which order, and what a resumed run repeats."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest

from nadi import flow, task
from nadi.cache_policies import INPUTS
from nadi.engine.scope import scope_of
from nadi.engine.transaction_blocks import TransactionBlock
from nadi.exceptions import CancelledRun, RunTaken, TransactionError
from nadi.flow_runs import suspend_flow_run
from nadi.model.secrets import Secret
from nadi.transactions import (
    CommitMode,
    IsolationLevel,
    Transaction,
    TransactionState,
    get_transaction,
    transaction,
)
from tests.conftest import Recorded
from tests.engine.resuming import Here, a_home


@pytest.fixture
def did() -> list[str]:
    """What tasks and hooks did, in order."""
    return []


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with a_home(tmp_path / "home") as found:
        yield found


def step_of(did: list[str]) -> Any:
    """A task that says what it did, and hooks that say what they did about it."""

    @task(task_run_name="{label}")
    def step(label: str, fails: bool = False) -> str:
        if fails:
            raise ValueError(f"{label} failed")
        did.append(label)
        return label

    @step.on_commit
    def committed(txn: Transaction) -> None:
        did.append(f"commit {txn.value}")

    @step.on_rollback
    def undone(txn: Transaction) -> None:
        did.append(f"undo {txn.value}")

    return step


# -- hooks of tasks --


def test_a_task_alone_commits_when_it_ends(recorded: Recorded, did: list[str]) -> None:
    step = step_of(did)

    @flow
    def run() -> None:
        step("a")
        did.append("next")

    run()

    assert did == ["a", "commit a", "next"]


def test_a_transaction_commits_its_tasks_at_its_end_in_their_order(recorded: Recorded, did: list[str]) -> None:
    step = step_of(did)

    @flow
    def run() -> None:
        with transaction():
            step("a")
            step.submit("b").result()
            did.append("end of body")

    run()

    assert did == ["a", "b", "end of body", "commit a", "commit b"]
    assert recorded.states()["a"] == "Completed"


def test_an_exception_undoes_what_was_done_the_last_one_first(recorded: Recorded, did: list[str]) -> None:
    step = step_of(did)

    @flow
    def run() -> None:
        with transaction():
            step("a")
            step("b")
            step("c", fails=True)

    with pytest.raises(ValueError, match="c failed"):
        run()

    assert did == ["a", "b", "undo b", "undo a"]


def test_a_task_that_was_undone_is_recorded_as_rolled_back(recorded: Recorded, did: list[str]) -> None:
    step = step_of(did)

    @flow
    def run() -> None:
        with transaction():
            step("a")
            raise ValueError("no")

    run(return_state=True)

    [made] = recorded.task_runs
    assert (made.state_type, made.state_name) == ("COMPLETED", "RolledBack")
    assert made.result is not None
    assert made.result.kind == "not_kept"
    assert made.message == "It was rolled back with its transaction."


def test_a_hook_for_the_rollback_that_fails_is_logged_and_the_others_are_called(
    recorded: Recorded, did: list[str]
) -> None:
    step = step_of(did)

    def breaks(txn: Transaction) -> None:
        raise RuntimeError("the undo broke")

    @flow
    def run() -> None:
        with transaction():
            step("a")
            step.with_options(on_rollback=[breaks])("b")
            raise ValueError("no")

    run(return_state=True)

    assert did == ["a", "b", "undo a"]
    assert "The rollback hook test_a_hook_for_the_rollback_that_fails" in recorded.logged()
    assert "the undo broke" in recorded.logged()


def test_a_hook_for_the_commit_that_fails_commits_nothing_and_undoes_all(recorded: Recorded, did: list[str]) -> None:
    step = step_of(did)

    def breaks(txn: Transaction) -> None:
        raise RuntimeError("the gate is shut")

    @task(cache_policy=INPUTS)
    def cached(x: int) -> int:
        return x

    @flow
    def run() -> bool:
        with transaction() as txn:
            cached(1)
            step("a")
            step.with_options(on_commit=[breaks])("b")
        return txn.is_rolled_back()

    assert run() is True
    assert did == ["a", "b", "commit a", "undo b", "undo a"]
    assert recorded.store.cache.entries() == []
    assert "Nothing is committed, and it is rolled back." in recorded.logged()


def test_a_task_alone_whose_commit_hook_fails_is_undone_and_not_kept(recorded: Recorded, did: list[str]) -> None:
    def breaks(txn: Transaction) -> None:
        raise RuntimeError("no")

    step = step_of(did).with_options(on_commit=[breaks])

    @flow
    def run() -> str:
        return str(step("a"))

    assert run() == "a"
    assert did == ["a", "undo a"]
    [made] = recorded.task_runs
    assert made.state_name == "RolledBack"
    assert made.result is not None
    assert made.result.kind == "not_kept"


def test_hooks_may_be_coroutines(recorded: Recorded, did: list[str]) -> None:
    @task
    def work() -> None: ...

    @work.on_commit
    async def committed(txn: Transaction) -> None:
        await asyncio.sleep(0)
        did.append("commit")

    work()

    assert did == ["commit"]


def test_hooks_added_later_make_a_task_a_transaction() -> None:
    @task
    def work() -> None: ...

    before = work.spec.is_transaction
    work.on_rollback(lambda txn: None)

    assert (before, work.spec.is_transaction, work.with_options(name="x").spec.is_transaction) == (False, True, True)


def test_a_failed_attempt_that_is_retried_undoes_what_it_left_and_nothing_else(
    recorded: Recorded, did: list[str]
) -> None:
    step = step_of(did)
    tries: list[int] = []

    @task(retries=1)
    def outer() -> None:
        step("inner")
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("once")

    outer.on_rollback(lambda txn: did.append("undo outer"))

    @flow
    def run() -> None:
        with transaction():
            step("before")
            outer()

    run()

    assert did == ["before", "inner", "undo inner", "inner", "commit before", "commit inner"]


def test_a_caught_failure_undoes_only_what_it_left(recorded: Recorded, did: list[str]) -> None:
    step = step_of(did)

    @flow
    def run() -> None:
        with transaction():
            step("a")
            try:
                with transaction():
                    step("b")
                    raise ValueError("caught")
            except ValueError:
                did.append("caught")
            step("c")

    run()

    assert did == ["a", "b", "undo b", "caught", "c", "commit a", "commit c"]


# -- values --


def test_values_are_looked_up_in_the_transactions_around(recorded: Recorded) -> None:
    @task
    def work() -> tuple[Any, Any]:
        txn = get_transaction()
        assert txn is not None
        txn.set("own", 3)
        return txn.get("outer"), txn.get("inner")

    work.on_commit(lambda txn: got.append((txn.get("outer"), txn.get("own"))))
    got: list[Any] = []

    @flow
    def run() -> Any:
        with transaction() as outer:
            outer.set("outer", 1)
            outer.set("inner", 0)
            with transaction() as inner:
                inner.set("inner", 2)
                return work()

    assert run() == (1, 2)
    assert got == [(1, 3)]


def test_a_value_that_nobody_set_is_an_error_or_the_default() -> None:
    with transaction() as txn:
        assert txn.get("path", None) is None
        with pytest.raises(TransactionError, match="Nothing was set under 'path' in this transaction"):
            txn.get("path")


def test_the_innermost_transaction_is_the_current_one(recorded: Recorded) -> None:
    @task
    def plain() -> Any:
        return get_transaction()

    @task(on_commit=[lambda txn: None])
    def own() -> Any:
        mine = get_transaction()
        with transaction() as inside:
            assert get_transaction() is inside
            assert inside.parent is mine
        assert get_transaction() is mine
        return mine

    @flow
    def run() -> None:
        assert get_transaction() is None
        assert plain.with_options(persist_result=False)() is None
        with transaction() as outer:
            assert plain.with_options(persist_result=False)() is outer
            assert plain.with_options(persist_result=False).submit().result() is outer
            mine = own.with_options(persist_result=False)()
            assert mine.parent is outer
            assert get_transaction() is outer
        assert get_transaction() is None

    run()


# -- modes --


def test_modes_and_levels_are_inherited() -> None:
    with transaction() as first:
        assert (first.commit_mode, first.isolation_level) == (CommitMode.LAZY, IsolationLevel.READ_COMMITTED)
    with (
        transaction(commit_mode=CommitMode.EAGER, isolation_level=IsolationLevel.SERIALIZABLE),
        transaction() as second,
    ):
        assert (second.commit_mode, second.isolation_level) == (CommitMode.EAGER, IsolationLevel.SERIALIZABLE)
        with transaction(commit_mode=CommitMode.LAZY) as third:
            assert third.commit_mode is CommitMode.LAZY


def test_lazy_results_become_visible_when_the_outermost_commits(recorded: Recorded) -> None:
    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        return x

    seen: list[int] = []

    @flow
    def run() -> None:
        with transaction():
            with transaction():
                work(1)
            seen.append(len(recorded.store.cache.entries()))
            work(2)
            seen.append(len(recorded.store.cache.entries()))

    run()

    assert seen == [0, 0]
    assert len(recorded.store.cache.entries()) == 2


def test_eager_results_become_visible_at_once(recorded: Recorded) -> None:
    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        return x

    @flow
    def run() -> None:
        with transaction(commit_mode=CommitMode.EAGER):
            work(1)
            assert len(recorded.store.cache.entries()) == 1
            raise ValueError("too late to take it back")

    run(return_state=True)

    assert len(recorded.store.cache.entries()) == 1


def test_a_transaction_that_is_off_is_rolled_back_unless_it_is_committed(recorded: Recorded, did: list[str]) -> None:
    step = step_of(did)

    @flow
    def run() -> None:
        with transaction(commit_mode=CommitMode.OFF):
            step("a")
        with transaction(commit_mode=CommitMode.OFF) as txn:
            step("b")
            assert txn.commit()
            assert not txn.commit()

    run()

    assert did == ["a", "undo a", "b", "commit b"]


def test_a_result_that_is_staged_is_seen_in_its_own_transaction_and_nowhere_else(recorded: Recorded) -> None:
    calls: list[int] = []

    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @task
    def elsewhere() -> int:
        return work(1)

    @flow
    def run() -> None:
        with transaction():
            work(1)
            work(1)
            assert calls == [1]
            outside = threading.Thread(target=lambda: calls.append(len(recorded.store.cache.entries())))
            outside.start()
            outside.join()

    run()

    assert calls == [1, 0]
    assert recorded.states() == {"work-1": "Completed", "work-2": "Cached", "nadi.transaction-0": "Completed"}


def test_a_staged_result_is_given_out_as_it_was_computed_whatever_became_of_it(recorded: Recorded) -> None:
    @task(cache_policy=INPUTS)
    def work(x: int) -> list[int]:
        return [x]

    @flow
    def run() -> list[int]:
        with transaction():
            work(1).append(99)
            return work(1)

    assert run() == [1]


def test_a_task_that_ends_after_its_transaction_follows_it(recorded: Recorded, did: list[str]) -> None:
    step = step_of(did)
    go_on = threading.Event()

    @task(task_run_name="{label}")
    def late(label: str) -> str:
        assert go_on.wait(20)
        return label

    late = late.with_options(on_commit=step.spec.hooks.commit, on_rollback=step.spec.hooks.rollback)

    @flow
    def run() -> None:
        with transaction():
            kept = late.submit("kept")
        try:
            with transaction():
                undone = late.submit("undone")
                raise ValueError("no")
        except ValueError:
            go_on.set()
        kept.wait()
        undone.wait()

    run()

    assert sorted(did) == ["commit kept", "undo undone"]
    assert recorded.states()["kept"] == "Completed"
    assert recorded.states()["undone"] == "RolledBack"


# -- keys --


def test_a_keyed_transaction_commits_its_value_and_the_next_one_finds_it(recorded: Recorded) -> None:
    def body() -> tuple[bool, Any]:
        with transaction(key="load") as txn:
            if not txn.is_committed():
                assert txn.is_active()
                txn.stage({"rows": 3})
                assert txn.is_staged()
                return False, txn.read()
            return True, txn.read()

    @flow
    def run() -> tuple[bool, Any]:
        return body()

    values = [run(), run(), body()]

    assert values == [(False, None), (True, {"rows": 3}), (True, {"rows": 3})]


def test_a_keyed_transaction_works_outside_of_runs(recorded: Recorded) -> None:
    with transaction(key="once") as first:
        first.stage(1)
    with transaction(key="once") as second:
        second.stage(2)
    with transaction(key="once", overwrite=True) as third:
        assert not third.is_committed()
        third.stage(3)
    with transaction(key="once") as fourth:
        pass

    assert (second.is_committed(), second.read(), fourth.read()) == (True, 1, 3)


def test_write_on_commit_off_commits_without_a_trace(recorded: Recorded, did: list[str]) -> None:
    with transaction(key="silent", write_on_commit=False) as txn:
        txn.stage(1, on_commit_hooks=[lambda txn: did.append("commit")])

    assert did == ["commit"]
    assert txn.is_committed()
    assert recorded.store.cache.get("silent") is None


def test_hooks_may_be_staged_by_hand(recorded: Recorded, did: list[str]) -> None:
    def body(txn: TransactionBlock) -> None:
        with txn:
            txn.stage(1, on_rollback_hooks=[lambda txn: did.append("first")])
            txn.stage(2, on_rollback_hooks=[lambda txn: did.append(f"second {txn.value}")])
            raise ValueError("no")

    txn = transaction()
    with pytest.raises(ValueError, match="no"):
        body(txn)

    assert did == ["second 2", "first"]
    assert txn.state is TransactionState.ROLLED_BACK


def test_a_serializable_transaction_is_alone_with_its_key(recorded: Recorded, did: list[str]) -> None:
    inside, waiting = threading.Event(), threading.Event()

    def other() -> None:
        assert inside.wait(20)
        waiting.set()
        with transaction(key="k", isolation_level=IsolationLevel.SERIALIZABLE) as txn:
            did.append(f"other {txn.read()}")

    thread = threading.Thread(target=other)
    thread.start()
    with transaction(key="k", isolation_level=IsolationLevel.SERIALIZABLE) as txn:
        inside.set()
        assert waiting.wait(20)
        did.append("one")
        txn.stage(1)
    thread.join(20)

    assert did == ["one", "other 1"]


def test_a_serializable_key_is_held_until_the_outermost_commits(recorded: Recorded, did: list[str]) -> None:
    policy = INPUTS.configure(isolation_level=IsolationLevel.SERIALIZABLE)

    @task(cache_policy=policy)
    def work(x: int) -> int:
        did.append("work")
        return x

    staged = threading.Event()

    @flow
    def one() -> None:
        with transaction():
            work(1)
            staged.set()
            did.append("one ends")

    @flow
    def other() -> None:
        assert staged.wait(20)
        work(1)

    thread = threading.Thread(target=other)
    thread.start()
    one()
    thread.join(20)

    assert did == ["work", "one ends"]


def test_a_transaction_in_a_transaction_of_the_same_key_does_not_wait_for_itself(recorded: Recorded) -> None:
    level = IsolationLevel.SERIALIZABLE

    with transaction(key="k", isolation_level=level) as outer, transaction(key="k", isolation_level=level) as inner:
        inner.stage(1)

    assert outer.is_committed()
    assert inner.is_committed()


# -- async --


def test_a_transaction_works_in_a_coroutine(recorded: Recorded, did: list[str]) -> None:
    step = step_of(did)

    @task
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x

    later.on_rollback(lambda txn: did.append(f"undo later {txn.value}"))

    @flow
    async def run(fails: bool) -> None:
        async with transaction(key="k") as txn:
            assert get_transaction() is txn
            step("a")
            await later(2)
            if fails:
                raise ValueError("no")
            txn.stage(5)

    asyncio.run(run(True, return_state=True))
    rolled_back = list(did)
    did.clear()
    asyncio.run(run(False))

    assert rolled_back == ["a", "undo later 2", "undo a"]
    assert did == ["a", "commit a"]
    with transaction(key="k") as txn:
        assert txn.read() == 5


def test_waiting_for_a_transaction_does_not_block_the_loop(recorded: Recorded, did: list[str]) -> None:
    level = IsolationLevel.SERIALIZABLE

    async def one(inside: asyncio.Event, go_on: asyncio.Event) -> None:
        async with transaction(key="k", isolation_level=level):
            inside.set()
            await go_on.wait()
            did.append("one")

    async def other(inside: asyncio.Event) -> None:
        await inside.wait()
        async with transaction(key="k", isolation_level=level):
            did.append("other")

    async def both() -> None:
        inside, go_on = asyncio.Event(), asyncio.Event()
        first, second = asyncio.ensure_future(one(inside, go_on)), asyncio.ensure_future(other(inside))
        await inside.wait()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(first, second)

    asyncio.run(both())

    assert did == ["one", "other"]


def test_a_plain_with_refuses_to_wait_for_a_coroutine_of_the_loop_that_it_blocks(recorded: Recorded) -> None:
    level = IsolationLevel.SERIALIZABLE

    async def run() -> None:
        async with transaction(key="k", isolation_level=level):
            await asyncio.create_task(other(), context=Context())

    async def other() -> None:
        with transaction(key="k", isolation_level=level):
            pass

    with pytest.raises(TransactionError, match="Use `async with` in coroutines"):
        asyncio.run(run())


# -- wrong use --


def test_wrong_use_is_told_in_a_sentence() -> None:
    with pytest.raises(TransactionError, match="takes no other"):
        transaction(store=object())  # type: ignore[arg-type]
    for key, told in ((5, "has to be text"), ("half \ud800", "as UTF-8"), (f"of {Secret('x')}", "holds a Secret")):
        with pytest.raises(TransactionError, match=told):
            transaction(key=key)  # type: ignore[arg-type]
    with pytest.raises(TransactionError, match="Use a CommitMode"):
        transaction(commit_mode="SOMETIMES")  # type: ignore[arg-type]
    with transaction() as txn:
        pass
    with pytest.raises(TransactionError, match="entered once"), txn:
        pass


def test_a_transaction_logs_to_the_logger_it_is_given(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    def breaks(txn: Transaction) -> None:
        raise RuntimeError("no")

    with transaction(logger=logging.getLogger("mine")) as txn:
        txn.stage(1, on_commit_hooks=[breaks])

    assert {record.name for record in caplog.records if "hook" in record.message} == {"mine"}


# -- executors --


def test_what_ran_in_another_process_is_undone_here(home: Path) -> None:
    did: list[Any] = []

    @task
    def work(x: int) -> int:
        return x

    work.on_rollback(lambda txn: did.append(("undo", txn.value)))

    @flow(executor="process")
    def run() -> None:
        with transaction():
            work.map([1, 2]).result()
            raise ValueError("no")

    run(return_state=True)

    assert sorted(did) == [("undo", 1), ("undo", 2)]


def test_a_subflow_is_part_of_the_transaction_around_it(recorded: Recorded, did: list[str]) -> None:
    step = step_of(did)

    @flow
    def sub() -> None:
        step("below")

    @flow
    def run() -> None:
        with transaction():
            sub()
            raise ValueError("no")

    run(return_state=True)

    assert did == ["below", "undo below"]


# -- resume --


def test_a_task_that_was_undone_runs_again_on_resume(here: Here) -> None:
    step = step_of(here.did)
    fails = [True]

    @flow
    def run() -> None:
        with transaction():
            step("a")
            if fails:
                raise ValueError("no")

    begun = here.begin(run)
    fails.clear()
    here.resume(run)

    assert begun == ["a", "undo a"]
    assert here.take() == ["a", "commit a"]


def test_what_committed_in_an_earlier_attempt_is_neither_committed_again_nor_undone(here: Here) -> None:
    step = step_of(here.did)
    fails = [True]

    @flow
    def run() -> None:
        with transaction() as txn:
            step("a")
            txn.stage(None, on_commit_hooks=[lambda txn: here.did.append("commit by hand")])
        if fails:
            raise ValueError("later")

    begun = here.begin(run)
    fails.clear()
    here.resume(run)

    assert begun == ["a", "commit a", "commit by hand"]
    assert here.take() == []


def test_what_is_new_in_a_transaction_that_committed_before_is_committed(here: Here) -> None:
    step = step_of(here.did)
    labels = ["a"]

    @flow
    def run() -> None:
        with transaction():
            for label in labels:
                step(label)
        if len(labels) == 1:
            raise ValueError("later")

    here.begin(run)
    labels.append("b")
    here.resume(run)

    assert here.take() == ["b", "commit b"]


def test_a_suspended_run_leaves_its_transaction_to_the_attempt_that_goes_on(here: Here) -> None:
    step = step_of(here.did)

    @flow
    def run() -> None:
        with transaction():
            step("a")
            suspend_flow_run()
            step("b")

    begun = here.begin(run)
    here.resume(run)

    assert begun == ["a"]
    assert here.take() == ["b", "commit a", "commit b"]


def test_a_cancelled_run_is_undone(here: Here) -> None:
    step = step_of(here.did)

    @flow
    def run() -> None:
        with transaction():
            step("a")
            raise CancelledRun("by hand")

    assert here.begin(run) == ["a", "undo a"]


def test_a_flow_that_failed_publishes_nothing_of_its_transaction_and_its_resume_all(here: Here) -> None:
    calls: list[int] = []
    fails = [True]

    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> None:
        with transaction():
            work(1)
            work(2)
            if fails:
                raise ValueError("no")

    here.begin(run)
    before = len(here.store.cache.entries())
    fails.clear()
    here.resume(run)

    assert before == 0
    assert len(here.store.cache.entries()) == 2
    # They have nothing to undo, so what they gave stands for the resumed run.
    assert calls == [1, 2]


def test_a_run_that_somebody_else_took_over_undoes_nothing(here: Here) -> None:
    step = step_of(here.did)

    @flow
    def run() -> None:
        with transaction():
            step("a")
            session = scope_of("This test").session
            session.stop(RunTaken(session.root, holder="another process"), interrupt_flow=False)
            step("b")

    with pytest.raises(RunTaken):
        run()

    assert here.take() == ["a"]
