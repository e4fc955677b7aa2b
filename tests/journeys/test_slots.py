"""Limits over processes: never more holders than slots, whoever is killed, and rates that all keep together."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.exceptions import StoreUnavailable
from nadi.model.limits import SlotClaim
from nadi.storage.sqlite import SqliteStore
from tests.journeys.places import Place, until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path) as made:
        yield made


def a_limit(place: Place, name: str, slots: int, decay: float = 0.0) -> SqliteStore:
    place.home.mkdir()
    store = place.store()
    store.limits.set_limit(name, slots=slots, decay=decay, now=time.time())
    return store


#: Each holder appends "+" when it is inside and "-" before it leaves: appends of one byte are never torn or mixed.
WORKER = """
    import os, sys, time
    from nadi.concurrency.sync import concurrency

    ledger = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for _ in range(int(sys.argv[1])):
        with concurrency("db"):
            os.write(ledger, b"+")
            time.sleep(0.002)
            os.write(ledger, b"-")
"""


def most_inside(ledger: str) -> int:
    inside = most = 0
    for mark in ledger:
        inside += 1 if mark == "+" else -1
        most = max(most, inside)
    return most


def ended(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        _, err = process.communicate(timeout=45)
        assert process.returncode == 0, err


@pytest.mark.parametrize(("processes", "times", "slots"), [(3, 8, 2), pytest.param(8, 40, 3, marks=pytest.mark.soak)])
def test_processes_together_never_hold_more_slots_than_there_are(
    place: Place, processes: int, times: int, slots: int
) -> None:
    store = a_limit(place, "db", slots)
    script = place.script(WORKER)

    ended([place.start(script, str(times)) for _ in range(processes)])

    ledger = place.ledger.read_text()
    assert ledger.count("+") == ledger.count("-") == processes * times
    assert most_inside(ledger) <= slots
    assert store.limits.claims() == []
    store.close()


HOLDER = """
    import sys, time
    from nadi import flow, task
    from nadi.concurrency.sync import concurrency

    @task
    def work():
        with concurrency("db"):
            print("inside", flush=True)
            time.sleep(float(sys.argv[1]))

    @flow
    def pipeline():
        work()

    pipeline()
"""


def test_a_holder_that_is_killed_frees_its_slot_at_once(place: Place) -> None:
    store = a_limit(place, "db", 1)
    script = place.script(HOLDER)
    holder = place.start(script, "60")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "inside\n"
    waiter = place.start(script, "0")
    until(lambda: [one.held for one in store.limits.claims()] == [True, False])

    holder.kill()
    killed = time.monotonic()
    assert waiter.stdout is not None
    assert waiter.stdout.readline() == "inside\n"

    assert time.monotonic() - killed < 3.0
    ended([waiter])
    holder.communicate()
    assert store.limits.claims() == []
    store.close()


def test_a_waiter_that_is_killed_does_not_block_the_line(place: Place) -> None:
    store = a_limit(place, "db", 1)
    script = place.script(HOLDER)
    holder = place.start(script, "60")
    assert holder.stdout is not None
    holder.stdout.readline()
    first = place.start(script, "0")
    until(lambda: len(store.limits.claims()) == 2)
    second = place.start(script, "0")
    until(lambda: len(store.limits.claims()) == 3)

    first.kill()
    first.communicate()
    holder.kill()
    holder.communicate()

    ended([second])
    store.close()


def test_a_killed_process_of_the_process_executor_frees_its_slot(place: Place) -> None:
    store = a_limit(place, "db", 1)
    script = place.script(
        """
        import os, signal
        from nadi import flow, task
        from nadi.concurrency.sync import concurrency

        @task(retries=1)
        def work():
            with concurrency("db"):
                if not os.path.exists("died"):
                    open("died", "w").close()
                    os.kill(os.getpid(), signal.SIGKILL)
                return "done"

        @flow(executor="process")
        def pipeline():
            return work.submit().result()

        print(pipeline())
        """
    )

    done = place.run(script)

    assert done.stdout == "done\n", done.stderr
    assert store.limits.claims() == []
    store.close()


def elsewhere(term: float) -> SlotClaim:
    """A claim of a process of another machine."""
    text = f"w|elsewhere|{os.getpid()}|1|another boot|pid:[1]"
    return SlotClaim(id="far", names=("db",), slots=1, holder=text, term=term, at=time.time())


def test_a_holder_elsewhere_is_given_up_only_after_a_term_of_silence_as_seen_from_here(place: Place) -> None:
    store = a_limit(place, "db", 1)
    store.limits.claim_slots(elsewhere(term=0.5), wait=True)
    script = place.script(HOLDER)

    waiter = place.start(script, "0")
    until(lambda: len(store.limits.claims()) == 2)
    began = time.monotonic()
    for _ in range(6):
        time.sleep(0.2)  # it lives for longer than a term, and renews
        store.limits.renew(["far"])
    there = [one.id for one in store.limits.claims() if one.held]
    renewed = time.monotonic()
    ended([waiter])

    assert there == ["far"]
    assert renewed - began > 1.0
    assert time.monotonic() - renewed > 0.4
    store.close()


def stand_still(place: Place, process: subprocess.Popen[str]) -> None:
    """Stop a process at a moment when it is not writing to the store, where everybody would have to wait for it."""
    store = SqliteStore(place.home / "nadi.db", patience=0.2)

    def stopped() -> bool:
        os.kill(process.pid, signal.SIGSTOP)
        # Until all of its threads stand still, one of them may begin to write.
        until(lambda: os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG) is not None)
        try:
            store.limits.renew([])
        except StoreUnavailable:
            os.kill(process.pid, signal.SIGCONT)
            return False
        return True

    until(stopped)
    store.close()


def test_a_process_that_stands_still_keeps_its_slot(place: Place) -> None:
    store = a_limit(place, "db", 1)
    script = place.script(HOLDER.replace('concurrency("db")', 'concurrency("db", lease_duration=0.3)'))
    holder = place.start(script, "2")
    assert holder.stdout is not None
    holder.stdout.readline()
    stand_still(place, holder)

    waiter = place.start(script, "0")
    until(lambda: len(store.limits.claims()) == 2)
    time.sleep(0.8)  # longer than its lease: whoever can see that it lives takes nothing from it
    held = [one.held for one in store.limits.claims()]
    os.kill(holder.pid, signal.SIGCONT)
    ended([holder, waiter])

    assert held == [True, False]
    store.close()


@pytest.mark.parametrize(("processes", "times"), [(2, 8), pytest.param(8, 25, marks=pytest.mark.soak)])
def test_processes_together_keep_one_rate(place: Place, processes: int, times: int) -> None:
    slots, decay = 3, 20.0
    store = a_limit(place, "api", slots, decay)
    script = place.script(
        """
        import os, sys, time
        from nadi.concurrency.sync import rate_limit

        ledger = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for _ in range(int(sys.argv[1])):
            rate_limit("api")
            os.write(ledger, f"{time.time()}\\n".encode())
        """
    )

    ended([place.start(script, str(times)) for _ in range(processes)])

    at = sorted(map(float, place.did()))
    count = processes * times
    assert len(at) == count
    # The turns are exact; a process may use its turn a little later than it comes, and so nearer to the next one.
    late = 0.25
    for first in range(count):
        for last in range(first, count):
            assert last - first + 1 <= slots + decay * (at[last] - at[first] + late)
    assert at[-1] - at[0] >= (count - slots) / decay - late
    store.close()
