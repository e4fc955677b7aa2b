"""Root runs: beginning one, taking one up again, and seeing it to its end."""

from __future__ import annotations

import functools
import logging
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NoReturn

import msgspec

from nadi.engine.decisions import goes_on_as
from nadi.engine.flow_runs import FlowRun, suspend_at_next_call
from nadi.engine.history import History
from nadi.engine.interrupts import (
    CancelAsked,
    Terminated,
    in_main_thread,
    interrupted_loop,
    takes_cancel_by_signal,
    termination_as_exception,
)
from nadi.engine.launched import check_loadable
from nadi.engine.logs import turn_prints_into_logs
from nadi.engine.provenance import complete_source, describe_source
from nadi.engine.recording import clock, recorder
from nadi.engine.reruns import calls_meant, calls_to_rerun, what_was_given
from nadi.engine.session import Session, provenance
from nadi.engine.uncaught import remember_interrupted, show_without_our_frames
from nadi.exceptions import CancelledRun, CrashedRun, MissingResult, NotResumable, RunAlreadyFinished, RunTaken
from nadi.executors.naming import executor_for
from nadi.model import names
from nadi.model.holders import Holder
from nadi.model.records import FlowRunSource
from nadi.model.runs import Attempt, Claim
from nadi.model.runs import FlowRun as FlowRunRecord
from nadi.model.secrets import Secret, mask_value
from nadi.model.sources import RunSource
from nadi.model.specs import FlowSpec, Spec
from nadi.model.states import StateType
from nadi.model.work import CrashPolicy
from nadi.storage.claiming import is_awaiting_resume, is_free, is_unclaimed
from nadi.storage.contract import Store
from nadi.storage.recorder import Recorder

_log = logging.getLogger("nadi.runs")

#: Seconds that the end of a run waits for what is found out about its code beside it.
SOURCE_PATIENCE = 0.5


def run_name(spec: Spec) -> str:
    """Return a made-up display name for a run."""
    return names.run_name(clock.random)


def new_root(spec: FlowSpec, bound: dict[str, Any], *, executor: Any = None) -> FlowRun:
    """Make a root run of a flow, not begun yet."""
    turn_prints_into_logs()
    show_without_our_frames()
    into = recorder()
    root = clock.new_id()
    session = Session(into, clock, root=root, token=1, attempt=1)
    run = _root_run(spec, session, bound, executor)
    run.name = run_name(spec)
    run.take_id(root)
    return run


def _root_run(spec: FlowSpec, session: Session, bound: dict[str, Any], executor: Any) -> FlowRun:
    wanted = executor if executor is not None else spec.executor
    chosen = executor_for(wanted, session.executors) if wanted is not None else None
    return FlowRun(spec, session, None, bound, executor=chosen, name="")


def resumed_root(
    spec: FlowSpec, record: FlowRunRecord, *, parameters: dict[str, Any] | None = None, again_from: str = ""
) -> FlowRun:
    """Claim a root run that ended without completing, and make the run of its next attempt, not begun yet.

    Args:
        spec: The flow, as it is now.
        record: The run as the store has it.
        parameters: Parameters in place of the recorded ones.
        again_from: A task, or task run, from which everything runs again; "" for none.

    Raises:
        NotResumable: its parameters were not kept.
        CallError: it has no such task, or was asked for with parameters that the flow cannot take.
        RunTaken: somebody else has it, or was faster.
        RunAlreadyFinished: it is COMPLETED.
    """
    if not is_free(record):
        # The claim below would succeed: the store cannot know who lives. Who looked for left-over journals
        # first, as every caller does, has already ended the attempts of processes that are known to be dead.
        raise RunTaken(record.id, holder=str(Holder.decode(record.holder)))
    turn_prints_into_logs()
    into = recorder()
    bound = parameters if parameters is not None else recorded_arguments(record, into)
    # What was asked for by name is bound as by a call, where a name that the flow does not know is an error. Who asked
    # for a background run has bound it.
    by_name = is_unclaimed(record) and not record.function
    bound = spec.parameters.bind_named(bound) if by_name else _complete(spec, record, bound)
    store = into.store()
    asked = _asked_again(record, again_from, into) if again_from else {}
    claim = store.claim(record.id, holder=into.holder.encode(), now=clock.now(), expected_token=record.token)
    if claim.was is not record.state_type:
        _give_back(store, record, claim)
    _check_loadable(store, record, claim)
    crashed = is_awaiting_resume(record)
    was = StateType.CRASHED if crashed else goes_on_as(claim.was)
    work = store.work.work([record.id]).get(record.id)
    anew = crashed and work is not None and work.crash_policy is CrashPolicy.RESTART
    is_first = is_unclaimed(record)  # then there is nothing to read
    history = History(
        () if anew or is_first else store.recorded_calls(record.id),
        was=was,
        fetch=into.fetch,
        crashed_since=0 if is_first else _crashed_since(store.attempts(record.id), claim.token),
        entered_again=record.id if record.run_count > 1 and not anew else "",
        asked=asked,
    )
    session = Session(into, clock, root=record.id, token=claim.token, attempt=claim.attempt, history=history)
    session.work = work
    session.was_put_aside = claim.was is StateType.PAUSED
    session.is_first = is_first
    run = _root_run(spec, session, bound, None)
    run.name, run.named = record.name, True
    # What it was started with stays, beside what the flow says of itself now.
    run.tags |= frozenset(record.tags)
    run.take_id(record.id)
    run.attempt = claim.attempt
    if was is StateType.CRASHED and not anew:
        run.entered_before(record)
    return run


