"""Work: runs that wait for a worker, the queues in which they wait, and the workers that take them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from nadi.model.records import FlowRunBegun

#: The queue in which a run waits when nobody says another one.
DEFAULT_QUEUE = "default"
#: Crashes in a row without a task finished in between, after which a run is not taken up again.
MOST_CRASHES = 3


class CrashPolicy(StrEnum):
    """What becomes of a run whose process was lost."""

    #: It goes on from its last finished task.
    RESUME = "resume"
    #: It begins anew: what it had finished runs again.
    RESTART = "restart"
    #: It has crashed, and that is that.
    FAIL = "fail"


class WhenCutOff(StrEnum):
    """What a run does when its lease has run out and the store does not answer."""

    #: It goes on; a task may run twice if another worker has taken the run over.
    CONTINUE = "continue"
    #: It stops before its next task, so that there are never two live attempts.
    STOP = "stop"


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has to know of a root run that it is to start: kept beside the run, for as long as that.

    Whether the run waits, runs or has ended is said by the run itself.
    """

    run: str
    deployment: str
    #: Version of the deployment that it runs.
    version: int
    queue: str = DEFAULT_QUEUE
    #: Greater goes first.
    priority: int = 0
    #: Unix seconds before which it is not started; then who waits longer goes first.
    due: float
    #: The instant of the schedule that it stands for, Unix seconds; 0 for a run that somebody asked for.
    instant: float = 0.0
    #: Name of the schedule; "" for none.
    schedule: str = ""
    #: Id of the backfill that asked for it; "" for none.
    backfill: str = ""
    #: The only machine that has its code; "" for any.
    host: str = ""
    #: Asking again with the same key gives the same run; "" for none.
    key: str = ""
    #: Whether it waits until no other run of its deployment is under way.
    alone: bool = False
    crash_policy: CrashPolicy = CrashPolicy.RESUME
    #: Crashes in a row that are too many; see `crashes`.
    most_crashes: int = MOST_CRASHES
    #: Crashes in a row, without a task finished in between.
    crashes: int = 0
    #: Task runs that it had finished when it crashed last.
    finished: int = 0
    #: Text of the Holder of the worker that has it; "" while it waits for one.
    worker: str = ""
    #: Since when, Unix seconds.
    assigned: float = 0.0
    #: Whether the run has not ended for good.
    open: bool = True


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """A root run that is asked for: how it begins (SCHEDULED, token and attempt 1), and the work that it is."""

    record: FlowRunBegun
    work: Work


class Enqueued(msgspec.Struct, frozen=True, kw_only=True):
    """What became of asking for a run."""

    run: str
    #: `False` where the key was known: then `run` is the one that was made before.
    made: bool


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue of work. One that nobody has changed is there as soon as something names it."""

    name: str
    #: While it is, nothing is taken from it; what runs goes on.
    paused: bool = False
    #: How many runs of it may be under way at once; `None` for no limit.
    slots: int | None = None
    #: How many runs wait for a worker: those that are due, and those that are not yet.
    due: int = 0
    later: int = 0
    #: How many runs workers have.
    running: int = 0


class WorkerSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A worker, as it described itself when it began."""

    #: Text of its Holder.
    holder: str
    #: What people call it.
    name: str
    host: str
    #: The queues that it serves; empty for all.
    queues: tuple[str, ...] = ()
    #: How many runs it takes at once.
    slots: int
    #: How it starts runs: name of its launcher.
    launcher: str
    #: Unix seconds.
    started: float
    #: Whether it takes nothing more, and ends with its last run.
    draining: bool = False
    #: Version of Nadi.
    program: str = ""
    #: By deployment, how its runs are started there and why so, for people.
    starts: dict[str, str] = {}
    #: How many runs it has; the store counts them.
    running: int = 0
