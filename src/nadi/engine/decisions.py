"""What happens next: pure functions of policy, history and what just happened. The drivers only act.

There is one copy of each rule here, whoever asks: the sync driver, the async driver, or the
far side of an executor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nadi.exceptions import CancelledRun, CrashedRun, TimedOut
from nadi.model.retries import RetryPolicy
from nadi.model.runs import FlowRun, TaskRun
from nadi.model.signals import FAIL, LOOP, PAUSE, RETRY, Ending, Signal, seconds_until, signal_behind
from nadi.model.states import State, StateType


class RetryAfter(msgspec.Struct, frozen=True):
    """Run again after so many seconds."""

    delay: float


class End(msgspec.Struct, frozen=True):
    """End the run in this state."""

    type: StateType
    name: str


class LoopAgain(msgspec.Struct, frozen=True):
    """Run again at once, as the next turn of a loop."""

    message: str
    result: Any


class Pause(msgspec.Struct, frozen=True):
    """Put the run aside until somebody resumes it."""

    message: str


#: What to do after an attempt.
Next = RetryAfter | End

COMPLETED = End(StateType.COMPLETED, "Completed")
#: Its result was computed by an equal call of another run, or elsewhere in this one.
CACHED = End(StateType.COMPLETED, "Cached")
#: It completed, and what it did was undone.
UNDONE = End(StateType.COMPLETED, "RolledBack")
NOT_READY = End(StateType.FAILED, "NotReady")


def classify(error: BaseException) -> End:
    """Return the state that an exception ends a run in, when it is not retried."""
    if isinstance(error, TimedOut):
        return End(StateType.FAILED, "TimedOut")
    if isinstance(error, CancelledRun | KeyboardInterrupt):
        return End(StateType.CANCELLED, "Cancelled")
    if isinstance(error, CrashedRun | GeneratorExit):
        return End(StateType.CRASHED, "Crashed")
    signal = signal_behind(error)
    return End(StateType.FAILED, signal.state_name if isinstance(signal, FAIL) and signal.state_name else "Failed")


def after_signal(signal: Signal, *, now: float) -> State[Any] | BaseException | RetryAfter | LoopAgain | Pause:
    """Decide what follows when user code raised a signal.

    Args:
        signal: The signal.
        now: Unix seconds.

    Returns:
        A state to end in; or the error that the attempt fails with, which the retry policy then judges; or how it
        goes on.
    """
    if isinstance(signal, FAIL):
        return signal.failure
    if isinstance(signal, Ending):
        state = signal.state
        if state.is_scheduled():
            return RetryAfter(seconds_until(state.data, now))
        return Pause(state.message) if state.is_paused() else state
    if isinstance(signal, RETRY):
        return RetryAfter(seconds_until(signal.start_time, now))
    if isinstance(signal, LOOP):
        return LoopAgain(signal.message, signal.result)
    if isinstance(signal, PAUSE):
        return Pause(signal.message)
    return signal


def may_retry(policy: RetryPolicy, error: BaseException, *, failures: int) -> bool:
    """Tell whether policy allows another attempt; a condition function may still refuse.

    Args:
        policy: The run's retry policy.
        error: What the attempt failed with. Cancellations and interruptions are never retried.
        failures: How many attempts have failed, this one included.
    """
    return failures <= policy.retries and classify(error).type in (StateType.FAILED, StateType.CRASHED)


def after_failure(policy: RetryPolicy, error: BaseException, *, failures: int, allowed: bool, chance: float) -> Next:
    """Decide what follows a failed attempt.

    Args:
        policy: The run's retry policy.
        error: What the attempt failed with.
        failures: How many attempts have failed, this one included.
        allowed: What `may_retry` and the user's condition function said.
        chance: A number in [0, 1) for the jitter.
    """
    if allowed and may_retry(policy, error, failures=failures):
        return RetryAfter(policy.delay_before(failures, chance))
    return classify(error)


# -- resume: is there a recorded outcome for this call? --


def goes_on_as(was: StateType) -> StateType:
    """Return the state by which recorded calls are judged when a root run is claimed from `was`.

    What a suspended run recorded counts as after a crash: its flow may have acted on it.
    """
    return StateType.CRASHED if was is StateType.PAUSED else was


class Reuse(msgspec.Struct, frozen=True):
    """The recorded outcome stands for this call."""


class RunAgain(msgspec.Struct, frozen=True):
    """The call runs; `adopt` says that it takes up the recorded run rather than making a new one."""

    adopt: bool
    why: str


def judge_record(
    record: TaskRun | FlowRun,
    *,
    was: StateType,
    readable: bool,
    in_order: bool,
    rerun: bool,
    asked: str = "",
) -> Reuse | RunAgain:
    """Decide what a recorded call that equals this one is worth (docs/explanation/durability.md, "Resume").

    Args:
        record: The record of the equal call.
        was: The state from which the root run was claimed: after CRASHED recorded failures are facts;
            resumed from FAILED or CANCELLED they run again with fresh retries.
        readable: Whether the recorded outcome can be read back.
        in_order: Whether every earlier call of the scope came from its own thread and matched in order.
        rerun: Whether the task asks to run again whatever is recorded.
        asked: Why whoever resumes the run wants this call to run again; "" where nobody does.
    """
    state = record.state_type
    if asked or rerun:
        return RunAgain(adopt=state is not StateType.COMPLETED, why=asked or "it is declared rerun_on_retry")
    if state is StateType.COMPLETED:
        if record.certainty == POSITION and not in_order:
            return RunAgain(adopt=False, why="its inputs cannot be told apart and the calls before it changed")
        if not readable:
            return RunAgain(adopt=False, why=_why_unreadable(record))
        return Reuse()
    if state is StateType.FAILED and was is StateType.CRASHED and record.state_name != NOT_READY.name:
        return Reuse() if readable else RunAgain(adopt=True, why="its recorded failure cannot be read")
    # What waited when the run was cut off never ran, so that it does not run "again".
    return RunAgain(adopt=True, why=f"it had not completed ({record.state_name})" if record.started else "")


#: Certainty of an input that nothing is known about but its place.
POSITION = 2


def _why_unreadable(record: TaskRun | FlowRun) -> str:
    note = record.result.note.rstrip(".") if record.result is not None else ""  # a reason is no sentence
    return f"its result was not kept: {note}" if note else "its result is missing or unreadable"


def why_no_match(inputs: dict[str, bytes], code: bytes, candidates: Sequence[TaskRun | FlowRun]) -> str:
    """Say why no recorded call of this function in this scope equals a new one; "" when there is none at all."""
    if not candidates:
        return ""
    nearest = candidates[0]
    if not nearest.started and nearest.state_type is not StateType.COMPLETED:
        return ""  # it never ran, so that it does not run "again"
    if nearest.code != code:
        return "its code changed"
    changed = sorted(name for name in inputs.keys() | nearest.each.keys() if inputs.get(name) != nearest.each.get(name))
    if changed:
        return f"its input changed: {', '.join(changed)}"
    # Inputs that content cannot tell apart count by the calling code too; see Scope.identify.
    return "the code that calls it changed, and with it perhaps an input"
