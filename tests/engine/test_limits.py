"""Slots and turns as flows and tasks take them, in one process."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from nadi import flow, task
from nadi.concurrency import asyncio as limits_asyncio
from nadi.concurrency import list_limits, remove_limit, set_limit
from nadi.concurrency.sync import concurrency, rate_limit
from nadi.engine.desks import desk_here
from nadi.engine.interrupts import Interruption
from nadi.engine.limit_reasons import reasons_of_limits
from nadi.engine.limits import Wanted
from nadi.engine.recording import recorder
from nadi.engine.slots import Desk, Place
from nadi.exceptions import (
    AcquireConcurrencySlotTimeoutError,
    CancelledRun,
    ConcurrencyLeaseLost,
    ConcurrencySlotAcquisitionError,
    TimedOut,
    ValueRefused,
)
from nadi.executors import ThreadExecutor
from nadi.model.limits import SlotClaim
from nadi.storage.home import this_holder
from tests.conftest import Recorded


class Meter:
    """Counts who is inside at once."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.inside -= 1


def claims(root: str = "") -> list[SlotClaim]:
    return recorder().store().limits.claims(root=root)


def waiting(count: int) -> None:
    """Return when so many wait."""
    deadline = time.monotonic() + 10
    while sum(not one.held for one in claims()) < count:
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.002)


def give_away() -> None:
    """End all claims, as somebody would that heard nothing of their process for a whole term."""
    while found := claims():
        recorder().store().limits.end_claims({one.id: one.renewals for one in found})


def until_free() -> None:
    """Return when nobody holds or waits: an async holder lets go beside its loop."""
    deadline = time.monotonic() + 10
    while claims():
        assert time.monotonic() < deadline, claims()
        time.sleep(0.002)


# -- slots --


def test_never_more_tasks_are_inside_than_there_are_slots(recorded: Recorded) -> None:
    set_limit("db", 2)
    meter = Meter()

    @task
    def work(number: int) -> int:
        with concurrency("db"), meter:
            time.sleep(0.005)
        return number

    @flow(executor=ThreadExecutor(max_workers=8))
    def many() -> list[int]:
        return work.map(range(16)).result()

    assert many() == list(range(16))
    assert meter.most == 2
    assert claims() == []


def test_slots_are_given_in_the_order_of_asking(recorded: Recorded) -> None:
    set_limit("db", 1)
    order: list[int] = []

    def work(number: int) -> None:
        with concurrency("db"):
            order.append(number)

    with concurrency("db"):
        threads = []
        for number in range(5):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            waiting(number + 1)
    for thread in threads:
        thread.join()

    assert order == [0, 1, 2, 3, 4]


def test_who_waits_lends_its_place_so_that_the_holder_can_go_on(recorded: Recorded) -> None:
    set_limit("db", 1)

    @task
    def needs() -> str:
        with concurrency("db"):
            return "had it"

    @task
    def helper() -> str:
        return "helped"

    @task
    def holds(waiters: list[object]) -> str:
        with concurrency("db"):
            waiting(1)
            return helper.submit().result()

    @flow(executor=ThreadExecutor(max_workers=2))
    def both() -> list[str]:
        first = holds.submit([])
        second = needs.submit()
        return [first.result(), second.result()]

    assert both() == ["helped", "had it"]


def test_a_slot_is_free_again_when_the_body_raises(recorded: Recorded) -> None:
    set_limit("db", 1)

    with pytest.raises(KeyError), concurrency("db"):
        raise KeyError("x")

    assert claims() == []


def test_a_marked_function_holds_a_slot_in_each_call(recorded: Recorded) -> None:
    set_limit("db", 2)
    seen: list[int] = []

    @concurrency("db")
    def work(deep: bool) -> None:
        seen.append(len(claims()))
        if deep:
            work(False)

    work(True)
    work(False)

    assert seen == [1, 2, 1]


def test_several_limits_are_taken_all_or_none(recorded: Recorded) -> None:
    set_limit("a", 1)
    set_limit("b", 1)
    done: list[int] = []

    def work(number: int) -> None:
        for _ in range(20):
            with concurrency(["a", "b"] if number else ["b", "a"]):
                pass
        done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(done) == [0, 1]


