"""Every public error, branched by what the caller can do about it.

::

    NadiError
    ├── CallError                    fix the call
    │   ├── ParameterError           ├─ ParameterBindError (TypeError), ParameterTypeError (ValueError)
    │   ├── MappingError             ├─ MappingLengthMismatch, MappingMissingIterable (ValueError)
    │   ├── DefinitionError          ├─ a flow or task was declared with what cannot work (ValueError)
    │   ├── ValueRefused             ├─ an artifact, metric or variable was given what cannot be recorded (ValueError)
    │   ├── Unhashable               ├─ an argument cannot be part of a cache key (TypeError)
    │   ├── SettingError             ├─ a setting has a value that cannot be used (ValueError)
    │   ├── LoadError                ├─ user code could not be loaded; FlowNotFound (LookupError)
    │   ├── RequestRefused           ├─ a server cannot take a request as it stands (ValueError)
    │   ├── NotFound                 ├─ there is no such thing: a variable, an artifact, a limit (LookupError)
    │   ├── TransactionError         ├─ a transaction was used in a way that cannot work (ValueError)
    │   ├── UserNotFound             ├─ no such user of a server (LookupError); KeyNotFound: no such API key
    │   └── ContextError             └─ something was used outside the flow or task it needs (RuntimeError)
    ├── RunError                     about one run
    │   ├── RunNotFound              ├─ no such run (LookupError); AmbiguousRun
    │   ├── RunTaken                 ├─ another process has the run; RunLost
    │   ├── RunAlreadyFinished       ├─ a finished run was asked to change
    │   ├── NotResumable             ├─ this run cannot be continued here
    │   ├── UnfinishedRun            ├─ a result was asked of a run that has none yet; SuspendedRun
    │   ├── InputRefused             ├─ a run was given an answer that it does not take (ValueError)
    │   ├── MissingResult            ├─ the run has a result that is not kept (LookupError)
    │   ├── FailedRun                ├─ the run failed
    │   ├── CancelledRun             ├─ the run was cancelled
    │   ├── CrashedRun               ├─ the run's process or worker died
    │   ├── TimedOut                 ├─ the run took longer than allowed (TimeoutError)
    │   └── UpstreamFailed           └─ a task did not run because what it waits for failed
    ├── StoreError                   ask an operator, or try again
    │   ├── StoreUnavailable         ├─ cannot be reached or is locked: try again
    │   ├── StoreReadOnly            ├─ it can be read but not written
    │   └── StoreTooNew              └─ made by a newer Nadi: upgrade this one
    ├── AccessError                  a server does not let this caller do this
    │   ├── NotAuthenticated         ├─ it does not know who asks: log in, or give a key
    │   ├── NotAllowed               ├─ it knows who asks, and they may not (PermissionError)
    │   └── TooManyTries             └─ somebody tried to log in too often: wait
    ├── CannotServe                  a server cannot start: its port, address or certificate
    ├── ConcurrencySlotAcquisitionError  a slot of a limit was not to be had
    │   ├── AcquireConcurrencySlotTimeoutError  not within the time allowed (TimeoutError)
    │   └── ConcurrencyLeaseLost         it was held, and is somebody else's by now
    └── NotKept                      a value cannot be stored; its task runs again on resume

Errors take plain values and write their own sentence: what was wrong, where, what was
expected and what to do. They pickle by those values, so they cross process borders.
"""

from __future__ import annotations

from typing import Any


