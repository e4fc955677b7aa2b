"""A flow run that pauses in its process: what ends the wait, and what it gets."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypedDict

import msgspec
import pydantic
import pytest

from nadi import flow, pause_flow_run, resume_flow_run, task
from nadi.engine.recording import recorder
from nadi.engine.run_inputs import answer_pause
from nadi.exceptions import CancelledRun, ContextError, DefinitionError, InputRefused, TimedOut
from nadi.flow_runs import wait_for_flow_run
from nadi.input import RunInput
from nadi.model.pauses import Pause
from nadi.model.runs import FlowRun, Request, RunFilter
from nadi.model.secrets import Secret
from nadi.model.states import StateType
from tests.conftest import Recorded


class Approval(RunInput):
    """Whether to ship."""

    again: bool = False
    reason: str


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return found


def asked(recorded: Recorded, key: str = "1", *, run: str = "") -> Pause:
    """The pause that the newest run, or a certain one, blocks in."""

    def found() -> Pause | None:
        runs = recorded.flow_runs
        if not runs:
            return None
        pause = recorded.store.inputs.pause(run or recorded.root.id, key)
        flow_run = recorded.store.flow_run(run or recorded.root.id)
        blocks = flow_run is not None and flow_run.state_type is StateType.PAUSED
        return pause if pause is not None and pause.is_open and blocks else None

    pause: Pause = until(found)
    return pause


@contextmanager
def beside(call: Callable[[], Any]) -> Iterator[list[Any]]:
    """Run something in a thread while the body goes on; the list has what it gave or raised."""
    got: list[Any] = []

    def work() -> None:
        try:
            got.append(call())
        except BaseException as error:
            got.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield got
    thread.join(20)
    assert not thread.is_alive()


def test_a_pause_without_input_lasts_until_somebody_resumes_the_run(recorded: Recorded) -> None:
    @flow
    def waits() -> str:
        assert pause_flow_run() is None
        return "went on"

    with beside(waits) as got:
        asked(recorded)
        paused = recorded.root
        resume_flow_run(paused.id)

    assert got == ["went on"]
    assert (paused.state_type, paused.state_name) == (StateType.PAUSED, "Paused")
    assert recorded.root.state_type is StateType.COMPLETED


@pytest.mark.parametrize(
    ("wanted", "given", "taken"),
    [
        (int, 5, 5),
        (int, {"value": "5"}, 5),
        (list[str], ["a"], ["a"]),
        (Literal["yes", "no"], "no", "no"),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (Approval, {"reason": "tested"}, Approval(reason="tested")),
        (Approval, Approval(reason="tested", again=True), Approval(reason="tested", again=True)),
    ],
)
def test_an_answer_comes_as_the_type_that_was_asked_for(
    recorded: Recorded, wanted: Any, given: Any, taken: Any
) -> None:
    @flow
    def waits() -> Any:
        return pause_flow_run(wait_for_input=wanted)

    with beside(waits) as got:
        asked(recorded)
        resume_flow_run(recorded.root.name, run_input=given)

    assert got == [taken]
    assert type(got[0]) is type(taken)


def test_a_wrong_answer_is_refused_and_the_run_stays_paused(recorded: Recorded) -> None:
    @flow
    def waits() -> Approval:
        return pause_flow_run(wait_for_input=Approval)

    with beside(waits) as got:
        asked(recorded)
        refusals = []
        for wrong in ({"reason": 1}, {"reasn": "x"}, {}, None, 5):
            with pytest.raises(InputRefused) as refused:
                resume_flow_run(recorded.root.id, run_input=wrong)
            refusals.append(str(refused.value))
        still = recorded.root.state_type
        resume_flow_run(recorded.root.id, run_input={"reason": "tested"})

    assert still is StateType.PAUSED
    assert got == [Approval(reason="tested")]
    assert refusals[0] == "reason: expected text (str), got 1. The run stays paused."
    assert "did you mean 'reason'?" in refusals[1]
    assert refusals[2] == "expected the field 'reason', got none. The run stays paused."
    assert refusals[3] == "Pause 1 needs an input. It asks for: again, reason."
    assert refusals[4].startswith("expected a dict of the fields of Approval")


def test_an_answer_that_only_the_type_can_judge_is_refused_where_it_is_taken(recorded: Recorded) -> None:
    class Even(msgspec.Struct):
        n: int

        def __post_init__(self) -> None:
            if self.n % 2:
                raise ValueError("it is odd")

    @flow
    def waits() -> Even:
        return pause_flow_run(wait_for_input=Even)

    with beside(waits) as got:
        asked(recorded)
        resume_flow_run(recorded.root.id, run_input={"n": 1})
        until(lambda: recorded.store.inputs.pauses(recorded.root.id)[0].refused)
        refused = asked(recorded).refused
        resume_flow_run(recorded.root.id, run_input={"n": 2})

    assert got == [Even(n=2)]
    assert "it is odd" in refused


def test_of_two_answers_the_first_one_counts_and_the_second_is_told_so(recorded: Recorded) -> None:
    @flow
    def waits() -> list[int]:
        return [pause_flow_run(int), pause_flow_run(int)]

    with beside(waits) as got:
        first = asked(recorded)
        resume_flow_run(recorded.root.id, 1)
        asked(recorded, "2")
        with pytest.raises(InputRefused, match="has been answered already by process"):
            _answer_again(recorded, first)
        resume_flow_run(recorded.root.id, 2)

    assert got == [[1, 2]]


def _answer_again(recorded: Recorded, pause: Pause) -> None:
    answer_pause(recorded.store, recorded.root, pause, 9, by="bob", now=time.time())


def test_a_run_that_asks_for_nothing_takes_no_answer(recorded: Recorded) -> None:
    @flow
    def done() -> None:
        return None

    done()

    with pytest.raises(InputRefused, match="is Completed and asks for no input"):
        resume_flow_run(recorded.root.id, 1)


def test_a_key_that_was_answered_gives_its_answer_again_at_once(recorded: Recorded) -> None:
    @flow
    def waits() -> list[int]:
        return [pause_flow_run(int, key="size"), pause_flow_run(int, key="size")]

    with beside(waits) as got:
        asked(recorded, "size")
        resume_flow_run(recorded.root.id, 7)

    assert got == [[7, 7]]


def test_a_pause_that_nobody_answers_in_time_fails_the_run_with_a_sentence(recorded: Recorded) -> None:
    @flow
    def waits() -> None:
        pause_flow_run(timeout=0.05)

    state = waits(return_state=True)

    assert (state.type, state.name) == (StateType.FAILED, "TimedOut")
    assert state.message.startswith(f"Nobody answered pause 1 of run {recorded.root.name} within 50 ms")
    assert recorded.root.state_type is StateType.FAILED


def test_a_flow_may_go_on_without_an_answer(recorded: Recorded) -> None:
    @flow
    def waits() -> str:
        try:
            return pause_flow_run(str, timeout=0.05)
        except TimedOut:
            return "nobody was there"

    assert waits() == "nobody was there"


def test_a_retry_asks_anew(recorded: Recorded) -> None:
    entered = []

    @flow(retries=1)
    def waits() -> int:
        entered.append(1)
        return pause_flow_run(int, timeout=0.05 if len(entered) == 1 else None)

    with beside(waits) as got:
        until(lambda: len(entered) == 2)
        asked(recorded)
        resume_flow_run(recorded.root.id, 3)

    assert got == [3]


def test_what_was_submitted_before_goes_on_while_the_flow_is_paused(recorded: Recorded) -> None:
    ran = threading.Event()

    @task
    def works() -> str:
        ran.set()
        return "worked"

    @flow
    def waits() -> str:
        future = works.submit()
        pause_flow_run()
        return future.result()

    with beside(waits) as got:
        asked(recorded)
        assert ran.wait(20)
        resume_flow_run(recorded.root.id)

    assert got == ["worked"]


def test_an_async_flow_awaits_its_pause_and_the_loop_goes_on(recorded: Recorded) -> None:
    ticks = []

    async def tick() -> None:
        while True:
            ticks.append(1)
            await asyncio.sleep(0.01)

    @flow
    async def waits() -> int:
        beside_it = asyncio.create_task(tick())
        value = await pause_flow_run(wait_for_input=int)  # type: ignore[misc]  # a coroutine, in an async flow
        beside_it.cancel()
        return value  # type: ignore[no-any-return]  # the same

    with beside(lambda: asyncio.run(waits())) as got:
        asked(recorded)
        until(lambda: len(ticks) > 3)
        resume_flow_run(recorded.root.id, 8)

    assert got == [8]


def test_a_hundred_async_flows_pause_in_one_thread(recorded: Recorded) -> None:
    @flow
    async def waits(n: int) -> int:
        return n + await pause_flow_run(wait_for_input=int)  # type: ignore[misc, no-any-return]  # a coroutine here

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(waits(n) for n in range(100)))

    before = threading.active_count()
    with beside(lambda: asyncio.run(all_of_them())) as got:
        until(lambda: sum(run.state_type is StateType.PAUSED for run in recorded.flow_runs) == 100)
        threads = threading.active_count() - before
        for run in recorded.flow_runs:
            resume_flow_run(run.id, 1000)

    assert got == [[1000 + n for n in range(100)]]
    assert threads < 40  # those that asyncio keeps for blocking calls, none for each flow


def test_a_cancel_ends_the_wait(home: Any) -> None:
    @flow
    def waits() -> None:
        pause_flow_run(timeout=None)

    store = recorder().store()
    with beside(waits) as got:
        run = until(lambda: _paused(store))
        store.ask(Request(run=run.id, kind="cancel", at=time.time(), by="ada"))

    [error] = got
    assert isinstance(error, CancelledRun)
    ended = store.flow_run(run.id)
    assert ended is not None
    assert ended.state_type is StateType.CANCELLED


def _paused(store: Any) -> FlowRun | None:
    found = store.flow_runs(RunFilter(states=(StateType.PAUSED,)), limit=1)
    return found[0] if found else None


def test_the_timeout_of_the_flow_ends_the_wait(recorded: Recorded) -> None:
    @flow(timeout_seconds=0.1)
    def waits() -> None:
        pause_flow_run(timeout=None)

    state = waits(return_state=True)

    assert (state.type, state.name) == (StateType.FAILED, "TimedOut")
    assert "longer than its timeout" in state.message


def test_a_subflow_pauses_by_itself_and_is_answered_through_its_root(recorded: Recorded) -> None:
    @flow
    def inner() -> int:
        return pause_flow_run(int)

    @flow
    def outer() -> int:
        return inner() + 1

    with beside(outer) as got:
        until(lambda: any(not run.is_root for run in recorded.flow_runs))
        [below] = [run for run in recorded.flow_runs if not run.is_root]
        asked(recorded, run=below.id)
        root_state = recorded.root.state_type
        resume_flow_run(recorded.root.id, 41)

    assert got == [42]
    assert root_state is StateType.RUNNING


def test_where_several_subflows_wait_the_one_that_is_answered_has_to_be_named(recorded: Recorded) -> None:
    @flow
    def inner(n: int) -> int:
        return n + pause_flow_run(int)

    @flow
    def outer() -> list[int]:
        return [one.result() for one in [inner.submit(10), inner.submit(20)]]

    with beside(outer) as got:
        below = until(lambda: [one for one in recorded.flow_runs if not one.is_root][1:] and recorded.flow_runs)
        below = [run for run in below if not run.is_root]
        for run in below:
            asked(recorded, run=run.id)
        with pytest.raises(InputRefused, match="Say which one by its id"):
            resume_flow_run(recorded.root.id, 1)
        for run in below:
            resume_flow_run(run.id, 1)

    assert got == [[11, 21]]


def test_a_pause_is_for_the_flow_function_and_not_for_tasks(recorded: Recorded) -> None:
    @task
    def asks() -> None:
        pause_flow_run()

    @flow
    def calls() -> None:
        asks()

    with pytest.raises(ContextError, match="was called in a task"):
        calls()
    with pytest.raises(ContextError, match="was called in no flow"):
        pause_flow_run()


@pytest.mark.parametrize("wrong", [3, Recorded, Secret, "text"])
def test_what_nobody_could_answer_with_cannot_be_asked_for(recorded: Recorded, wrong: Any) -> None:
    @flow
    def asks() -> None:
        pause_flow_run(wait_for_input=wrong)

    with pytest.raises(DefinitionError):
        asks()


class Login(RunInput):
    name: str
    token: Secret[str] | None = None


class PydanticLogin(pydantic.BaseModel):
    password: pydantic.SecretStr


class Both(RunInput):
    logins: dict[str, list[PydanticLogin]]


@pytest.mark.parametrize("secret", [Login, PydanticLogin, Both, list[Login], Secret[str], pydantic.SecretBytes])
def test_no_secret_can_be_asked_for_wherever_it_stands(recorded: Recorded, secret: Any) -> None:
    @flow
    def asks() -> None:
        pause_flow_run(wait_for_input=secret)

    with pytest.raises(DefinitionError, match="Ask for the name under which the flow finds it"):
        asks()

    assert recorder().store().inputs.pauses(recorded.root.id) == []


def test_values_to_start_with_may_be_left_out_of_the_answer(recorded: Recorded) -> None:
    @flow
    def waits() -> Approval:
        return pause_flow_run(Approval.with_initial_data(description="Ship **it**?", reason="none yet"))

    with beside(waits) as got:
        pause = asked(recorded)
        resume_flow_run(recorded.root.id, {"again": True})

    assert got == [Approval(reason="none yet", again=True)]
    assert pause.description == "Ship **it**?"
    assert msgspec.json.decode(pause.initial) == {"reason": "none yet"}
    assert msgspec.json.decode(pause.schema)["properties"]["reason"]["default"] == "none yet"


def test_without_a_description_the_docstring_of_the_type_says_what_is_asked(recorded: Recorded) -> None:
    @flow
    def waits() -> Approval:
        return pause_flow_run(Approval)

    with beside(waits):
        pause = asked(recorded)
        resume_flow_run(recorded.root.id, {"reason": "x"})

    assert pause.description == "Whether to ship."


def test_waiting_for_a_run_gives_it_once_it_has_ended(recorded: Recorded) -> None:
    @flow
    def waits() -> None:
        pause_flow_run()

    with beside(waits):
        asked(recorded)
        with pytest.raises(TimedOut, match="it is Paused"):
            wait_for_flow_run(recorded.root.id, timeout=0.01, poll_interval=0.01)
        with beside(lambda: wait_for_flow_run(recorded.root.id)) as got:
            resume_flow_run(recorded.root.id)

    [run] = got
    assert run.state_type is StateType.COMPLETED


@dataclasses.dataclass
class Place:
    """Where."""

    name: str


class Shape(TypedDict):
    size: int


class Struct(msgspec.Struct):
    at: datetime.date


class Model(pydantic.BaseModel):
    email: str = pydantic.Field(pattern="@")
    count: int = 1


@pytest.mark.parametrize(
    ("wanted", "given", "taken"),
    [
        (Place, {"name": "here"}, Place("here")),
        (Place, Place("here"), Place("here")),
        (Shape, {"size": 3}, {"size": 3}),
        (Struct, {"at": "2030-01-31"}, Struct(datetime.date(2030, 1, 31))),
        (Struct, Struct(datetime.date(2030, 1, 31)), Struct(datetime.date(2030, 1, 31))),
        (Model, {"email": "a@b"}, Model(email="a@b")),
        (Model, Model(email="a@b", count=2), Model(email="a@b", count=2)),
    ],
)
def test_any_type_with_fields_can_be_asked_for(recorded: Recorded, wanted: Any, given: Any, taken: Any) -> None:
    @flow
    def waits() -> Any:
        return pause_flow_run(wait_for_input=wanted)

    with beside(waits) as got:
        asked(recorded)
        for wrong in ({}, {"nonsense": 1}, 7):
            with pytest.raises(InputRefused):
                resume_flow_run(recorded.root.id, wrong)
        resume_flow_run(recorded.root.id, given)

    assert got == [taken]


def test_two_pauses_of_one_run_at_a_time_are_two_and_it_runs_when_both_are_answered(recorded: Recorded) -> None:
    @flow
    async def waits() -> list[int]:
        first = pause_flow_run(wait_for_input=int, key="a")
        second = pause_flow_run(wait_for_input=int, key="b")
        return list(await asyncio.gather(first, second))  # type: ignore[call-overload]  # coroutines, in an async flow

    with beside(lambda: asyncio.run(waits())) as got:
        asked(recorded, "a")
        asked(recorded, "b")
        resume_flow_run(recorded.root.id, 1)
        until(lambda: any("Paused" in line.text for line in recorded.store.logs(recorded.root.id)))
        still = recorded.root.state_type
        resume_flow_run(recorded.root.id, 2)

    assert got == [[1, 2]]
    assert still is StateType.PAUSED


def test_awaiting_what_is_done_is_harmless(recorded: Recorded) -> None:
    @flow
    def waits() -> None:
        pause_flow_run()

    async def resumes() -> None:
        await resume_flow_run(recorded.root.id)
        run = await wait_for_flow_run(recorded.root.id)
        assert run.state_type is StateType.COMPLETED

    with beside(waits):
        asked(recorded)
        asyncio.run(resumes())
