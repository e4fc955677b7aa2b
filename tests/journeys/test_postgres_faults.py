"""PostgreSQL goes away and comes back while flows record into it, by itself or by way of a server."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.storage.postgres import PostgresStore
from tests import postgres
from tests.journeys.far_places import FarPlace, check_ledgers, far_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[FarPlace]:
    with far_place(tmp_path) as made:
        yield made


def restart_while_running(place: FarPlace, rng: random.Random, *, pause: float, most: int) -> int:
    """Restart the database every `pause` seconds, now and then by a crash, while reporters run; returns how often."""
    restarts = 0
    while place.are_running() and restarts < most:
        time.sleep(pause * rng.uniform(0.5, 1.5))
        postgres.server().stop(crash=rng.random() < 0.5)
        time.sleep(rng.uniform(0.0, 0.5))
        postgres.server().start()
        restarts += 1
    return restarts


def check(place: FarPlace, url: str) -> None:
    store = PostgresStore(url)
    try:
        place.deliver(store)
        check_ledgers(place, store)
    finally:
        store.close()


def test_restarts_of_the_database_under_load_and_during_start_up_lose_nothing(place: FarPlace) -> None:
    url = postgres.server().fresh(place)

    place.start_reporters(4, tasks=80, pause=0.05, NADI_DATABASE_URL=url)
    restarts = restart_while_running(place, random.Random(7), pause=0.8, most=2)
    postgres.server().stop(crash=True)
    place.start_reporters(2, tasks=20, pause=0.05, NADI_DATABASE_URL=url)  # they find no database at all
    time.sleep(1.0)
    postgres.server().start()
    place.wait()

    check(place, url)
    assert restarts == 2


def test_restarts_of_the_database_behind_a_server_lose_nothing(place: FarPlace) -> None:
    url = postgres.server().fresh(place)
    place.start_server(NADI_DATABASE_URL=url)

    place.start_reporters(4, tasks=80, pause=0.05)
    restarts = restart_while_running(place, random.Random(8), pause=0.8, most=3)
    place.wait()

    check(place, url)
    assert restarts == 3
    assert place.end_server() == 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("behind_server", [False, True])
def test_a_minute_of_restarts_every_five_seconds_loses_nothing(place: FarPlace, seed: int, behind_server: bool) -> None:
    url = postgres.server().fresh(place)
    if behind_server:
        place.start_server(NADI_DATABASE_URL=url)
        place.start_reporters(8, tasks=1200, pause=0.05)
    else:
        place.start_reporters(8, tasks=1200, pause=0.05, NADI_DATABASE_URL=url)

    restarts = restart_while_running(place, random.Random(seed), pause=5.0, most=100)
    place.wait()

    check(place, url)
    print(f"\n{restarts} restarts, seed {seed}")
    assert restarts >= 8
