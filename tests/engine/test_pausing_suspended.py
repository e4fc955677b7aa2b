"""A run that is suspended: no process has it, and whoever resumes it goes on where it was."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nadi
from nadi import flow, pause_flow_run, resume_flow_run, suspend_flow_run, task
from nadi.exceptions import (
    ContextError,
    InputRefused,
    NotResumable,
    RunAlreadyFinished,
    RunTaken,
    SuspendedRun,
    TimedOut,
    UnfinishedRun,
)
from nadi.input import RunInput
from nadi.model.runs import FlowRun, Request, RunFilter
from nadi.model.states import StateType
from nadi.storage.leftovers import deliver_leftovers
from tests.engine.resuming import Here, a_home
from tests.engine.test_pausing import beside, until

S = StateType


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with a_home(tmp_path / "home") as made:
        yield made


def paused(here: Here) -> list[FlowRun]:
    return here.store.flow_runs(RunFilter(states=(S.PAUSED,)), limit=100)


def test_the_caller_is_told_how_to_go_on_and_gets_a_paused_state_where_it_asks_for_one(here: Here) -> None:
    @flow
    def waits() -> int:
        return suspend_flow_run(int)

    with pytest.raises(SuspendedRun) as told:
        waits()
    state = waits(return_state=True)

    run = here.run
    assert str(told.value).endswith("--input value=...")
    assert "It waits for input (value)." in str(told.value)
    assert (state.type, state.name) == (S.PAUSED, "Suspended")
    with pytest.raises(UnfinishedRun):
        state.result()
    assert (run.state_type, run.state_name, run.holder) == (S.PAUSED, "Suspended", "")


def test_a_resumed_run_goes_on_in_its_attempt_and_repeats_nothing_that_was_finished(here: Here) -> None:
    @task
    def step(name: str) -> str:
        here.did.append(name)
        return name

    @flow
    def waits() -> list[str]:
        first = step("first")
        word = suspend_flow_run(str)
        return [first, word, step("second")]

    before = here.begin(waits)
    value = here.resume(waits, run_input="go")

    assert value == ["first", "go", "second"]
    assert (before, here.take()) == (["first"], ["second"])
    assert (here.run.state_type, here.run.attempt, here.run.token) == (S.COMPLETED, 1, 2)
    assert [(one.attempt, one.state_type) for one in here.store.attempts(here.run.id)] == [(1, S.COMPLETED)]


def test_each_suspension_is_answered_for_itself(here: Here) -> None:
    @flow
    def waits() -> list[int]:
        return [suspend_flow_run(int), suspend_flow_run(int, key="second"), suspend_flow_run(int)]

    here.begin(waits)
    for n in (1, 2):
        assert here.resume(waits, run_input=n, return_state=True).is_paused()
    value = here.resume(waits, run_input=3)

    assert value == [1, 2, 3]
    assert [pause.key for pause in here.store.inputs.pauses(here.run.id)] == ["1", "second", "2"]


@pytest.mark.parametrize("asked", ["Release it?", "Release it.", "Release it"])
def test_what_a_person_is_asked_keeps_its_own_mark_at_the_end(here: Here, asked: str) -> None:
    class Answer(RunInput):
        ok: bool

    @flow
    def waits() -> None:
        suspend_flow_run(wait_for_input=Answer.with_initial_data(description=asked))

    here.begin(waits)

    told = asked if asked.endswith((".", "?")) else f"{asked}."
    assert here.run.message == f"It waits for input (ok): {told}"


def test_what_was_submitted_before_is_waited_for(here: Here) -> None:
    @task
    def slow() -> str:
        time.sleep(0.05)
        here.did.append("slow")
        return "slow"

    @flow
    def waits() -> str:
        future = slow.submit()
        suspend_flow_run()
        return future.result()

    done = here.begin(waits)

    assert done == ["slow"]
    assert here.resume(waits) == "slow"
    assert here.take() == []


def test_a_recorded_failure_is_a_fact_and_spent_retries_stay_spent(here: Here) -> None:
    @task(retries=1)
    def fails() -> None:
        here.did.append("tried")
        raise ValueError("no")

    @flow
    def waits() -> str:
        try:
            fails()
        except ValueError as error:
            suspend_flow_run()
            return f"caught {error}"
        return "never"

    tried = here.begin(waits)
    value = here.resume(waits)

    assert (tried, value, here.take()) == (["tried", "tried"], "caught no", [])


def test_a_retry_of_the_flow_that_was_spent_before_stays_spent(here: Here) -> None:
    entered: list[int] = []

    @flow(retries=1)
    def waits() -> None:
        entered.append(1)
        if len(entered) != 2:
            raise ValueError("no")
        suspend_flow_run()

    here.begin(waits)
    state = here.resume(waits, return_state=True)

    assert state.is_failed()
    assert len(entered) == 3


def test_a_crash_after_a_suspension_keeps_what_was_recorded_before_both(here: Here) -> None:
    @task
    def fails() -> None:
        here.did.append("tried")
        raise ValueError("no")

    @flow
    def waits() -> str:
        try:
            fails()
        except ValueError:
            word = suspend_flow_run(str)
        here.crash_once()
        return word

    here.begin(waits)
    assert here.resume(waits, run_input="go", return_state=True).is_crashed()
    value = here.resume(waits)

    assert (value, here.take(), here.run.attempt) == ("go", [], 2)


def test_an_async_flow_and_a_generator_are_suspended_alike(here: Here) -> None:
    @flow
    async def waits() -> int:
        return 1 + await suspend_flow_run(int)  # type: ignore[misc, no-any-return]  # a coroutine, in an async flow

    @flow
    def items() -> Any:
        yield 1
        yield suspend_flow_run(int)

    with pytest.raises(SuspendedRun):
        asyncio.run(waits())
    assert asyncio.run(here.resume(waits, run_input=4)) == 5
    with pytest.raises(SuspendedRun):
        list(items())
    assert here.resume(items, run_input=4) == [1, 4]


def test_a_run_that_needs_an_input_is_not_taken_up_without_one(here: Here) -> None:
    @flow
    def waits() -> int:
        return suspend_flow_run(int)

    here.begin(waits)

    with pytest.raises(NotResumable, match="waits for input"):
        here.resume(waits)
    with pytest.raises(InputRefused, match="expected a whole number"):
        here.resume(waits, run_input="many")

    assert (here.run.state_type, here.run.token) == (S.PAUSED, 1)
    assert here.resume(waits, run_input=1) == 1


def test_a_run_that_asks_for_nothing_takes_no_input(here: Here) -> None:
    @flow
    def waits() -> None:
        suspend_flow_run()

    here.begin(waits)

    with pytest.raises(InputRefused, match="asks for no input"):
        here.resume(waits, run_input=1)
    assert here.resume(waits) is None


def test_answered_by_one_and_resumed_by_another(here: Here) -> None:
    @flow
    def waits() -> int:
        return suspend_flow_run(int)

    here.begin(waits)
    resume_flow_run(here.run.id, 5)
    answered = here.run.state_type

    assert answered is S.PAUSED
    assert here.resume(waits) == 5


def test_an_answer_that_the_type_refuses_suspends_the_run_again(here: Here) -> None:
    from dataclasses import dataclass

    @dataclass
    class Even:
        n: int

        def __post_init__(self) -> None:
            if self.n % 2:
                raise ValueError("it is odd")

    @flow
    def waits() -> int:
        found: Even = suspend_flow_run(Even)
        return found.n

    here.begin(waits)
    again = here.resume(waits, run_input={"n": 1}, return_state=True)
    [pause] = here.store.inputs.pauses(here.run.id)

    assert again.is_paused()
    assert "it is odd" in pause.refused
    assert here.resume(waits, run_input={"n": 2}) == 2


def test_of_two_that_resume_one_run_one_wins(here: Here) -> None:
    arrived = threading.Barrier(2)

    @flow
    def waits() -> str:
        suspend_flow_run()
        return "done"

    here.begin(waits)
    run = here.run.id

    def resume() -> Any:
        arrived.wait(20)
        return nadi.resume(run, flow=waits)

    with beside(resume) as one, beside(resume) as other:
        pass

    outcomes = [*one, *other]
    assert outcomes.count("done") == 1
    [loser] = [outcome for outcome in outcomes if outcome != "done"]
    assert isinstance(loser, RunTaken | RunAlreadyFinished | InputRefused)
    assert here.run.token == 2


def test_a_blocked_run_is_answered_and_not_taken_up(here: Here) -> None:
    @flow
    def waits() -> int:
        return pause_flow_run(int)

    with beside(waits) as got:
        until(lambda: paused(here))
        with pytest.raises(RunTaken):
            here.resume(waits, run_input=1)
        resume_flow_run(here.run.id, 2)

    assert got == [2]


def test_a_deadline_that_passed_is_judged_when_somebody_looks(here: Here) -> None:
    @flow
    def waits() -> int:
        return suspend_flow_run(int, timeout=60)

    here.begin(waits)
    recorder = here.recorder
    early = deliver_leftovers(recorder.home, here.store, recorder.holder, now=time.time() + 50)
    late = deliver_leftovers(recorder.home, here.store, recorder.holder, now=time.time() + 70)

    assert (early.overdue, late.overdue) == ([], [here.run.id])
    assert (here.run.state_type, here.run.state_name) == (S.FAILED, "TimedOut")
    assert here.run.message == f"Nobody answered pause 1 of run {here.run.name} within 1 min."


def test_one_look_judges_all_deadlines_however_few_the_store_tells_at_a_time(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    @flow
    def waits() -> int:
        return suspend_flow_run(int, timeout=60)

    for _ in range(3):
        here.begin(waits)
    recorder, store = here.recorder, here.store
    monkeypatch.setattr(store.inputs, "overdue", functools.partial(store.inputs.overdue, limit=1))
    found = deliver_leftovers(recorder.home, store, recorder.holder, now=time.time() + 70)

    assert len(found.overdue) == 3
    assert {run.state_name for run in store.flow_runs(RunFilter(), limit=9)} == {"TimedOut"}


def test_a_pause_that_was_given_up_is_not_what_a_later_suspension_waits_for(here: Here) -> None:
    @flow
    def waits() -> str:
        try:
            pause_flow_run(int, timeout=0.01)
        except TimedOut:
            return str(suspend_flow_run(str, timeout=None))
        return "never"

    here.begin(waits)
    found = here.recorder.look_for_leftovers()
    suspended = here.run.state_type
    again = here.resume(waits, run_input="go")

    assert (found.overdue, suspended, again) == ([], S.PAUSED, "go")


def test_after_a_deadline_a_resume_by_hand_asks_anew(here: Here) -> None:
    @flow
    def waits() -> int:
        return suspend_flow_run(int, timeout=0.01)

    here.begin(waits)
    until(lambda: here.recorder.look_for_leftovers().overdue)
    with pytest.raises(InputRefused, match="finished as TimedOut"):
        here.resume(waits, run_input=1)
    again = here.resume(waits, return_state=True)

    assert again.is_paused()
    assert here.run.attempt == 2


def test_only_the_function_of_a_root_run_suspends(here: Here) -> None:
    @flow
    def inner() -> None:
        suspend_flow_run()

    @flow
    def outer() -> None:
        inner()

    with pytest.raises(ContextError, match="is a subflow run of another one"):
        outer()


def test_another_run_is_suspended_at_its_next_call(here: Here) -> None:
    go = threading.Event()

    @task
    def step(n: int) -> int:
        here.did.append(f"step-{n}")
        return n

    @flow
    def works() -> int:
        step(1)
        go.wait(20)
        until(lambda: step(2) and nadi.runtime.flow_run.attempt and _asked(here))
        return step(3)

    def _asked(here: Here) -> bool:
        return not here.store.requests([here.run.id])

    with beside(works) as got:
        until(lambda: here.did)
        suspend_flow_run(flow_run_id=here.run.id)
        go.set()

    [error] = got
    assert isinstance(error, SuspendedRun)
    assert (here.run.state_type, here.run.holder) == (S.PAUSED, "")
    assert here.store.requests([here.run.id]) == []
    assert "step-3" not in here.take()
    assert here.resume(works) == 3


def test_a_run_that_blocks_in_a_pause_is_suspended_when_it_is_asked(here: Here) -> None:
    @flow
    def waits() -> int:
        return pause_flow_run(int, timeout=None)

    with beside(waits) as got:
        until(lambda: paused(here))
        suspend_flow_run(flow_run_id=here.run.id)

    assert isinstance(got[0], SuspendedRun)
    assert here.resume(waits, run_input=3) == 3


def test_a_cancel_of_a_suspended_run_works_at_once(here: Here) -> None:
    from nadi.engine.cancelling import How, cancel_run
    from nadi.engine.recording import clock

    @flow
    def waits() -> None:
        suspend_flow_run()

    here.begin(waits)
    recorder = here.recorder
    done = cancel_run(
        here.store,
        recorder.home,
        here.run,
        by="ada",
        grace=5.0,
        observer=recorder.holder,
        clock=clock,
        pause=lambda seconds: pytest.fail("it waited"),
    )

    assert (done.how, done.run.state_type) == (How.UNCLAIMED, S.CANCELLED)


def test_a_run_that_is_cancelled_while_it_is_being_suspended_ends_cancelled(here: Here) -> None:
    began = threading.Event()

    @task
    def slow() -> None:
        began.set()
        while not nadi.runtime.is_cancelled():
            time.sleep(0.005)

    @flow
    def waits() -> None:
        slow.submit()
        suspend_flow_run()

    with beside(waits):
        assert began.wait(20)
        here.store.ask(Request(run=here.run.id, kind="cancel", at=time.time(), by="ada"))

    assert here.run.state_type is S.CANCELLED


def test_hooks_of_ended_runs_are_not_called_for_a_suspended_one(here: Here) -> None:
    called: list[str] = []

    @flow(
        on_completion=[lambda flow, run, state: called.append("completed")],
        on_crashed=[lambda flow, run, state: called.append("crashed")],
    )
    def waits() -> None:
        suspend_flow_run()

    here.begin(waits)
    before = list(called)
    here.resume(waits)

    assert (before, called) == ([], ["completed"])


def test_large_parameters_that_were_changed_are_kept_for_the_next_time(here: Here) -> None:
    @flow
    def waits(text: str) -> int:
        suspend_flow_run()
        suspend_flow_run()
        return len(text)

    here.begin(waits, "a" * 40_000)
    here.resume(waits, parameters={"text": "b" * 50_000}, return_state=True)

    assert here.resume(waits) == 50_000


def a_suspended_run_each(here: Here, count: int) -> None:
    @task
    def step(n: int) -> int:
        here.did.append(f"step-{n}")
        return n

    @flow
    def waits(n: int) -> int:
        return step(n) * 1000 + suspend_flow_run(int)

    threads = threading.active_count()
    for n in range(count):
        assert waits(n, return_state=True).is_paused()
    suspended = here.store.flow_runs(RunFilter(states=(S.PAUSED,)), limit=count)[::-1]
    assert threading.active_count() <= threads + 2  # of the journal; none for each run
    assert here.take() == [f"step-{n}" for n in range(count)]
    for n, run in enumerate(suspended):
        resume_flow_run(run.id, n)
    values = [nadi.resume(run.id, flow=waits) for run in suspended]

    assert values == [n * 1000 + n for n in range(count)]
    assert here.take() == []


def test_suspended_runs_cost_no_thread_and_each_goes_on_with_its_own_input(here: Here) -> None:
    a_suspended_run_each(here, 30)


class Answer(RunInput):
    word: str


def test_a_task_that_takes_the_answer_is_reused_with_it(here: Here) -> None:
    @task
    def takes(answer: Answer) -> str:
        here.did.append("took")
        return answer.word

    @flow
    def waits() -> str:
        word = takes(suspend_flow_run(Answer))
        here.crash_once()
        return word

    here.begin(waits)
    assert here.resume(waits, run_input={"word": "go"}, return_state=True).is_crashed()
    assert here.take() == ["took"]
    assert here.resume(waits) == "go"
    assert here.take() == []
