"""What a worker asks of a launcher: start a run, tell what becomes of it, stop it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import msgspec

from nadi.model.deployments import Resources
from nadi.model.work import WhenCutOff


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """All that a launcher has to know to start one run."""

    #: Id of the root run, and its name for people.
    run: str
    name: str
    #: The run's token when the worker took it: who finds another one leaves the run alone.
    token: int
    deployment: str
    version: int
    #: `path/to/file.py:flow` or `package.module:flow`, from the working folder.
    entrypoint: str
    #: Absolute path of the working folder.
    folder: str
    #: Path of the Python that runs it.
    interpreter: str
    #: All variables of its environment.
    environment: Mapping[str, str]
    #: Name of the executor of its tasks; "" for the flow's own.
    executor: str = ""
    resources: Resources = Resources()
    when_cut_off: WhenCutOff = WhenCutOff.CONTINUE
    #: File that takes what it prints.
    output: str
    #: Seconds of silence after which it counts as gone, where the worker renews its lease; 0 where nobody does.
    lease_term: float = 0.0


class Started(msgspec.Struct, frozen=True):
    """A run has a process, which leads a process group of its own."""

    run: str
    pid: int


class Claimed(msgspec.Struct, frozen=True):
    """The process of a run has claimed it."""

    run: str
    #: Text of its Holder, and the token of its claim.
    holder: str
    token: int


class Exceeded(msgspec.Struct, frozen=True):
    """A run uses more than it may. It is told once, and the run is not stopped by that."""

    run: str
    #: Which of its resources: `wall` or `memory`.
    what: str
    #: For people: what it used, and what it may.
    told: str


class Ended(msgspec.Struct, frozen=True):
    """The process of a run has ended, or there was none."""

    run: str
    #: Exit status, negative for a signal; `None` where it is not known, or there was no process.
    status: int | None
    #: Why there was no process; "" otherwise.
    why: str = ""
    #: Whether the process said, before it ended, that its run was seen through and that the store knows.
    is_told: bool = False


Event = Started | Claimed | Exceeded | Ended


class Launcher(ABC):
    """Starts runs and watches them. All methods are for one thread, but `wake`."""

    #: By which people know it.
    name: str

    @abstractmethod
    def start(self, job: Job) -> None:
        """Begin to start a run, and return at once; `watch` tells of the rest, at the end always an `Ended`."""

    @abstractmethod
    def watch(self, timeout: float) -> list[Event]:
        """Wait until something happened, at most `timeout` seconds, and return it in the order in which it did."""

    @abstractmethod
    def wake(self) -> None:
        """Let the `watch` that waits, or else the next one, return; from any thread, or a signal handler."""

    @abstractmethod
    def stop(self, run: str, *, grace: float) -> None:
        """Ask all processes of a run to end, and end those that have not within `grace` seconds; returns at once."""

    @abstractmethod
    def confirm(self, run: str, at: float) -> None:
        """Tell the process of a run when its lease was last renewed (monotonic seconds of this machine)."""

    @abstractmethod
    def adopt(self) -> Sequence[Started]:
        """Take over the runs that an earlier worker of this home left running; none where runs end with their worker.

        What such a worker left behind all the same is ended first.
        """

    @abstractmethod
    def starts(self) -> dict[str, str]:
        """Return, by deployment, how its runs are started here and why so, for people."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; runs that still go on are ended."""
