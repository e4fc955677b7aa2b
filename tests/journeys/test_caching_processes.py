"""Cached tasks and transactions over processes: who computes, who waits, and what a kill leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.places import CHECKOUT, DID, Place, until

CALLERS = (
    DID
    + """
import time
from nadi.cache_policies import INPUTS

@task(cache_policy=INPUTS)
def compute(key):
    did(f"computed-{key}")
    time.sleep(0.05)  # time enough for every other caller to come by
    return key * key

@flow
def run(callers):
    # The others are there before anybody computes.
    did("ready")
    while open(os.environ["LEDGER"]).read().count("ready") < int(os.environ["PROCESSES"]):
        pass
    return compute.map([number % 10 for number in range(callers)]).result()

if __name__ == "__main__":
    assert run(int(sys.argv[1])) == [(number % 10) ** 2 for number in range(int(sys.argv[1]))]
"""
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_thousand_callers_over_eight_processes_of_ten_keys_compute_ten_values(place: Place) -> None:
    script = place.script(CALLERS)

    processes = [place.start(script, "125", PROCESSES="8", NADI_LOG_LEVEL="WARNING") for _ in range(8)]
    outcomes = [(process.wait(50), *process.communicate()) for process in processes]

    assert [status for status, _, _ in outcomes] == [0] * 8, outcomes
    computed = Counter(label for label in place.did() if label != "ready")
    assert computed == {f"computed-{key}": 1 for key in range(10)}
    store = place.store()
    assert len(store.cache.entries()) == 10
    store.close()
    assert list((place.home / "locks").iterdir()) == []


HOLDER = (
    DID
    + """
import time
from nadi.cache_policies import INPUTS

@task(cache_policy=INPUTS)
def compute(key):
    did("computing")
    if len(sys.argv) > 1:
        time.sleep(60)
    return key

@flow
def run():
    return compute(1)

if __name__ == "__main__":
    print(run())
"""
)


def test_a_killed_holder_frees_its_key(place: Place) -> None:
    script = place.script(HOLDER)
    holder = place.start(script, "slow")
    until(lambda: place.did() == ["computing"])
    waiter = place.start(script)
    until(lambda: _says(place, "Waits for the run that computes the same."))

    os.kill(holder.pid, signal.SIGKILL)
    out, err = waiter.communicate(timeout=30)
    holder.communicate()

    assert out == "1\n", err
    assert place.did() == ["computing", "computing"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_who_waits_for_a_key_can_be_interrupted(place: Place, number: signal.Signals, status: int) -> None:
    script = place.script(HOLDER)
    holder = place.start(script, "slow")
    until(lambda: place.did() == ["computing"])
    waiter = place.start(script)
    until(lambda: _says(place, "Waits for the run that computes the same."))

    waiter.send_signal(number)
    _, err = waiter.communicate(timeout=20)
    holder.kill()
    holder.communicate()

    assert waiter.returncode == status, err
    assert place.did() == ["computing"]


def _says(place: Place, text: str) -> bool:
    return any(text.encode() in journal.read_bytes() for journal in place.journals())


CIRCLE = (
    DID
    + """
import time

@task(cache_key_fn=lambda context, parameters: parameters["key"])
def compute(key, then=""):
    if not then:
        return key
    did(f"holds-{key}")
    while f"holds-{then}" not in open(os.environ["LEDGER"]).read().split():
        time.sleep(0.001)
    return key + compute(then)

@flow
def run():
    return compute(sys.argv[1], sys.argv[2])

if __name__ == "__main__":
    print(run())
"""
)


def test_two_processes_that_want_each_others_keys_do_not_wait_for_ever(place: Place) -> None:
    script = place.script(CIRCLE)

    processes = [place.start(script, "a", "b"), place.start(script, "b", "a")]
    outcomes = [process.communicate(timeout=30) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], outcomes
    # What the inner calls give depends on who was first.
    assert [out[0] for out, _ in outcomes] == ["a", "b"]


SERIALIZED = (
    DID
    + """
from nadi.transactions import IsolationLevel, transaction

@flow
def run():
    for number in range(int(sys.argv[1])):
        with transaction(key="counter", isolation_level=IsolationLevel.SERIALIZABLE, overwrite=True):
            path = os.environ["LEDGER"]
            count = int(open(path).read()) if os.path.exists(path) else 0
            with open(path, "w") as file:
                file.write(str(count + 1))

if __name__ == "__main__":
    run()
"""
)


def test_serializable_transactions_of_one_key_come_one_after_the_other_over_processes(place: Place) -> None:
    script = place.script(SERIALIZED)

    processes = [place.start(script, "25", NADI_LOG_LEVEL="WARNING") for _ in range(4)]
    outcomes = [process.communicate(timeout=50) for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, outcomes
    assert place.did() == ["100"]


UNDONE = (
    DID
    + """
import signal
from nadi.transactions import transaction

@task
def effect(label):
    did(label)

@effect.on_rollback
def undo(transaction):
    did("undone")

@flow
def run():
    with transaction():
        effect("effect")
        if not os.path.exists(os.environ["LEDGER"] + ".killed"):
            open(os.environ["LEDGER"] + ".killed", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        raise ValueError("no")

if __name__ == "__main__":
    run()
"""
)


def test_what_a_killed_process_did_in_a_transaction_is_undone_by_the_attempt_that_fails(place: Place) -> None:
    script = place.script(UNDONE)

    killed = place.run(script)
    before = place.did()
    resumed = place.resume()

    assert killed.returncode == -signal.SIGKILL
    assert before == ["effect"]
    assert "ValueError: no" in resumed.stderr
    assert place.did() == ["effect", "undone"]


@pytest.mark.parametrize("ends", ["ends", "fails"])
def test_a_kill_at_any_boundary_of_a_transaction_leaves_nothing_half_visible(tmp_path: Path, ends: str) -> None:
    deaths = _deaths(tmp_path, ends)

    boundaries = {death["at"] for death in deaths}
    assert {"before write", "after write", "before _call", "after _call", ""} <= boundaries
    assert ("before put" in boundaries) == (ends == "ends")
    everything = ["large-2", "small", "whole"]
    for death in deaths:
        assert death["after death"] in ([], everything), death
        if "value" in death or death["at"] == "":
            assert death["after resume"] == everything, death
        # A task runs again only where it was in flight, a hook where the commit was; nothing a third time.
        assert max(Counter(death["did"]).values(), default=0) <= 2, death


def _deaths(folder: Path, ends: str) -> list[dict[str, Any]]:
    process = subprocess.run(
        [sys.executable, "-m", "tests.journeys.dying_in_commits", str(folder), ends],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT / 'src'}:{CHECKOUT}"},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return [json.loads(line) for line in process.stdout.splitlines()]
