"""Key locks: who has a key, who is next, and what the dead leave behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nadi.engine.key_locks import Claim, KeyLocks
from nadi.storage.locks import FileLock
from tests.journeys.places import CHECKOUT, until


@pytest.fixture(params=["in files", "in this process"])
def locks(request: pytest.FixtureRequest, tmp_path: Path) -> KeyLocks:
    return KeyLocks(tmp_path if request.param == "in files" else None)


def asked(locks: KeyLocks, key: str, *held: Claim) -> Claim:
    claim = locks.ask(key, held=frozenset(one.name for one in held))
    assert claim is not None
    return claim


def test_a_free_key_is_granted_at_once(locks: KeyLocks) -> None:
    claim = asked(locks, "k")

    assert claim.granted


def test_those_who_wait_get_the_key_in_the_order_in_which_they_asked(locks: KeyLocks) -> None:
    holder, second, third = (asked(locks, "k") for _ in range(3))
    got: list[str] = []
    second.when_granted(lambda: got.append("second"))
    third.when_granted(lambda: got.append("third"))

    assert (holder.granted, second.granted, third.granted) == (True, False, False)
    holder.release()
    until(lambda: second.granted)
    assert not third.granted
    second.release()
    until(lambda: third.granted)

    assert got == ["second", "third"]


def test_who_leaves_the_queue_is_passed_over(locks: KeyLocks) -> None:
    holder, second, third = (asked(locks, "k") for _ in range(3))

    second.release()
    holder.release()
    third.wait()

    assert third.granted
    assert not second.granted


def test_releasing_twice_frees_nobody_elses_lock(locks: KeyLocks) -> None:
    first = asked(locks, "k")
    second = asked(locks, "k")
    first.release()
    second.wait()

    first.release()

    assert not asked(locks, "k").granted


def test_other_keys_are_other_locks(locks: KeyLocks) -> None:
    asked(locks, "k")

    assert asked(locks, "l").granted


def test_two_of_one_folder_exclude_each_other_and_leave_no_file(tmp_path: Path) -> None:
    one, other = KeyLocks(tmp_path), KeyLocks(tmp_path)
    holder = asked(one, "k")
    waiter = asked(other, "k")

    assert not waiter.granted
    holder.release()
    waiter.wait()
    waiter.release()

    assert list(tmp_path.iterdir()) == []


def test_many_threads_of_two_processes_worth_of_locks_are_one_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(locks: KeyLocks) -> None:
        for _ in range(10):
            claim = asked(locks, "k")
            claim.wait()
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            claim.release()

    both = [KeyLocks(tmp_path), KeyLocks(tmp_path)]
    threads = [threading.Thread(target=work, args=(both[number % 2],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(most) == 80
    assert set(most) == {1}
    assert list(tmp_path.iterdir()) == []


def test_who_holds_a_key_does_not_wait_for_it(locks: KeyLocks) -> None:
    holder = asked(locks, "k")

    assert locks.ask("k", held=frozenset({holder.name})) is None


def test_a_circle_is_told_to_the_one_who_would_close_it(tmp_path: Path) -> None:
    one, two, three = KeyLocks(tmp_path), KeyLocks(tmp_path), KeyLocks(tmp_path)
    a, b, c = asked(one, "a"), asked(two, "b"), asked(three, "c")

    first = asked(one, "b", a)
    second = asked(two, "c", b)
    third = three.ask("a", held=frozenset({c.name}))

    assert third is None
    c.release()
    second.wait()
    assert not first.granted


def test_a_circle_through_what_somebody_keeps_for_another_is_seen_in_either_order(tmp_path: Path) -> None:
    one, other = KeyLocks(tmp_path), KeyLocks(tmp_path)
    x, y = asked(other, "x"), asked(one, "y")
    waiting = one.ask("x", held=frozenset({"whom"}))
    assert waiting is not None

    assert y.keep("whom")
    assert other.ask("y", held=frozenset({x.name})) is None

    y.release()
    y = asked(one, "y")
    late = asked(other, "y", x)
    assert not y.keep("whom")

    for claim in (y, late, x, waiting):
        claim.release()
    until(lambda: not list(tmp_path.iterdir()))


def test_waiting_for_one_who_waits_for_somebody_else_is_no_circle(tmp_path: Path) -> None:
    one, two = KeyLocks(tmp_path), KeyLocks(tmp_path)
    a, b, _ = asked(one, "a"), asked(two, "b"), asked(one, "c")

    waits = asked(two, "c", b)
    also = asked(one, "b", a)

    assert not waits.granted
    assert not also.granted


def test_what_a_dead_process_was_waiting_for_makes_no_circle(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from nadi.engine.key_locks import KeyLocks\n"
        "locks = KeyLocks(Path(sys.argv[1])); held = locks.ask('b')\n"
        "locks.ask('a', held=frozenset({held.name})); print('waits', flush=True); time.sleep(60)"
    )
    locks = KeyLocks(tmp_path)
    a = asked(locks, "a")
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"

    in_a_circle = locks.ask("b", held=frozenset({a.name}))
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    alone = locks.ask("b", held=frozenset({a.name}))

    assert in_a_circle is None
    assert alone is not None
    assert alone.granted


def test_a_folder_that_cannot_be_used_leaves_the_locks_of_this_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    locks = KeyLocks(tmp_path / "missing")

    first, second = asked(locks, "k"), asked(locks, "k")

    assert first.granted
    assert not second.granted
    assert "other processes may compute what this one is computing" in caplog.text


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_neither_waits_for_a_key_nor_frees_one(tmp_path: Path) -> None:
    locks = KeyLocks(tmp_path)
    held = asked(locks, "k")

    child = os.fork()
    if child == 0:
        held.release()
        os._exit(0 if locks.ask("k") is None else 1)
    _, status = os.waitpid(child, 0)

    assert status == 0
    assert not asked(KeyLocks(tmp_path), "k").granted
    held.release()


def test_where_no_thread_can_be_started_a_key_is_granted_without_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = asked(KeyLocks(tmp_path), "k")
    locks = KeyLocks(tmp_path)

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)

    assert asked(locks, "k").granted
    holder.release()


def test_a_lock_whose_file_was_removed_is_not_in_place(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.try_acquire()
    was_in_place = first.is_in_place

    (tmp_path / "lock").unlink()
    second.wait()

    assert was_in_place
    assert not first.is_in_place
    assert second.is_in_place
    second.remove()
    assert not (tmp_path / "lock").exists()
    first.release()


WORKER = """
import os, random, sys
from pathlib import Path
from nadi.engine.key_locks import KeyLocks

