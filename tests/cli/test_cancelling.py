"""Cancelling: who is asked, who is ended, and who is never sent a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.engine.cancelling import Cancelled, How, cancel_run
from nadi.engine.clock import Clock
from nadi.exceptions import RunAlreadyFinished
from nadi.model.holders import Holder
from nadi.model.states import StateType
from nadi.storage.home import Home, process_start, this_holder
from nadi.storage.memory import MemoryStore
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="processes are told apart by /proc")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def somebody() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not end by itself."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def held_by(pid: int, *, started: int | None = None, **other: str) -> Holder:
    me = this_holder("somebody")
    fields = {"boot": me.boot, "namespace": me.namespace, "host": me.host} | other
    return Holder(writer="somebody", pid=pid, started=process_start(pid) if started is None else started, **fields)


def cancel(store: MemoryStore, home: Path, *, grace: float = 0.0) -> Cancelled:
    run = store.flow_run(an_id(1))
    assert run is not None
    return cancel_run(
        store,
        Home(home),
        run,
        by="mira",
        grace=grace,
        observer=this_holder("me"),
        clock=Clock(),
        pause=time.sleep,
    )


@needs_proc
def test_a_process_that_does_not_end_its_run_is_ended(
    store: MemoryStore, somebody: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    Writer(store).tell(flow_begun(an_id(1), holder=held_by(somebody.pid).encode()))

    done = cancel(store, tmp_path)

    assert (done.how, done.left, done.run.state_type) == (How.FORCED, [], StateType.CANCELLED)
    assert done.run.message.startswith("Cancelled by mira; its process had to be ended")
    assert somebody.wait() < 0


#: Starts a child whose own parent ends at once, so that it is nobody's child but still of the group.
ORPHANING = """
import os, sys, time
if os.fork() == 0:
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(600)
"""


@needs_proc
@pytest.mark.parametrize("leads_group", [True, False])
def test_the_whole_group_is_ended_only_where_the_process_leads_it(
    store: MemoryStore, tmp_path: Path, leads_group: bool
) -> None:
    command = [sys.executable, "-c", ORPHANING]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=leads_group)
    assert process.stdout is not None
    orphan = int(process.stdout.readline())
    born = process_start(orphan)
    Writer(store).tell(flow_begun(an_id(1), holder=held_by(process.pid).encode()))

    done = cancel(store, tmp_path)

    assert (done.how, done.left) == (How.FORCED, [])
    assert process.wait() < 0
    assert (process_start(orphan) == born) is not leads_group
    process.stdout.close()
    if not leads_group:
        os.kill(orphan, signal.SIGKILL)


@needs_proc
def test_a_process_that_got_the_pid_of_a_dead_one_is_left_alone(
    store: MemoryStore, somebody: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    reused = held_by(somebody.pid, started=process_start(somebody.pid) - 1)
    Writer(store).tell(flow_begun(an_id(1), holder=reused.encode()))

    done = cancel(store, tmp_path, grace=30)

    assert done.run.state_type is StateType.CANCELLED
    assert somebody.poll() is None


def test_a_process_of_another_machine_is_asked_and_left_alone(store: MemoryStore, tmp_path: Path) -> None:
    far = held_by(os.getpid(), started=1, boot="another boot", host="delta")
    Writer(store).tell(flow_begun(an_id(1), holder=far.encode()))

    done = cancel(store, tmp_path)

    assert done.how is How.OUT_OF_REACH
    assert "delta cannot be looked up from here" in done.left[0]
    assert [request.by for request in store.requests([an_id(1)])] == ["mira"]


def test_a_run_that_no_process_has_is_cancelled_at_once(store: MemoryStore, tmp_path: Path) -> None:
    Writer(store).tell(flow_begun(an_id(1), state=S.SCHEDULED, holder=""))

    done = cancel(store, tmp_path, grace=30)

    assert (done.how, done.run.state_type) == (How.UNCLAIMED, StateType.CANCELLED)
    assert done.run.message == "Cancelled by mira."


def test_a_finished_run_cannot_be_cancelled(store: MemoryStore, tmp_path: Path) -> None:
    Writer(store).tell(flow_begun(an_id(1)), flow_moved(an_id(1), S.COMPLETED))

    with pytest.raises(RunAlreadyFinished, match="quiet-river finished as Completed"):
        cancel(store, tmp_path)
