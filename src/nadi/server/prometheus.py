"""What `/metrics` tells: how the runs of the store stand, what waits, and how this server does.

Everything about runs comes from counts that the store keeps, so that a scrape costs the same whatever was recorded.
The library is loaded with the first scrape: 60 ms.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from nadi.model.states import StateType
from nadi.server.context import Context
from nadi.server.request_counts import BUCKETS, Requests
from nadi.storage.contract import Store
from nadi.storage.contracts.overview import FlowSummary
from nadi.storage.delivery import JournalReader
from nadi.storage.home import Home

#: Flows with labels of their own; a scrape of more would be of no use to anybody.
MOST_FLOWS = 1_000
_PAGE = 200


def exposition(context: Context) -> bytes:
    """Return the text that a scrape gets.

    Raises:
        StoreUnavailable: the store cannot be reached.
    """
    from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    # Read here, so that a store that is away is told as every route tells it.
    registry.register(_Given(list(_families(context, time.time()))))
    return generate_latest(registry)


class _Given:
    def __init__(self, families: list[Any]) -> None:
        self._families = families

    def collect(self) -> Iterable[Any]:
        return self._families


def _families(context: Context, now: float) -> Iterator[Any]:
    flows = list(_flows(context.store))
    yield from _about_runs(flows)
    yield from _about_queue(context.store, flows, now)
    yield from _about_journals(context.home, context.store, now)
    yield from _about_slots(context.store)
    yield from _about_answers(context.requests)


def _flows(store: Store) -> Iterator[FlowSummary]:
    after, left = "", MOST_FLOWS
    while left > 0 and (page := store.overview.flows(after=after, limit=min(_PAGE, left))):
        yield from page
        after, left = page[-1].name, left - len(page)


def _about_runs(flows: list[FlowSummary]) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    runs = GaugeMetricFamily("nadi_flow_runs", "Root runs that are in a state now.", labels=("flow", "state"))
    seconds = GaugeMetricFamily(
        "nadi_flow_run_seconds", "Seconds that finished root runs took, all together.", labels=("flow", "state")
    )
    for flow in flows:
        for state, count in flow.runs.items():
            runs.add_metric((flow.name, state), count)
        for state, took in flow.seconds.items():
            seconds.add_metric((flow.name, state), took)
    yield runs
    yield seconds


def _about_queue(store: Store, flows: list[FlowSummary], now: float) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    waiting = [flow.name for flow in flows if flow.runs.get(StateType.SCHEDULED)]
    oldest = store.waiting_runs(waiting, state=StateType.SCHEDULED, limit=1) if waiting else []
    age = GaugeMetricFamily(
        "nadi_queue_oldest_seconds", "Age of the oldest background run that nobody has begun; 0 when none waits."
    )
    age.add_metric((), max(0.0, now - oldest[0].created) if oldest else 0.0)
    yield age


def _about_journals(home: Home, store: Store, now: float) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    count, left, lag = 0, 0, 0.0
    for folder in home.journal_folders():
        try:
            reader = JournalReader(folder, store.watermark(folder.name))
            try:
                records, size_bytes = reader.read(1)
                if records:
                    left += size_bytes + reader.left_unread()
                    lag = max(lag, now - records[0].at if records[0].at else 0.0)
                count += 1
            finally:
                reader.close()
        except OSError:
            continue  # its process ended and removed it
    journals = GaugeMetricFamily("nadi_journals", "Journals in the server's home: one for each process that records.")
    journals.add_metric((), count)
    undelivered = GaugeMetricFamily("nadi_journal_undelivered_bytes", "What they hold that the store has not.")
    undelivered.add_metric((), left)
    behind = GaugeMetricFamily("nadi_journal_lag_seconds", "Age of the oldest record that the store has not.")
    behind.add_metric((), max(0.0, lag))
    yield from (journals, undelivered, behind)


def _about_slots(store: Store) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    used: dict[str, int] = {}
    waiting: dict[str, int] = {}
    for claim in store.limits.claims():
        for name in claim.names:
            into = used if claim.held else waiting
            into[name] = into.get(name, 0) + claim.slots
    families = {
        "nadi_slots": ("Slots of a limit.", {limit.name: limit.slots for limit in store.limits.limits()}),
        "nadi_slots_used": ("Slots that somebody holds.", used),
        "nadi_slots_wanted": ("Slots that somebody waits for.", waiting),
    }
    limits = families["nadi_slots"][1]
    for name, (about, values) in families.items():
        family = GaugeMetricFamily(name, about, labels=("limit",))
        for limit in limits:
            family.add_metric((limit,), values.get(limit, 0))
        yield family


def _about_answers(requests: Requests) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    answers = CounterMetricFamily(
        "nadi_http_answers", "Answers of this server since its start.", labels=("method", "route", "status")
    )
    for (method, route, status), (count,) in list(requests.answers.items()):
        answers.add_metric((method, route, str(status)), count)
    took = HistogramMetricFamily(
        "nadi_http_answer_seconds", "Seconds until an answer was ready.", labels=("method", "route")
    )
    bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
    for key, counts in list(requests.buckets.items()):
        took.add_metric(key, list(zip(bounds, counts, strict=True)), requests.seconds[key])
    yield answers
    yield took
