"""What every store promises of events; see `nadi/storage/contracts/events.py`."""

from __future__ import annotations

from datetime import UTC, datetime

from nadi.model.events import Event
from nadi.storage.contract import Store
from tests.storage.telling import T0, S, Writer, an_id, event_emitted, flow_begun, flow_moved

ROOT, OTHER, CHILD = an_id(1), an_id(2), an_id(3)


def an_event(id: str, event: str = "file.arrived") -> Event:
    return Event(id=id, event=event, occurred=datetime.fromtimestamp(T0, UTC), resource={"nadi.resource.id": "inbox"})


def test_an_event_of_a_run_is_read_back_as_it_was_told(store: Store) -> None:
    told = event_emitted(
        ROOT,
        an_id(20),
        task=an_id(10),
        related=({"nadi.resource.id": "data.may", "nadi.resource.role": "input"},),
        payload=b'{"accuracy":0.9}',
        follows=an_id(19),
    )

    Writer(store).tell(flow_begun(ROOT), told)

    (event,) = store.events.newest(limit=10)
    assert event.id == an_id(20)
    assert event.event == "model.promoted"
    assert event.occurred == datetime.fromtimestamp(T0 + 6, UTC)
    assert event.resource_id == "model.churn"
    assert event.related == ({"nadi.resource.id": "data.may", "nadi.resource.role": "input"},)
    assert event.payload == {"accuracy": 0.9}
    assert event.follows == an_id(19)
    assert (event.root, event.flow_run_id, event.task_run_id) == (ROOT, ROOT, an_id(10))


def test_an_event_outside_of_runs_is_kept_once(store: Store) -> None:
    before = store.last_change()

    kept = store.events.emit(an_event("one"))
    after = store.last_change()
    again = store.events.emit(an_event("one", event="another.name"))

    assert (kept, again) == (True, False)
    assert [event.event for event in store.events.newest(limit=10)] == ["file.arrived"]
    assert before < after == store.last_change()


def test_an_id_that_a_run_uses_twice_names_the_first_event(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        event_emitted(ROOT, "same", "first"),
        event_emitted(ROOT, "same", "second"),
    )

    assert [event.event for event in store.events.newest(limit=10)] == ["first"]


def test_events_are_listed_newest_first_and_page_by_page(store: Store) -> None:
    for n in range(5):
        store.events.emit(an_event(f"e{n}"))

    first = store.events.newest(limit=2)
    second = store.events.newest(limit=2, before=first[-1].seq)
    third = store.events.newest(limit=2, before=second[-1].seq)

    assert [[event.id for event in page] for page in (first, second, third)] == [["e4", "e3"], ["e2", "e1"], ["e0"]]


def test_events_are_filtered_by_run_and_by_the_beginning_of_their_name(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        flow_begun(ROOT, id=CHILD, parent=ROOT),
        event_emitted(ROOT, "in-root", "model.promoted"),
        event_emitted(ROOT, "in-child", "data.loaded", run=CHILD),
        flow_begun(OTHER),
        event_emitted(OTHER, "in-other", "model.retired"),
    )
    store.events.emit(an_event("outside", "models"))

    def ids(**which: str) -> list[str]:
        return [event.id for event in store.events.newest(limit=10, **which)]  # type: ignore[arg-type]  # texts

    assert ids(root=ROOT) == ["in-child", "in-root"]
    assert ids(root=ROOT, run=ROOT) == ["in-root"]
    assert ids(run=CHILD) == ["in-child"]
    assert ids(prefix="model.") == ["in-other", "in-root"]
    assert ids(prefix="model", root=OTHER) == ["in-other"]


def test_a_reader_gets_what_arrived_since_it_last_looked(store: Store) -> None:
    store.events.emit(an_event("one"))
    (seen,) = store.events.arrived(after=0, limit=10)
    store.events.emit(an_event("two"))
    Writer(store).tell(flow_begun(ROOT), event_emitted(ROOT, "three"))

    new = store.events.arrived(after=seen.seq, limit=10)

    assert [event.id for event in new] == ["two", "three"]
    assert seen.seq < new[0].seq < new[1].seq <= store.last_change()


def test_events_go_with_their_run(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), event_emitted(ROOT, "of-run"), flow_moved(ROOT, S.COMPLETED))
    store.events.emit(an_event("outside"))

    store.delete_run(ROOT, now=T0 + 100)

    assert [event.id for event in store.events.newest(limit=10)] == ["outside"]


def test_an_event_of_a_claim_that_was_lost_is_not_kept(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT))
    store.claim(ROOT, holder="another", now=T0, expected_token=1)

    writer.tell(event_emitted(ROOT, "late"))

    assert store.events.newest(limit=10) == []