def test_a_missing_limit_warns_once_and_limits_nothing(
    recorded: Recorded, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nadi.engine.limits._said", set())
    for _ in range(2):
        with concurrency("nowhere"):
            pass
    rate_limit("nowhere")

    [warning] = [one.getMessage() for one in caplog.records]
    assert warning.startswith("There is no limit 'nowhere'. Make it: nadi limits set nowhere SLOTS")


def test_a_missing_limit_is_an_error_when_strict(recorded: Recorded) -> None:
    set_limit("db", 1, slot_decay_per_second=1)

    with (
        pytest.raises(ConcurrencySlotAcquisitionError, match="no limit 'nowhere'"),
        concurrency("nowhere", strict=True),
    ):
        pass
    with (
        pytest.raises(ConcurrencySlotAcquisitionError, match="no limit 'nowhere'"),
        concurrency(["db", "nowhere"], strict=True),
    ):
        pass
    with pytest.raises(ConcurrencySlotAcquisitionError, match="no limit 'nowhere'"):
        rate_limit(["db", "nowhere"], strict=True)

    assert claims() == []
    rate_limit("db", timeout_seconds=0)


def test_the_end_of_the_wait_says_who_holds_the_slots(recorded: Recorded) -> None:
    set_limit("db", 1)

    with concurrency("db", holder="nightly import"):
        with (
            pytest.raises(AcquireConcurrencySlotTimeoutError, match="held by nightly import") as raised,
            concurrency("db", timeout_seconds=0.01),
        ):
            pass
        with pytest.raises(TimeoutError, match="became free now"), concurrency("db", max_retries=0):
            pass

    assert str(raised.value).startswith("No slot of 'db' became free within 0.01 seconds")
    assert claims() == []


def test_more_slots_than_there_are_is_an_error_at_once(recorded: Recorded) -> None:
    set_limit("db", 1)

    with pytest.raises(ConcurrencySlotAcquisitionError, match="2 slots were asked of 'db'"), concurrency("db", 2):
        pass


def test_a_cancelled_run_leaves_the_line(recorded: Recorded) -> None:
    set_limit("db", 1)

    @task
    def work() -> None:
        with concurrency("db"):
            pass

    @flow
    def waits() -> None:
        future = work.submit()
        waiting(1)
        future.run.session.stop(CancelledRun("Enough."))

    with concurrency("db"):
        with pytest.raises(CancelledRun, match="Enough"):
            waits()
        left = [one for one in claims() if not one.held]

    assert left == []


def test_a_timeout_ends_the_wait(recorded: Recorded) -> None:
    set_limit("db", 1)

    @task(timeout_seconds=0.1)
    def work() -> None:
        with concurrency("db"):
            pass

    @flow
    def waits() -> None:
        work.submit().result()

    with concurrency("db"), pytest.raises(TimedOut):
        waits()

    assert claims() == []


def test_a_claim_names_the_run_and_task_that_it_is_for(recorded: Recorded) -> None:
    set_limit("db", 1)
    found: list[SlotClaim] = []

    @task
    def work() -> None:
        with concurrency("db"):
            found.extend(claims())

    @flow
    def one() -> None:
        work()

    one()

    [claim] = found
    [task_run] = recorded.task_runs
    assert (claim.root, claim.run, claim.task) == (recorded.root.id, recorded.root.id, task_run.id)


def test_slots_given_to_somebody_else_interrupt_the_body_that_asked_for_it(recorded: Recorded) -> None:
    set_limit("db", 1)

    @concurrency("db", lease_duration=0.04, raise_on_lease_renewal_failure=True)
    def work() -> None:
        give_away()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            time.sleep(0.001)

    with pytest.raises(ConcurrencyLeaseLost, match="were given away"):
        work()

    assert claims() == []


def test_a_lost_slot_otherwise_warns_and_the_work_goes_on(recorded: Recorded) -> None:
    set_limit("db", 1)

    @flow
    def work() -> str:
        with concurrency("db", lease_duration=0.04):
            give_away()
            deadline = time.monotonic() + 10
            while "were given away" not in recorded.logged():
                assert time.monotonic() < deadline, "nothing was said"
                time.sleep(0.002)
        return "done"

    assert work() == "done"


def test_a_held_slot_is_renewed(recorded: Recorded) -> None:
    set_limit("db", 1)

    with concurrency("db", lease_duration=0.04):
        deadline = time.monotonic() + 10
        while claims()[0].renewals < 3:
            assert time.monotonic() < deadline, "nobody renews"
            time.sleep(0.002)


def test_slots_are_held_over_processes_of_the_process_executor(home: Path) -> None:
    set_limit("db", 1)

    @task
    def work(number: int) -> tuple[float, float]:
        with concurrency("db"):
            began = time.time()
            time.sleep(0.02)
            return began, time.time()

    @flow(executor="process")
    def many() -> list[tuple[float, float]]:
        return work.map(range(4)).result()

    spans = sorted(many())

    assert all(ended <= began for (_, ended), (began, _) in itertools.pairwise(spans))
    assert claims() == []


def test_limits_in_memory_say_that_they_do_not_reach_another_process(recorded: Recorded) -> None:
    set_limit("db", 1)

    @task
    def work() -> None:
        with concurrency("db"):
            pass

    @flow(executor="process")
    def one() -> None:
        work.submit().result()

    with pytest.raises(Exception, match="Limits of a store in memory hold within one process"):
        one()


def test_who_is_taken_for_gone_while_it_waits_joins_the_line_again(recorded: Recorded) -> None:
    set_limit("db", 1)
    done: list[str] = []

    def waits() -> None:
        with concurrency("db"):
            done.append("had it")

    with concurrency("db"):
        thread = threading.Thread(target=waits)
        thread.start()
        waiting(1)
        [waiter] = [one for one in claims() if not one.held]
        recorder().store().limits.end_claims({waiter.id: waiter.renewals})
        waiting(1)
    thread.join(20)

    assert done == ["had it"]
    assert claims() == []


def test_who_leaves_while_it_joins_the_line_again_stays_out_of_it(recorded: Recorded) -> None:
    set_limit("db", 1)
    desk = desk_here()

    desk._join_again(Place(Wanted("db", 1, None, strict=False).claim(desk), ready=lambda: None))

    assert claims() == []


def test_reasons_are_those_of_one_moment_whoever_leaves_the_line_meanwhile(recorded: Recorded) -> None:
    @flow
    def one() -> None: ...

    one()
    set_limit("db", 1)
    run, limits = recorded.root, recorder().store().limits
    for id in "abc":
        fields: dict[str, Any] = {"id": id, "holder": "h", "root": run.id, "run": run.id, "term": 300.0, "at": 0.0}
        limits.claim_slots(SlotClaim(names=("db",), slots=1, **fields), wait=True)

    told = reasons_of_limits(recorder().store(), run, observer=this_holder("reader"), now=0.0)
    first = next(told)
    limits.release_slots("c")

    assert "1 of 1 is taken" in first
    assert [one.rpartition("; ")[2] for one in told] == ["1 came earlier."]


# -- async --


def test_async_tasks_wait_without_blocking_their_loop(recorded: Recorded) -> None:
    set_limit("db", 2)
    meter = Meter()
    ticks = 0

    @task
    async def work() -> None:
        async with limits_asyncio.concurrency("db"):
            with meter:
                await asyncio.sleep(0.005)

    @flow
    async def many() -> None:
        nonlocal ticks
        running = asyncio.gather(*(work() for _ in range(8)))
        while not running.done():
            ticks += 1
            await asyncio.sleep(0.001)
        await running

    asyncio.run(many())

    assert meter.most == 2
    assert ticks > 5
    until_free()


def test_a_cancelled_coroutine_leaves_the_line(recorded: Recorded) -> None:
    set_limit("db", 1)

    async def waits() -> None:
        async with limits_asyncio.concurrency("db"):
            pass

    async def main() -> None:
        async with limits_asyncio.concurrency("db"):
            waiter = asyncio.create_task(waits())
            await asyncio.to_thread(waiting, 1)
            waiter.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiter
        with pytest.raises(AcquireConcurrencySlotTimeoutError):
            async with (
                limits_asyncio.concurrency("db"),
                limits_asyncio.concurrency("db", timeout_seconds=0.01),
            ):
                pass

    asyncio.run(main())

    until_free()


def test_a_coroutine_whose_slots_were_given_away_is_interrupted(recorded: Recorded) -> None:
    set_limit("db", 1)

    async def main() -> None:
        async with limits_asyncio.concurrency("db", lease_duration=0.04, strict=True):
            give_away()
            await asyncio.sleep(10)

    with pytest.raises(ConcurrencyLeaseLost):
        asyncio.run(main())


def test_a_loss_that_is_told_too_late_cancels_nothing_behind_the_block(recorded: Recorded) -> None:
    set_limit("db", 1)

    async def main() -> str:
        async with limits_asyncio.concurrency("db", lease_duration=0.04, strict=True):
            give_away()
            time.sleep(0.2)  # the loop hears nothing of the loss meanwhile
        await asyncio.sleep(0.01)
        return "went on"

    assert asyncio.run(main()) == "went on"


def test_a_loss_that_strikes_no_await_of_the_body_is_raised_at_its_end(recorded: Recorded) -> None:
    set_limit("db", 1)

    async def main() -> None:
        async with limits_asyncio.concurrency("db", lease_duration=0.04, strict=True):
            give_away()
            lost = asyncio.current_task()
            assert lost is not None
            while not lost.cancelling():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.01)

    with pytest.raises(ConcurrencyLeaseLost):
        asyncio.run(main())


