"""Faults of server, network, disk and clock: afterwards the store has what the senders wrote down, once."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.storage.contract import Store
from nadi.storage.sqlite import SqliteStore
from tests.journeys.far_places import FarPlace, LossyProxy, check_ledgers, far_place

TASKS = 40


@pytest.fixture
def place(tmp_path: Path) -> Iterator[FarPlace]:
    with far_place(tmp_path) as made:
        yield made


def store_of(place: FarPlace) -> Store:
    return SqliteStore(place.server_home / "nadi.db")


def test_a_server_that_is_killed_again_and_again_while_eight_flows_report_loses_nothing(place: FarPlace) -> None:
    rng = random.Random(4)
    place.start_server()
    place.start_reporters(8, tasks=TASKS, pause=0.1)

    killed = 0
    while place.are_running() and killed < 3:
        time.sleep(rng.uniform(0.3, 1.2))
        place.end_server(signal.SIGKILL)
        time.sleep(rng.uniform(0.0, 0.8))
        place.start_server()
        killed += 1
    place.wait()

    store = store_of(place)
    place.deliver(store)
    check_ledgers(place, store)
    assert killed == 3


def test_a_server_that_is_asked_to_end_drops_nothing(place: FarPlace) -> None:
    place.start_server()
    place.start_reporters(4, tasks=TASKS, pause=0.05)

    time.sleep(1.5)
    status = place.end_server(signal.SIGTERM)
    place.start_server()
    place.wait()

    store = store_of(place)
    place.deliver(store)
    check_ledgers(place, store)
    assert status == 0


def test_an_answer_that_is_lost_after_its_commit_is_asked_for_again_and_nothing_is_there_twice(
    place: FarPlace,
) -> None:
    place.start_server()
    proxy = LossyProxy(place.port)

    place.start_reporters(
        3, tasks=TASKS, pause=0.02, NADI_API_URL=f"http://127.0.0.1:{proxy.port}", NADI_API_KEY=place.token
    )
    place.wait()
    proxy.close()

    store = store_of(place)
    place.deliver(store)
    check_ledgers(place, store)
    assert proxy.lost >= 9


def test_while_the_disk_of_the_server_is_full_runs_go_on_and_are_delivered_afterwards(place: FarPlace) -> None:
    full = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))"
    )
    place.start_server()
    token = place.token
    place.end_server()
    place.start_server(before=full)
    place.start_reporters(4, tasks=300, pause=0.005, NADI_API_URL=place.url, NADI_API_KEY=token)

    time.sleep(4)
    refused = place.are_running()
    place.end_server()
    place.start_server()
    place.wait()

    store = store_of(place)
    place.deliver(store)
    check_ledgers(place, store)
    assert refused, "the disk was full for a while"


def test_a_clock_that_is_set_back_an_hour_expires_nothing_and_loses_nothing(place: FarPlace) -> None:
    switch = place.folder / "an-hour-back"
    set_back = (
        "import os, time\n"
        "right = time.time\n"
        f"time.time = lambda: right() - (3600 if os.path.exists({str(switch)!r}) else 0)"
    )
    place.start_server(before=set_back)
    place.start_reporters(4, tasks=TASKS, pause=0.05)

    time.sleep(1.5)
    switch.touch()
    place.wait()

    store = store_of(place)
    place.deliver(store)
    check_ledgers(place, store)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_a_server_killed_for_a_minute_loses_nothing(place: FarPlace, seed: int) -> None:
    rng = random.Random(seed)
    place.start_server()
    place.start_reporters(8, tasks=600, pause=0.1)

    while place.are_running():
        time.sleep(rng.uniform(0.1, 5.0))
        place.end_server(signal.SIGKILL)
        time.sleep(rng.uniform(0.0, 5.0))
        place.start_server()
    place.wait()

    store = store_of(place)
    place.deliver(store)
    check_ledgers(place, store)