def _give_back(store: Store, record: FlowRunRecord, claim: Claim) -> NoReturn:
    """Let a run be that was cancelled, which no token tells, between the look at it and its claim."""
    why = f"It was {claim.was} before this attempt could begin."
    store.end_attempt(record.id, token=claim.token, state=claim.was, name="", message=why, now=clock.now())
    raise RunAlreadyFinished(record.name, state=claim.was, proposed="RUNNING")


def _check_loadable(store: Store, record: FlowRunRecord, claim: Claim) -> None:
    """Let a run be that somebody recorded from afar before this claim, since which nobody else has a say in it."""
    try:
        check_loadable(store, record)
    except NotResumable as error:
        store.end_attempt(
            record.id, token=claim.token, state=StateType.CRASHED, name="", message=str(error), now=clock.now()
        )
        raise


def _asked_again(record: FlowRunRecord, again_from: str, into: Recorder) -> dict[str, str]:
    if record.state_type is StateType.COMPLETED:
        raise RunAlreadyFinished(record.name, state=record.state_name, proposed="RUNNING again")
    records = list(into.store().recorded_calls(record.id))
    check_loadable(into.store(), record)
    origins = calls_meant(records, again_from, run=record)
    given = what_was_given(into.fetch, lambda one: provenance(one.id, one.token))
    return calls_to_rerun(records, origins, given=given)


def _crashed_since(attempts: Sequence[Attempt], token: int) -> int:
    """Return the first token of the attempts that crashed one after the other before the claim of `token`.

    An attempt that was suspended has several tokens, and bears the last of them.
    """
    for attempt in reversed(attempts):
        if attempt.token < token and attempt.state_type is not StateType.CRASHED:
            return attempt.token + 1
    return 0


def _complete(spec: FlowSpec, record: FlowRunRecord, bound: dict[str, Any]) -> dict[str, Any]:
    """Add the defaults of what was not recorded: secrets, and what the flow did not take then.

    Raises:
        NotResumable: something has no default.
    """
    complete = {**spec.parameters.defaults, **bound}
    missing = [name for name in spec.parameters.names if name not in complete]
    if not missing:
        return complete
    raise NotResumable(
        f"Run {record.name} cannot be resumed without {' and '.join(missing)}: what it was given is not recorded,"
        " as secrets never are, or the flow did not take it then."
        f" Give it again: nadi.resume(run, parameters={{{', '.join(f'{name!r}: ...' for name in missing)}}}),"
        f" or {_command(record)}{''.join(f' -p {name}=...' for name in missing)}."
    )


def _command(record: FlowRunRecord) -> str:
    return f"nadi resume {names.told_for_shell(record.name, record.id)}"


def recorded_arguments(record: FlowRunRecord, into: Recorder) -> dict[str, Any]:
    """Return the parameters that a run was started with.

    Raises:
        NotResumable: they were not kept.
    """
    ref = record.arguments
    note = ref.note if ref is not None and ref.note else "they were not recorded"
    if ref is not None and ref.kind != "not_kept":
        try:
            return dict(into.fetch(ref))
        except MissingResult as error:
            note = str(error)
    raise NotResumable(
        f"Run {record.name} cannot be resumed with the parameters it had: {note}"
        f" Give them again: nadi.resume(run, parameters={{...}}), or {_command(record)} -p name=value."
    )