def test_a_cancel_of_somebody_else_goes_before_a_loss(recorded: Recorded) -> None:
    set_limit("db", 1)

    async def main() -> None:
        async with limits_asyncio.concurrency("db", lease_duration=0.04, strict=True):
            own = asyncio.current_task()
            assert own is not None
            own.cancel()
            give_away()
            time.sleep(0.2)
            await asyncio.sleep(10)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())


# -- rates --


def test_a_rate_lets_a_burst_through_and_then_waits_for_each_turn(recorded: Recorded) -> None:
    set_limit("api", 2, slot_decay_per_second=50)
    began = time.monotonic()

    for _ in range(6):
        rate_limit("api")

    assert time.monotonic() - began >= 4 / 50


def test_an_async_rate_awaits_its_turn(recorded: Recorded) -> None:
    set_limit("api", 1, slot_decay_per_second=50)

    async def main() -> float:
        began = time.monotonic()
        await asyncio.gather(*(limits_asyncio.rate_limit("api") for _ in range(5)))
        return time.monotonic() - began

    assert asyncio.run(main()) >= 4 / 50


def test_a_turn_that_is_too_far_away_is_refused_at_once(recorded: Recorded) -> None:
    set_limit("api", 1, slot_decay_per_second=0.01)
    rate_limit("api")

    with pytest.raises(AcquireConcurrencySlotTimeoutError, match="more than the 5 seconds allowed"):
        rate_limit("api", timeout_seconds=5)


