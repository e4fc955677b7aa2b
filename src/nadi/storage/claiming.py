"""Who may claim a run: one rule for every store."""

from __future__ import annotations

from nadi.exceptions import RunAlreadyFinished, RunNotFound, RunTaken
from nadi.model.holders import Holder
from nadi.model.runs import Attempt, Claim, FlowRun, TaskRun
from nadi.model.states import StateType, may_be_claimed


def next_claim(run: FlowRun | None, wanted: str, *, expected_token: int | None, where: str) -> Claim:
    """Return the claim that comes next for `run`, or raise why there is none. See `Store.claim`.

    A run that never started (SCHEDULED, and nothing ran yet) keeps its attempt: nothing has been tried. So does one
    that is suspended: its attempt has not ended, and goes on.
    """
    if run is None or not run.is_root:
        raise RunNotFound(wanted, where=where)
    if not may_be_claimed(run.state_type):
        raise RunAlreadyFinished(run.id, state=run.state_type, proposed=StateType.PENDING)
    free = run.is_final or run.state_type is StateType.SCHEDULED or is_released(run)
    if run.token != expected_token if expected_token is not None else not free:
        raise RunTaken(run.id, holder=told_holder(run))
    return Claim(
        run=run.id,
        token=run.token + 1,
        attempt=run.attempt + (1 if was_tried(run) else 0),
        was=run.state_type,
    )


def told_holder(run: FlowRun) -> str:
    """Return who has a run, for people."""
    return str(Holder.decode(run.holder)) if run.holder else "another process"


def was_tried(run: FlowRun) -> bool:
    """Tell whether the run's newest attempt did anything, so that a claim makes another one."""
    return not is_released(run) and (run.state_type is not StateType.SCHEDULED or bool(run.started))


def is_released(run: FlowRun) -> bool:
    """Tell whether a root run is suspended: PAUSED, and no process holds it."""
    return run.state_type is StateType.PAUSED and not run.holder


def is_unclaimed(run: FlowRun) -> bool:
    """Tell whether a root run waits for its first claim: it was asked for, and no process has had it."""
    return run.state_type is StateType.SCHEDULED and not run.started and not run.holder


def is_awaiting_resume(run: FlowRun) -> bool:
    """Tell whether a root run waits to be taken up again: its attempt has crashed, and no process has it."""
    return run.state_type is StateType.SCHEDULED and bool(run.started) and not run.holder


def is_free(run: FlowRun) -> bool:
    """Tell whether no process has a root run, as far as the run itself tells, so that it may be claimed."""
    return run.is_final or is_released(run) or is_unclaimed(run) or is_awaiting_resume(run)


def left_attempt(run: FlowRun, *, now: float) -> Attempt:
    """Return the attempt that a claim of `run` leaves behind; one that had not ended has crashed."""
    attempt = standing_attempt(run)
    if not run.is_final:
        attempt.state_type, attempt.state_name, attempt.ended = StateType.CRASHED, "Crashed", now
    return attempt


def crashed_attempt(run: FlowRun) -> Attempt:
    """Return the attempt of a run that has crashed and is to be taken up again; one that did not start did so then."""
    attempt = standing_attempt(run)
    attempt.started = run.started or run.ended
    return attempt


def standing_attempt(run: FlowRun | TaskRun) -> Attempt:
    """Return the newest attempt of a run, which is where the run itself stands."""
    return Attempt(
        run=run.id,
        attempt=run.attempt,
        token=run.token,
        state_type=run.state_type,
        state_name=run.state_name,
        message=run.message,
        started=run.started,
        ended=run.ended,
        holder=run.holder if isinstance(run, FlowRun) else "",
    )


def all_attempts(closed: list[Attempt], run: Attempt) -> list[Attempt]:
    """Return the attempts of a run from those that were closed and where the run itself stands.

    A task that waits for its retry, a run that waits to be taken up again, or what was cancelled while it waited,
    stands in the attempt that failed and has not started since: then the failure counts.
    """
    if closed and closed[-1].attempt == run.attempt:
        return [*closed[:-1], run] if run.started not in (0.0, closed[-1].started) else closed
    return [*closed, run]
