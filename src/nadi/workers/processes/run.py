"""What the process of a run does: takes the run up, sees it through, and ends when its worker is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from typing import Any

import msgspec

from nadi.engine import recording
from nadi.engine.flow_lookup import is_flow
from nadi.engine.flow_runs import FlowRun
from nadi.engine.recording import clock, recorder
from nadi.engine.resuming import take_up
from nadi.engine.root_drive import drive_root
from nadi.exceptions import NadiError, NotResumable, ParameterError, RunAlreadyFinished, RunTaken, StoreError
from nadi.model.deployments import Resources
from nadi.model.runs import FlowRun as FlowRunRecord
from nadi.model.specs import FlowSpec
from nadi.model.states import StateType
from nadi.model.tracebacks import summarise
from nadi.model.work import WhenCutOff
from nadi.storage.claiming import is_free
from nadi.workers.endings import COMPLETED, ENDED, NO_STORE, NOT_OURS
from nadi.workers.processes.channel import Channel, Renewed, Run, RunClaimed, RunOver

#: Seconds that a run has to end once its worker is gone; then all its processes are killed.
LAST_WORDS = 10.0
#: Seconds of processor time from the first signal, which can be handled, to the one that cannot.
CPU_GRACE = 5


class Lifeline:
    """The connection to the worker: what it tells, and that it is there."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        #: When the worker last renewed the lease of this process; monotonic.
        self.renewed = time.monotonic()
        #: Whether the worker is gone.
        self.is_cut = False

    def watch(self) -> None:
        """Begin to listen, in a thread of its own."""
        threading.Thread(target=self._listen, name="nadi-worker", daemon=True).start()

    def tell(self, message: RunClaimed | RunOver) -> None:
        """Tell the worker; nothing happens where it is gone."""
        self._channel.send(message)

    def _listen(self) -> None:
        while True:
            message, _ = self._channel.receive()
            if message is None:
                break
            if isinstance(message, Renewed):
                self.renewed = message.at
        self.is_cut = True
        # As by whoever ends a program: what was told is flushed, and the run ends CRASHED, to be taken up elsewhere.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LAST_WORDS)
        end_group()


def end_group() -> None:
    """Kill all processes of this process group, this one included."""
    if os.getpgrp() == os.getpid():  # else it is the group of somebody else
        os.killpg(0, signal.SIGKILL)


def send_output_to(path: str) -> None:
    """Let what is printed from now on go to a file, at its end."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    # Or lines would lie in a buffer that is lost when the process is killed.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True)


def limit(resources: Resources) -> None:
    """Let this process, and each that it starts, have no more memory and processor time than it may."""
    import resource  # not on Windows, where no worker runs

    if resources.memory_bytes:
        # Memory that is written to, not addresses: libraries reserve many more of those than they use.
        _lower(resource.RLIMIT_DATA, resources.memory_bytes, 0)
    if resources.cpu_seconds:
        _lower(resource.RLIMIT_CPU, max(1, round(resources.cpu_seconds)), CPU_GRACE)


def _lower(which: int, wanted: int, more: int) -> None:
    import resource

    _, most = resource.getrlimit(which)
    hard = wanted + more if most == resource.RLIM_INFINITY else min(most, wanted + more)
    with contextlib.suppress(OSError, ValueError):  # macOS does not take all of them
        resource.setrlimit(which, (min(wanted, hard), hard))


def run_here(order: Run, flow: Any, lifeline: Lifeline) -> int:
    """Take a run up in this process and see it through; returns the exit status."""
    lifeline.watch()
    recording.supervised(lambda: lifeline.renewed)
    status = _run(order, _spec(flow, order.executor), lifeline)
    undelivered = recording.close()
    if undelivered:
        print(undelivered, file=sys.stderr)
    if status in (COMPLETED, ENDED):
        lifeline.tell(RunOver(is_delivered=not undelivered))
    return status


def _spec(flow: Any, executor: str) -> FlowSpec:
    spec = getattr(flow, "spec", None)
    if not is_flow(flow) or not isinstance(spec, FlowSpec):
        raise NotResumable(f"The entrypoint leads to {flow!r}, which is no flow.")
    return msgspec.structs.replace(spec, executor=executor) if executor else spec


def _run(order: Run, spec: FlowSpec, lifeline: Lifeline) -> int:
    try:
        run = _taken_up(order, spec)
    except (RunTaken, RunAlreadyFinished) as error:
        print(f"Not started: {error}", file=sys.stderr)
        return NOT_OURS
    except StoreError as error:
        print(f"Not started: {error}", file=sys.stderr)
        return NO_STORE
    if run is None:
        return ENDED
    run.session.stops_when_cut_off = order.when_cut_off is WhenCutOff.STOP
    lifeline.tell(RunClaimed(run.session.recorder.holder.encode(), run.session.token))
    drive_root(run)
    state = run.state
    return COMPLETED if state is not None and (state.is_completed() or state.is_paused()) else ENDED


def _taken_up(order: Run, spec: FlowSpec) -> FlowRun | None:
    """Claim the run; `None` where it has ended by that, as it cannot even begin.

    Raises:
        RunTaken, RunAlreadyFinished: it is not as the worker saw it.
        StoreError: the store does not answer.
    """
    store = recorder().store()
    record = store.flow_run(order.run)
    if record is None or record.token != order.token or not is_free(record) or record.is_final:
        raise RunTaken(order.run, holder=_who_has(record))
    try:
        return take_up(spec, record)
    except (RunTaken, RunAlreadyFinished, StoreError):
        raise
    except (NadiError, ParameterError, TypeError, ValueError) as error:
        # Its parameters do not fit, or were not kept: nobody else could run it either.
        _fail(record, error)
        return None


def _who_has(record: FlowRunRecord | None) -> str:
    return f"somebody else ({record.state_name})" if record is not None else "nobody any more: it was deleted"


def _fail(record: FlowRunRecord, error: Exception) -> None:
    told = summarise(error)
    print(told, file=sys.stderr)
    store = recorder().store()
    newest = store.flow_run(record.id)
    token = newest.token if newest is not None and newest.holder == recorder().holder.encode() else record.token
    store.end_attempt(record.id, token=token, state=StateType.FAILED, name="", message=told, now=clock.now())
