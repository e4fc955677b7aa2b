"""`nadi schedules`, `backfill`, `backfills`, `queues` and `workers`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nadi.engine.clock import Clock
from nadi.model.states import StateType
from nadi.model.work import WorkerSeen
from nadi.services.backfills import Backfiller
from nadi.storage.home import this_holder
from nadi.storage.results import LocalResults
from tests.cli.conftest import Nadi
from tests.journeys.places import until
from tests.storage.deploying import NIGHTLY, a_run, a_version, enqueue, every, the_schedule
from tests.storage.telling import T0, Writer

DAY = 86400.0
#: Five instants of a schedule that fires once a day.
FIVE_DAYS = ("--from", "2026-03-01T00:00Z", "--to", "2026-03-06T00:00Z")


@pytest.fixture
def deployed(writer: Writer) -> Writer:
    writer.store.deployments.deploy(a_version(NIGHTLY, every(DAY)), now=T0)
    return writer


# -- schedules --


def test_schedules_are_listed_with_what_they_say_and_whether_they_fire(nadi: Nadi, deployed: Writer) -> None:
    said = nadi("schedules")

    assert said.status == 0
    assert "nightly" in said.out
    assert "active" in said.out


def test_the_next_instants_of_all_schedules_are_told_in_order(nadi: Nadi, writer: Writer) -> None:
    writer.store.deployments.deploy(a_version("a", every(7200.0, "x"), every(10800.0, "y")), now=T0)

    told = nadi("schedules", "--next", "4", "--json").json

    times = [datetime.fromisoformat(one["at"]).timestamp() for one in told]
    assert len(told) == 4
    assert times == sorted(times)
    assert times[0] > T0 > datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert {one["schedule"] for one in told} == {"x", "y"}


def test_a_schedule_is_paused_and_goes_on(nadi: Nadi, deployed: Writer) -> None:
    paused = nadi("schedules", "pause", NIGHTLY)
    while_paused = the_schedule(deployed.store)
    again = nadi("schedules", "pause", NIGHTLY)
    resumed = nadi("schedules", "resume", NIGHTLY)

    assert paused.out == "The schedule of nightly is paused.\n"
    assert while_paused.paused
    assert again.out == "The schedule of nightly is paused already.\n"
    assert resumed.out == "The schedule of nightly is not paused.\n"
    assert the_schedule(deployed.store).active


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("schedules", "pause", "weekly"), "No deployment 'weekly'"),
        (("schedules", "pause", NIGHTLY, "daily"), "has no schedule 'daily'; choose one of: ''"),
        (("schedules", "--deployment", "weekly"), "No deployment 'weekly'"),
        (("schedules", "--next", "0"), "0 is not in the range"),
        (("backfill", NIGHTLY, "--from", "yesterday", "--to", "2026-03-01"), "'yesterday' is no time"),
        (("backfill", NIGHTLY, "--from", "2026-03-02", "--to", "2026-03-01"), "has no instant between"),
        (("backfill", NIGHTLY, *FIVE_DAYS, "--every", "soon"), "--every"),
        (("backfill", "weekly", *FIVE_DAYS), "No deployment 'weekly'"),
        (("backfills", "show", "none"), "There is no backfill 'none'"),
        (("queues", "set", "gpu"), "either --limit N or --no-limit"),
        (("queues", "pause", ""), "has 1 to 200 characters"),
    ],
)
def test_what_is_not_there_or_cannot_be_read_is_said_in_a_sentence(
    nadi: Nadi, deployed: Writer, args: tuple[str, ...], told: str
) -> None:
    said = nadi(*args)

    assert said.status == 2
    assert told in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("command", ["schedules", "backfills", "queues", "workers"])
def test_where_nothing_is_recorded_nothing_is_listed(nadi: Nadi, command: str) -> None:
    assert (nadi(command).status, nadi(command, "--json").json) == (0, [])


# -- backfills --


def test_a_backfill_is_asked_for_shown_paused_and_cancelled(nadi: Nadi, deployed: Writer) -> None:
    made = nadi("backfill", NIGHTLY, *FIVE_DAYS, "--max-parallel", "2", "--reverse", "--json").json
    listed = nadi("backfills", "--json").json
    shown = nadi("backfills", "show", made["id"][-8:])
    paused = nadi("backfills", "pause", made["id"], "--json").json
    resumed = nadi("backfills", "resume", made["id"], "--json").json
    cancelled = nadi("backfills", "cancel", made["id"])
    too_late = nadi("backfills", "resume", made["id"])

    assert (made["total"], made["most_at_once"], made["reverse"], made["state"]) == (5, 2, True, "RUNNING")
    assert listed == [made]
    assert "0 of 5 decided, 2 at once" in shown.out
    assert (paused["state"], resumed["state"]) == ("PAUSED", "RUNNING")
    assert "is CANCELLED; 5 instants not decided" in cancelled.out
    assert too_late.status == 2
    assert "changes no more" in too_late.err


def test_times_without_an_offset_are_those_of_the_zone_of_the_schedule(nadi: Nadi, writer: Writer) -> None:
    writer.store.deployments.deploy(a_version(NIGHTLY, every(3600.0, timezone="Asia/Kolkata")), now=T0)

    made = nadi("backfill", NIGHTLY, "--from", "2026-03-01", "--to", "2026-03-01T02:00", "--json").json

    assert (made["since"], made["until"]) == ("2026-02-28T18:30:00Z", "2026-02-28T20:30:00Z")


def test_waiting_for_a_backfill_ends_with_it_and_fails_where_a_run_did(nadi: Nadi, deployed: Writer) -> None:
    store = deployed.store

    def carry_out() -> None:
        until(lambda: bool(store.schedules.backfills()))
        backfiller = Backfiller(store, LocalResults(Path("results")), clock=Clock())
        backfiller.step(0.0)
        [work] = store.work.open_work()
        store.end_attempt(work.run, token=1, state=StateType.FAILED, name="", message="No.", now=T0)
        backfiller.step(0.0)

    one_day = ("--from", "2026-03-01T00:00Z", "--to", "2026-03-02T00:00Z")
    with ThreadPoolExecutor() as pool:
        done = pool.submit(carry_out)
        said = nadi("backfill", NIGHTLY, *one_day, "--wait")
        done.result()

    assert said.status == 1
    assert "COMPLETED" in said.out
    assert "1 Failed" in said.out


# -- queues and workers --


def test_a_queue_is_limited_paused_and_listed_with_what_is_in_it(nadi: Nadi, deployed: Writer) -> None:
    enqueue(deployed.store, a_run(1, queue="gpu", due=1.0))

    limited = nadi("queues", "set", "gpu", "--limit", "2")
    paused = nadi("queues", "pause", "gpu")
    listed = nadi("queues", "--json").json
    free = nadi("queues", "set", "gpu", "--no-limit", "--json").json

    assert limited.out == "Queue gpu has at most 2 runs under way at once.\n"
    assert paused.out == "Queue gpu is paused.\n"
    assert listed == [{"name": "gpu", "paused": True, "slots": 2, "due": 1, "later": 0, "running": 0}]
    assert (free["slots"], free["paused"]) == (None, True)


def test_workers_are_listed(nadi: Nadi, writer: Writer) -> None:
    holder = this_holder("w").encode()
    seen = WorkerSeen(
        holder=holder, name="gpu-1", host="here", queues=("gpu",), slots=4, launcher="process", started=T0
    )
    writer.store.work.worker_began(seen)

    [told] = nadi("workers", "--json").json

    assert (told["name"], told["queues"], told["slots"], told["running"]) == ("gpu-1", ["gpu"], 4, 0)
    assert "0 of 4" in nadi("workers").out