class NadiError(Exception):
    """The root of every error that Nadi raises on its own account."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors are built from keyword values but must survive pickling to another process,
        # where calling __init__ again with the finished sentence would fail.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(kind: type[NadiError], args: tuple[Any, ...], state: dict[str, Any]) -> NadiError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


# -- fix the call ---------------------------------------------------------------------------


class CallError(NadiError):
    """Something was called in a way that cannot work; the call has to change."""


class ParameterError(CallError):
    """A flow or task was given arguments that it cannot take."""


class ParameterBindError(ParameterError, TypeError):
    """Arguments do not fit the signature: one is missing, unknown or given twice."""


class ParameterTypeError(ParameterError, ValueError):
    """An argument does not have, and cannot be converted to, the annotated type."""


class MappingError(CallError):
    """`.map` was called with arguments that it cannot zip."""


class MappingLengthMismatch(MappingError, ValueError):
    """The iterables given to `.map` have different lengths."""

    def __init__(self, task: str, lengths: dict[str, int]) -> None:
        told = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
        super().__init__(
            f"{task}.map() pairs its iterables item by item, so all need the same length, but {told}."
            " Wrap what should be passed whole in unmapped()."
        )
        self.task, self.lengths = task, lengths


class MappingMissingIterable(MappingError, ValueError):
    """No argument given to `.map` can be iterated."""

    def __init__(self, task: str, given: dict[str, str]) -> None:
        told = ", ".join(f"{name!r} is {kind}" for name, kind in given.items()) or "no argument was given"
        super().__init__(
            f"{task}.map() needs at least one iterable argument to map over, but {told}."
            " Strings, bytes and dicts are passed whole, not iterated; to run once, use submit()."
        )
        self.task, self.given = task, given


class DefinitionError(CallError, ValueError):
    """A flow or task was declared in a way that cannot work."""


class ValueRefused(CallError, ValueError):
    """An artifact, event, asset, metric or variable was given a value that cannot be recorded."""


class Unhashable(CallError, TypeError):
    """An argument of a task cannot be part of a cache key, so this call is not cached."""

    def __init__(self, task: str, argument: str, *, place: str, why: str, of_flow: bool = False) -> None:
        subject = f"Flow parameter {argument!r}" if of_flow else f"Argument {argument!r} of task {task!r}"
        advice = "Cache by something else than FLOW_PARAMETERS" if of_flow else f"Leave it out: `- {argument!r}`"
        super().__init__(
            f"{subject} cannot be part of a cache key: {argument}{place} is {why}."
            f" {advice} in the cache_policy of task {task!r}, or give it a cache_key_fn."
        )
        self.task, self.argument, self.place, self.why = task, argument, place, why


class SettingError(CallError, ValueError):
    """A setting or environment variable has a value that cannot be used."""


class LoadError(CallError):
    """User code could not be loaded; the message says which file and line."""


class FlowNotFound(LoadError, LookupError):
    """The file or module was loaded but holds no such flow."""


class TransactionError(CallError, ValueError):
    """A transaction was used in a way that cannot work."""


class RequestRefused(CallError, ValueError):
    """A server does not take a request as it stands: its path, method, headers or body have to change."""

    def __init__(self, sentence: str, *, status: int = 422) -> None:
        super().__init__(sentence)
        #: HTTP status that says so.
        self.status = status


class UserNotFound(CallError, LookupError):
    """No user has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no user {name!r}. `nadi users ls` lists them.")
        self.name = name