def test_a_limit_without_decay_has_no_rate(recorded: Recorded) -> None:
    set_limit("db", 1)

    with pytest.raises(ConcurrencySlotAcquisitionError, match="'db' has no decay"):
        rate_limit("db")


# -- limits --


def test_limits_are_made_listed_changed_and_removed(recorded: Recorded) -> None:
    set_limit("db", 1)
    set_limit("api", 5, slot_decay_per_second=2)
    set_limit("db", 3)

    assert [(one.name, one.slots, one.decay) for one in list_limits()] == [("api", 5, 2.0), ("db", 3, 0.0)]
    assert (remove_limit("db"), remove_limit("db")) == (True, False)


@pytest.mark.parametrize(("name", "slots", "decay"), [("", 1, 0), ("a\n", 1, 0), ("a", -1, 0), ("a", 1, -1.0)])
def test_a_limit_that_cannot_be_is_refused(recorded: Recorded, name: str, slots: int, decay: float) -> None:
    with pytest.raises(ValueRefused):
        set_limit(name, slots, slot_decay_per_second=decay)


@pytest.mark.parametrize(
    "given",
    [
        {"names": "\ud800"},
        {"names": [1]},
        {"names": None},
        {"occupy": 1 << 31},
        {"timeout_seconds": "5"},
        {"timeout_seconds": math.nan},
        {"lease_duration": "5"},
        {"lease_duration": 0},
    ],
)
def test_what_cannot_be_asked_for_is_refused(recorded: Recorded, given: dict[str, Any]) -> None:
    with pytest.raises(ValueRefused), concurrency(**{"names": "db", **given}):
        pass


def test_waits_and_leases_may_be_endless(recorded: Recorded) -> None:
    set_limit("db", 1)
    done: list[str] = []

    def waits() -> None:
        with concurrency("db", timeout_seconds=math.inf, lease_duration=math.inf):
            done.append("had it")

    with concurrency("db", lease_duration=math.inf, holder="x\ud800\n" * 200):
        thread = threading.Thread(target=waits)
        thread.start()
        waiting(1)
    thread.join(20)

    assert done == ["had it"]


def test_who_is_interrupted_on_the_way_out_leaves_all_the_same(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limit("db", 1)
    strikes, leave = [Interruption()], Desk.leave

    def leave_struck_at_first(desk: Desk, place: Place) -> None:
        if strikes:
            raise strikes.pop()
        leave(desk, place)

    monkeypatch.setattr(Desk, "leave", leave_struck_at_first)

    with pytest.raises(Interruption), concurrency("db"):
        pass

    assert claims() == []


class _InChild(Exception):
    """Leaves the body in a forked child."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_is_forked_in_the_body_does_not_free_the_slot_of_its_parent(home: Path) -> None:
    set_limit("db", 1)

    try:
        with concurrency("db"):
            child = os.fork()
            if child == 0:
                raise _InChild
            _, status = os.waitpid(child, 0)
            held = [one.held for one in claims()]
    except _InChild:
        os._exit(_ask_in_child())

    assert os.waitstatus_to_exitcode(status) == 0
    assert held == [True]
    assert claims() == []


def _ask_in_child() -> int:
    """Ask for a slot in a forked child that has left the body of its parent; 0 when there is none, as it should be."""
    try:
        with concurrency("db", timeout_seconds=0):
            return 1
    except AcquireConcurrencySlotTimeoutError:
        return 0
    except BaseException:
        return 2
