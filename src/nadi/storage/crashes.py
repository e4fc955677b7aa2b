"""What follows a crash: whether a run whose process was lost is taken up again, and when. One rule for every store.

A store asks in the transaction in which a root run with open work became CRASHED, and carries out the answer in the
same one. To take a run up again means, of the run: its attempt is closed as it stands, its token grows by one, so that
neither what that attempt still says nor a second look at its death counts any more, and it is SCHEDULED under the name
`AWAITING_RESUME` with no holder; of its work: what `Awaiting.work` says. What was asked of the run stays asked.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from nadi.model.runs import FlowRun
from nadi.model.states import StateType
from nadi.model.text import human_duration, plural
from nadi.model.work import CrashPolicy, Work
from nadi.storage.run_counts import RunCounts

#: Name of the state SCHEDULED of a run that waits to be taken up again.
AWAITING_RESUME = "AwaitingResume"
#: Name of the state CRASHED of a run that crashed too often.
DEAD_LETTERED = "DeadLettered"
#: Seconds between the first crash in a row and the next attempt; each further crash doubles them.
FIRST_DELAY = 0.5
#: The most seconds between a crash and the next attempt.
LONGEST_DELAY = 60.0


class Awaiting(msgspec.Struct, frozen=True):
    """The run is taken up again."""

    #: Its work, as it waits from now on.
    work: Work
    message: str


class DeadLetter(msgspec.Struct, frozen=True):
    """It crashed once too often, and stays CRASHED under the name `DEAD_LETTERED`."""

    #: Its work, which is not open any more.
    work: Work
    message: str


class Crashed(msgspec.Struct, frozen=True):
    """It stays CRASHED, as it is."""

    #: Its work, which is not open any more.
    work: Work


def after_crash(work: Work, *, why: str, finished: int, now: float) -> Awaiting | DeadLetter | Crashed:
    """Return what follows a crash.

    Args:
        work: The open work of the run.
        why: Why it crashed, for people.
        finished: How many task runs of it are COMPLETED, those left out that only do again, with other inputs, what
            an earlier attempt had finished: a run that reads the clock would otherwise seem to get on for ever.
        now: When it crashed, Unix seconds.
    """
    if work.crash_policy is CrashPolicy.FAIL:
        return Crashed(_with(work, open=False))
    # A run that begins anew does all again: what it finishes brings it no further.
    got_on = finished > work.finished and work.crash_policy is not CrashPolicy.RESTART
    crashes = 1 if got_on else work.crashes + 1
    counted = _with(work, crashes=crashes, finished=max(finished, work.finished))
    why = why or "Its process was lost."
    if crashes >= work.most_crashes:
        return DeadLetter(_with(counted, open=False), f"{why} {_given_up(work, crashes)}")
    delay = delay_after(crashes)
    told = f"It is taken up again after {human_duration(delay)} (crash {crashes} of {work.most_crashes} in a row)."
    return Awaiting(_with(counted, worker="", assigned=0.0, due=now + delay), f"{why} {told}")


def delay_after(crashes: int) -> float:
    """Return the seconds between a crash and the next attempt.

    Args:
        crashes: Which crash in a row it is, from 1.
    """
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(crashes - 1, 60))


def counts_of_resumes(runs: Iterable[FlowRun]) -> RunCounts:
    """Return by how much the counts of root runs change when those that stand as CRASHED are to be taken up again."""
    counts = RunCounts()
    for run in runs:
        counts.went(run)
        counts.add(run.flow, run.created, StateType.SCHEDULED, 0)
    return counts


def _given_up(work: Work, crashes: int) -> str:
    times = plural(crashes, "time")
    since = "" if work.crash_policy is CrashPolicy.RESTART else " without finishing a task in between"
    return (
        f"It has crashed {times} in a row{since}, and is not taken up again by itself; `nadi resume` does it by hand."
    )


_with = msgspec.structs.replace