@contextmanager
def in_root(run: FlowRun) -> Iterator[None]:
    """Begin a root run, and see to its requests, interruptions and end while the body drives it."""
    background = _begin(run)
    session = run.session
    if in_main_thread():
        main = threading.main_thread().ident
        assert main is not None
        if takes_cancel_by_signal():
            session.interrupt_flow = lambda: signal.pthread_kill(main, signal.SIGINT)
    try:
        with termination_as_exception(lambda: session.stopped is not None):
            yield
    except CancelAsked:
        # It only interrupted the flow's thread; what the caller wants to know is why.
        raise session.stopped or CancelledRun(f"Flow run {run.name} was cancelled.") from None
    except Terminated:
        # What a program that is asked to end answers: 128 + 15, as a shell would say it.
        raise SystemExit(143) from None
    except KeyboardInterrupt:
        remember_interrupted(run.name, run.id)
        raise
    finally:
        _end(run, background)


@asynccontextmanager
async def in_root_async(run: FlowRun) -> AsyncIterator[None]:
    """The same for a root run on an event loop, which has its own way with signals."""
    background = _begin(run)
    try:
        with _stopped_by_termination(run.session):
            yield
    finally:
        if interrupted_loop() and not (run.state is not None and run.state.is_completed()):
            remember_interrupted(run.name, run.id)
        _end(run, background)


@contextmanager
def _stopped_by_termination(session: Session) -> Iterator[None]:
    """While the body runs on the main thread's loop, SIGTERM stops the run as crashed and ends the process with 143."""
    if not in_main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    # Loaded already where a loop runs.
    import asyncio

    loop = asyncio.get_running_loop()
    reason = CrashedRun("The process was asked to end (SIGTERM).")
    try:
        loop.add_signal_handler(signal.SIGTERM, session.stop, reason)
    except (NotImplementedError, ValueError, RuntimeError):  # not every loop takes signals
        yield
        return
    try:
        yield
    except asyncio.CancelledError:
        if session.stopped is not reason:
            raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
    if session.stopped is reason:
        raise SystemExit(143)


def _begin(run: FlowRun) -> threading.Thread | None:
    session = run.session
    flow = run.spec.face if run.spec.face is not None else run.spec.fn
    source = describe_source(flow, with_commit=session.recorder.wants_source)
    # Without the secrets, which no store gets: a resume asks for them by name.
    bound = {name: value for name, value in (run.bound or {}).items() if not isinstance(value, Secret)}
    # A suspended run goes on in its attempt, whose parameters are kept already; other ones get a key of their own.
    key = "arguments" if session.token == session.attempt else f"arguments-{session.token}"
    arguments = session.keep(bound, run=key, spec_format="pickle", wanted=True)
    run.begin(arguments=arguments, source=_encoded(source))
    told = "began" if session.history is None or session.is_first else f"goes on (attempt {run.attempt})"
    run.log(logging.INFO, "Flow %s %s.", run.spec.name, told)
    session.on_suspend = functools.partial(suspend_at_next_call, run)
    session.recorder.watch(run.id, session.token, session.on_request)
    if not session.recorder.wants_source:
        return None
    thread = threading.Thread(target=_complete_source, args=(run, source), name="nadi-source", daemon=True)
    thread.start()
    return thread


def _complete_source(run: FlowRun, source: RunSource) -> None:
    try:
        full = complete_source(source)
    except Exception as error:  # only information about the run; it must not cost it anything
        _log.debug("The source of run %s could not be described: %s", run.name, error)
        return
    session = run.session
    if not run.done or session.recorder.holder.pid:
        session.append(FlowRunSource(session.root, session.token, session.now(), run.id, _encoded(full)))


def _encoded(source: RunSource) -> bytes:
    # The command line and the text of the script may hold secrets.
    return msgspec.json.encode(mask_value(msgspec.to_builtins(source)))


def _end(run: FlowRun, background: threading.Thread | None) -> None:
    session = run.session
    if background is not None:
        background.join(timeout=SOURCE_PATIENCE)
    session.recorder.unwatch(run.id)
    session.leave_executors()
    if run.state is not None and run.state.is_completed():
        run.log(logging.INFO, "Completed.")  # before the barrier, or it would need a transaction of its own
    session.recorder.barrier(timeout=None)