class KeyNotFound(CallError, LookupError):
    """No API key has this id."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"There is no API key {wanted!r}. `nadi keys ls` lists them.")
        self.wanted = wanted


class NotFound(CallError, LookupError):
    """There is no such thing in the store: a task run, variable, artifact, asset, limit; the message says what."""


class ContextError(CallError, RuntimeError):
    """Something was used outside the flow or task that it needs around it."""


# -- about one run --------------------------------------------------------------------------


class RunError(NadiError):
    """Something about one particular run."""


class RunNotFound(RunError, LookupError):
    """No run has this id, id prefix or name."""

    def __init__(self, wanted: str, *, where: str) -> None:
        super().__init__(f"No run matches {wanted!r} in {where}. `nadi runs` lists the runs.")
        self.wanted, self.where = wanted, where


class AmbiguousRun(RunError, LookupError):
    """Several runs match; the message lists them."""

    def __init__(self, wanted: str, matches: list[str]) -> None:
        more = " and others" if len(matches) > 6 else ""
        super().__init__(f"{wanted!r} matches several runs: {', '.join(matches[:6])}{more}. Give more of the id.")
        self.wanted, self.matches = wanted, matches


class RunTaken(RunError):
    """Another process holds the run, or took it over."""

    def __init__(self, run_id: str, *, holder: str) -> None:
        super().__init__(
            f"Run {run_id} belongs to {holder}; this process may not change it."
            " Wait for it to end, or cancel it with `nadi cancel`."
        )
        self.run_id, self.holder = run_id, holder


class RunLost(RunTaken):
    """This process was silent for a whole lease, so that others took it for gone, and its runs with it."""

    def __init__(self, run_id: str, *, holder: str) -> None:
        RunError.__init__(
            self,
            f"Run {run_id} was given up: nothing was heard of its {holder} for a whole lease, so it counts as crashed."
            f" `nadi resume {run_id}` goes on with it.",
        )
        self.run_id, self.holder = run_id, holder


class RunAlreadyFinished(RunError):
    """A finished run was asked to change state."""

    def __init__(self, run_id: str, *, state: str, proposed: str) -> None:
        advice = "" if proposed == "Cancelled" else " Start another run instead."
        super().__init__(f"Run {run_id} finished as {state} and cannot become {proposed}.{advice}")
        self.run_id, self.state, self.proposed = run_id, state, proposed


class NotResumable(RunError):
    """This run cannot be continued here; the message says why and what would serve."""


class UnfinishedRun(RunError):
    """A result was asked of a run that has not finished."""


class SuspendedRun(UnfinishedRun):
    """A run was put aside and goes on when somebody resumes it; the message says how.

    A script that it ends has done its part: its sentence is printed, and the exit status is 0.
    """

    #: Options of `nadi resume` that answer what it asks.
    given = ""


class InputRefused(RunError, ValueError):
    """A run was given an input that it does not take, or asked for none; the message says which. It stays as it was."""


class MissingResult(RunError, LookupError):
    """The run finished, but its value is not kept anywhere that can be read now."""


class FailedRun(RunError):
    """A run failed and there is no exception object to raise in its place."""


class CancelledRun(RunError):
    """A run was cancelled."""


class CrashedRun(RunError):
    """A run's process, worker or child process died before it could finish."""


class TimedOut(RunError, TimeoutError):
    """A run took longer than its `timeout_seconds`."""


class UpstreamFailed(RunError):
    """A task did not run because something it waits for did not complete."""

    def __init__(self, task: str, upstream: str, *, state: str, reason: str = "") -> None:
        because = f": {reason.rstrip('.')}" if reason else ""
        super().__init__(
            f"{task} did not run because its upstream {upstream} ended {state}{because}."
            " Wrap the argument in allow_failure() to receive the exception instead."
        )
        self.task, self.upstream, self.state, self.reason = task, upstream, state, reason


# -- ask an operator, or try again ----------------------------------------------------------


class StoreError(NadiError):
    """The store could not do what was asked."""


class StoreUnavailable(StoreError, ConnectionError):
    """The store cannot be reached, is locked, or has no room; nothing was changed."""


class StoreReadOnly(StoreUnavailable):
    """The store can be read but not written."""


class StoreTooNew(StoreError):
    """The store was made by a newer Nadi, which this one must not write to."""


class NotKept(NadiError):
    """A value cannot be stored, so the task that made it runs again on resume."""


# -- access to a server -----------------------------------------------------------------------


class AccessError(NadiError):
    """A server does not let the caller do what was asked."""


class CannotServe(NadiError):
    """A server cannot start here: its port, address or certificate cannot be used; the message says why."""


class NotAuthenticated(AccessError):
    """The server does not know who asks: there is no key or session, or it is not valid any more."""

    def __init__(self, why: str = "") -> None:
        super().__init__(
            (why or "This needs a login or an API key: send `Authorization: Bearer KEY`.")
            + " `nadi keys add` makes a key; `nadi server` prints a login link when it starts."
        )
        self.why = why


class NotAllowed(AccessError, PermissionError):
    """The server knows who asks, and they may not do this; the message says what it would need."""


class TooManyTries(AccessError):
    """Somebody tried to log in too often."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"There were too many tries to log in. Wait {max(1, round(wait))} seconds, then try again.")
        self.wait = wait


# -- limits ---------------------------------------------------------------------------------


class ConcurrencySlotAcquisitionError(NadiError):
    """A slot of a concurrency limit or rate limit was not to be had: the message says of which, and why."""


class AcquireConcurrencySlotTimeoutError(ConcurrencySlotAcquisitionError, TimeoutError):
    """No slot became free within the time that was allowed for waiting."""


class ConcurrencyLeaseLost(ConcurrencySlotAcquisitionError):
    """A slot that was held went to somebody else: this process was silent for a whole lease."""