locks, chance = KeyLocks(Path(sys.argv[1])), random.Random(int(sys.argv[3]))
ledger = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)

def tell(what, key):
    os.write(ledger, f"{what} {key} {os.getpid()}\\n".encode())

def inside(keys, held):
    if not keys:
        return
    claim = locks.ask(keys[0], held=frozenset(one.name for one in held))
    if claim is None:
        return
    claim.wait()
    tell("in", keys[0])
    inside(keys[1:], [*held, claim])
    tell("out", keys[0])
    claim.release()

print("begins", flush=True)
for _ in range(int(sys.argv[4])):
    inside(chance.sample("abc", chance.randint(1, 3)), [])
"""


def _rush(folder: Path, *, seed: int, rounds: int, kills: int) -> list[list[str]]:
    """Let processes take keys in any order while some of them are killed; returns what they told, in order."""
    chance = random.Random(seed)
    ledger = folder / "ledger"
    ledger.touch()
    (folder / "locks").mkdir()

    def start() -> subprocess.Popen[str]:
        arguments = [str(folder / "locks"), str(ledger), str(chance.random())[2:], str(rounds)]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "src")}
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        return process

    processes = [start() for _ in range(4)]
    for _ in range(kills):
        told = ledger.stat().st_size
        until(lambda told=told: ledger.stat().st_size > told or all(p.poll() is not None for p in processes))  # type: ignore[misc]
        victim = chance.randrange(len(processes))
        processes[victim].kill()
        processes[victim].communicate()
        processes[victim] = start()
    for process in processes:
        process.communicate(timeout=50)
        assert process.returncode == 0
    return [line.split() for line in ledger.read_text().splitlines()]


def _check_that_none_were_together(told: list[list[str]]) -> None:
    inside: dict[str, str] = {}
    last = {pid: number for number, (_, _, pid) in enumerate(told)}
    for number, (what, key, pid) in enumerate(told):
        other = inside.get(key, pid)
        # Who was killed inside says nothing more.
        assert other == pid or last[other] < number, (number, told[max(0, number - 5) : number + 5])
        if what == "in":
            inside[key] = pid
        else:
            del inside[key]


def test_processes_that_take_keys_in_any_order_and_are_killed_are_never_together(tmp_path: Path) -> None:
    told = _rush(tmp_path, seed=7, rounds=60, kills=3)

    assert len(told) > 200
    _check_that_none_were_together(told)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(6))
def test_processes_that_are_killed_again_and_again_are_never_together(tmp_path: Path, seed: int) -> None:
    told = _rush(tmp_path, seed=seed, rounds=400, kills=25)

    _check_that_none_were_together(told)
