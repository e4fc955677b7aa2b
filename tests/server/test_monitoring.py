"""`/metrics`: what Prometheus scrapes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from nadi.model.holders import Holder
from nadi.model.limits import SlotClaim
from nadi.server.configuration import Configuration
from nadi.server.context import Context
from nadi.server.feed import Feed
from nadi.server.prometheus import exposition
from nadi.storage.home import Home, this_holder
from nadi.storage.journal import Header, Journal
from nadi.storage.memory import MemoryStore
from nadi.storage.results import MemoryResults
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved


@pytest.fixture
def context(tmp_path: Path) -> Context:
    store = MemoryStore()
    return Context(
        store=store,
        home=Home(tmp_path),
        results=MemoryResults(),
        configuration=Configuration(),
        holder=this_holder("server"),
        feed=Feed(store),
        started=0.0,
    )


def scraped(context: Context) -> dict[tuple[str, tuple[str, ...]], float]:
    """Each sample by its name and the values of its labels, in the order of their names."""
    text = exposition(context).decode()
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_runs_are_told_by_flow_and_state_with_the_seconds_they_took(context: Context) -> None:
    now = time.time()
    Writer(context.store, "a").tell(
        flow_begun(an_id(1), flow="nightly", at=now), flow_moved(an_id(1), S.COMPLETED, at=now + 5)
    )
    Writer(context.store, "b").tell(flow_begun(an_id(2), flow='odd "name"\n', at=now))

    told = scraped(context)

    assert told["nadi_flow_runs", ("nightly", "COMPLETED")] == 1
    assert told["nadi_flow_run_seconds", ("nightly", "COMPLETED")] == pytest.approx(5)
    assert told["nadi_flow_runs", ('odd "name"\n', "RUNNING")] == 1


def test_what_a_journal_holds_that_the_store_has_not_is_told(context: Context) -> None:
    folder = context.home.ensure(context.home.journals / "w1")
    journal = Journal(folder, Header("w1", context.store.id, "", Holder("w1", "", 0, 0, "", "").encode()))
    journal.append(flow_begun(an_id(1), at=time.time() - 60))
    journal.append(flow_moved(an_id(1), S.COMPLETED))

    told = scraped(context)
    journal.close()

    assert told["nadi_journals", ()] == 1
    assert told["nadi_journal_undelivered_bytes", ()] > 100
    assert 59 < told["nadi_journal_lag_seconds", ()] < 120


def test_slots_are_told_by_limit(context: Context) -> None:
    limits = context.store.limits
    limits.set_limit("database", slots=2, decay=0, now=1.0)
    for id in ("a", "b", "c"):
        limits.claim_slots(SlotClaim(id=id, names=("database",), slots=1, holder="h", at=1.0, term=60.0), wait=True)

    told = scraped(context)

    assert told["nadi_slots", ("database",)] == 2
    assert told["nadi_slots_used", ("database",)] == 2
    assert told["nadi_slots_wanted", ("database",)] == 1


def test_answers_are_counted_by_route_and_status(context: Context) -> None:
    context.requests.note("GET", "/api/flow-runs/{run}", 200, 0.003)
    context.requests.note("GET", "/api/flow-runs/{run}", 404, 0.3)

    told = scraped(context)

    assert told["nadi_http_answers_total", ("GET", "/api/flow-runs/{run}", "404")] == 1
    assert told["nadi_http_answer_seconds_bucket", ("0.005", "GET", "/api/flow-runs/{run}")] == 1
    assert told["nadi_http_answer_seconds_count", ("GET", "/api/flow-runs/{run}")] == 2
