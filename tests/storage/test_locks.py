from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from nadi.storage.locks import FileLock

CHECKOUT = Path(__file__).parents[2]

HOLD = """
import pathlib, sys
from nadi.storage.locks import FileLock
lock = FileLock(pathlib.Path(sys.argv[1]))
assert lock.try_acquire()
print("held", flush=True)
sys.stdin.read()
"""


def holder_of(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        stream.close()
    process.wait(10)


def test_of_two_that_try_one_gets_the_lock(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")

    assert first.try_acquire()
    assert not second.try_acquire()
    assert (first.held, second.held) == (True, False)


def test_a_released_lock_is_free_and_releasing_twice_is_fine(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    first.try_acquire()

    first.release()
    first.release()

    assert second.try_acquire()


def test_a_lock_is_gone_with_the_process_that_held_it_whatever_killed_it(tmp_path: Path) -> None:
    process = holder_of(tmp_path / "lock")
    lock = FileLock(tmp_path / "lock")
    while_it_lived = lock.try_acquire()

    process.send_signal(signal.SIGKILL)
    process.wait(10)

    assert not while_it_lived
    assert lock.try_acquire()
    end(process)


def test_a_forked_child_does_not_keep_its_parents_lock_alive_or_free_it(tmp_path: Path) -> None:
    lock, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    lock.try_acquire()
    ready, go_on = os.pipe(), os.pipe()

    child = os.fork()
    if child == 0:
        lock.forget_in_child()
        os.write(ready[1], b"x")
        os.read(go_on[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    while_held = other.try_acquire()
    lock.release()
    after_release = other.try_acquire()
    os.write(go_on[1], b"x")
    os.waitpid(child, 0)

    assert not while_held
    assert after_release


def test_a_released_lock_is_free_although_a_child_has_a_copy_that_nobody_knows_of(tmp_path: Path) -> None:
    lock, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    lock.try_acquire()
    ready, go_on = os.pipe(), os.pipe()

    child = os.fork()
    if child == 0:
        os.write(ready[1], b"x")
        os.read(go_on[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    lock.release()
    free = other.try_acquire()
    os.write(go_on[1], b"x")
    os.waitpid(child, 0)

    assert free


def test_waiting_for_a_lock_ends_when_it_is_released(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    first.try_acquire()
    threading.Timer(0.05, first.release).start()

    assert second.acquire(10.0)


def test_who_waits_again_and_again_for_a_lock_has_one_thread_waiting(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    first.try_acquire()
    before = threading.active_count()

    in_time = [second.acquire(0.005) for _ in range(20)]
    waiting = threading.active_count() - before
    threading.Timer(0.05, first.release).start()

    assert not any(in_time)
    assert waiting == 1
    assert second.acquire(10.0)


def test_waiting_for_a_lock_ends_with_its_patience_and_takes_it_not_later(tmp_path: Path) -> None:
    first, second, third = (FileLock(tmp_path / "lock") for _ in range(3))
    first.try_acquire()

    in_time = second.acquire(0.05)
    first.release()

    assert not in_time
    assert third.acquire(10.0)
    assert not second.held
