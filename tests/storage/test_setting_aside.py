"""Records with values that a database cannot keep: they alone are set aside, in every store, and delivery goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from nadi.model.records import AnyRecord, Counted, EventEmitted, InputAsked
from nadi.storage.contract import Applied, Batch, Refusal, Refused, Store
from nadi.storage.setting_aside import apply_what_fits
from tests.storage.telling import (
    T0,
    S,
    Writer,
    an_id,
    artifact_made,
    asset_described,
    event_emitted,
    flow_begun,
    log_line,
    task_begun,
    task_moved,
)

ROOT, TASK, LATER = an_id(1), an_id(2), an_id(3)
ABOUT: dict[str, Any] = {"root": ROOT, "token": 1, "at": T0 + 2}
#: Not to be pressed into less.
LONG = os.urandom(6000).hex()
NAN, INFINITY = float("nan"), float("inf")

ODD: dict[str, AnyRecord] = {
    "level of a log line": log_line(ROOT, "odd", level=2**63),
    "task of a log line": log_line(ROOT, "odd", task=LONG),
    "index in a map": task_begun(ROOT, TASK, map_index=2**64 - 1),
    "id of a task run": task_begun(ROOT, LONG),
    "attempt": task_begun(ROOT, TASK, attempt=2**63),
    "time of a retry": task_moved(ROOT, an_id(9), S.SCHEDULED, due=NAN),
    "deadline of a pause": InputAsked(**ABOUT, id=ROOT, key="k", deadline=NAN),
    "holder": flow_begun(ROOT, id=TASK, holder=LONG),
    "id of an artifact": artifact_made(ROOT, LONG),
    "count": Counted(**ABOUT, run=ROOT, what="logs", count=2**63),
}

UNREADABLE: dict[str, AnyRecord] = {
    "payload that is no JSON": event_emitted(ROOT, an_id(5), payload=b"{"),
    "payload that is no object": event_emitted(ROOT, an_id(5), payload=b"[]"),
    "payload that is too deep": event_emitted(ROOT, an_id(5), payload=b'{"a":' * 100_000),
    "time that nobody can tell": event_emitted(ROOT, an_id(5), occurred=INFINITY),
    "time that is none": event_emitted(ROOT, an_id(5), occurred=NAN),
    "metadata that are no JSON": asset_described(ROOT, "s3://lake/x", b"\x00\xff"),
    "a subflow run in the place of the root": log_line(an_id(8), "odd"),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_value_that_does_not_fit_stops_nothing(store: Store, odd: str) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, an_id(9)))

    writer.tell(log_line(ROOT, "before"), ODD[odd], log_line(ROOT, "after"))

    assert store.watermark("writer-1") == 5
    assert {"before", "after"} <= {log.text for log in store.logs(ROOT)}
    assert store.flow_run(ROOT) is not None


@pytest.mark.parametrize("odd", UNREADABLE)
def test_what_could_never_be_read_again_is_set_aside(store: Store, odd: str) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_begun(ROOT, id=an_id(8)), event_emitted(ROOT, an_id(6)))

    applied = writer.tell(UNREADABLE[odd], task_begun(ROOT, LATER))

    assert [refused.why for refused in applied.refused] == [Refusal.INVALID]
    assert store.watermark("writer-1") == 5
    assert [event.id for event in store.events.newest(limit=10)] == [an_id(6)]
    assert [task.id for task in store.task_runs(ROOT)] == [LATER]


def takes_what_is_even(told: list[str]) -> Callable[[Batch], Applied]:
    def apply(batch: Batch) -> Applied:
        lines = [record for record in batch.records if isinstance(record, EventEmitted)]
        if any(int(line.event) % 2 for line in lines):
            raise OverflowError
        told.extend(line.event for line in lines)
        last = batch.first + len(batch.records) - 1
        strangers = [n for n, record in enumerate(batch.records, batch.first) if isinstance(record, Counted)]
        return Applied(last, tuple(Refused(n, "", 0, Refusal.DELETED) for n in strangers))

    return apply


def test_of_many_records_those_that_do_not_fit_are_told_by_number_and_the_others_are_kept_in_order() -> None:
    told: list[str] = []
    events = [event_emitted(ROOT, an_id(n), event=str(n)) for n in (2, 4, 5, 6, 7, 8)]

    applied = apply_what_fits(Batch("w", 11, events), takes_what_is_even(told))

    assert told == ["2", "4", "6", "8"]
    assert applied == Applied(16, (Refused(13, ROOT, 1, Refusal.INVALID), Refused(15, ROOT, 1, Refusal.INVALID)))
