"""What is kept beside runs stays right in PostgreSQL while many write at once, each in a transaction of its own."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest

from nadi.model.assets import AssetProperties, AssetRef
from nadi.model.events import Event
from nadi.model.limits import SlotClaim
from nadi.model.pauses import Message, Verdict
from nadi.model.records import AssetMaterialized, InputAsked
from nadi.model.results import ResultRef
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.contracts.events import event_of
from nadi.storage.postgres import PostgresStore
from nadi.storage.postgres.limits import lock_number
from tests.journeys.places import until
from tests.postgres import server
from tests.storage.telling import T0, S, Writer, an_id, event_emitted, flow_begun, flow_moved

T = TypeVar("T")

ROOT = an_id(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PostgresStore]:
    made = PostgresStore(server().fresh(tmp_path), patience=30.0)
    yield made
    made.close()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[list[PostgresStore]]:
    """The same database as four processes see it, each with connections of its own."""
    url = server().fresh(tmp_path)
    made = [PostgresStore(url, patience=30.0) for _ in range(4)]
    yield made
    for store in made:
        store.close()


def at_once(call: Callable[[int], T], times: int) -> list[T]:
    """Call with 0, 1, 2 and so on at the same moment, each in a thread of its own, and return what was returned."""
    start = threading.Barrier(times)

    def begin(n: int) -> T:
        start.wait(30)
        return call(n)

    with ThreadPoolExecutor(times) as pool:
        return [future.result(50) for future in [pool.submit(begin, n) for n in range(times)]]


def claim(id: str, *names: str, slots: int = 1) -> SlotClaim:
    return SlotClaim(id=id, names=names, slots=slots, holder="me", term=300.0, at=T0)


# -- limits --


def holds(store: PostgresStore, id: str) -> bool:
    return store.limits.standing([id])[id]


def worked(store: PostgresStore, number: int, turns: int, most: dict[str, int]) -> int:
    """Take slots of some limits and give them back, again and again; returns the most that were seen taken too many."""
    dice, too_many = random.Random(number), 0
    for turn in range(turns):
        names = dice.sample(sorted(most), dice.randint(1, len(most)))
        id = f"{number}-{turn}"
        held = store.limits.claim_slots(claim(id, *names), wait=True).held
        if not held:
            until(partial(holds, store, id))
        for name in names:
            used = sum(one.slots for one in store.limits.claims(names=[name]) if one.held)
            too_many = max(too_many, used - most[name])
        store.limits.release_slots(id)
    return too_many


def test_slots_of_several_limits_are_never_given_twice_and_nobody_waits_for_ever(stores: list[PostgresStore]) -> None:
    most = {"db": 2, "gpu": 1, "api": 3}
    for name, slots in most.items():
        stores[0].limits.set_limit(name, slots=slots, decay=0.0, now=T0)

    too_many = at_once(lambda n: worked(stores[n % 4], n, 6, most), 8)

    assert too_many == [0] * 8
    assert stores[0].limits.claims() == []


def test_those_who_wait_are_served_in_the_order_they_came(stores: list[PostgresStore]) -> None:
    limits = stores[0].limits
    limits.set_limit("db", slots=1, decay=0.0, now=T0)
    limits.claim_slots(claim("first", "db"), wait=False)

    at_once(lambda n: stores[n % 4].limits.claim_slots(claim(f"{n}", "db"), wait=True), 12)
    line = [one.id for one in limits.claims() if not one.held]
    served: list[str] = []
    next_one = ["first"]
    while next_one := stores[len(served) % 4].limits.release_slots(next_one[0]):
        served += next_one

    assert len(line) == 12
    assert served == line


def test_a_slot_that_becomes_free_goes_to_who_waits_for_it_with_another_limit(stores: list[PostgresStore]) -> None:
    limits = stores[0].limits
    for name in ("a", "b", "c"):
        limits.set_limit(name, slots=1, decay=0.0, now=T0)
    limits.claim_slots(claim("holds-a", "a"), wait=True)
    limits.claim_slots(claim("holds-c", "c"), wait=True)
    limits.claim_slots(claim("waits-a-b", "a", "b"), wait=True)
    limits.claim_slots(claim("waits-b-c", "b", "c"), wait=True)

    # What waits for "b" and "c" is behind what waits for "a" and "b".
    assert stores[1].limits.release_slots("holds-c") == []
    assert stores[2].limits.release_slots("holds-a") == ["waits-a-b"]
    assert stores[3].limits.release_slots("waits-a-b") == ["waits-b-c"]


def test_limits_that_have_nothing_to_do_with_each_other_do_not_wait_for_each_other(
    stores: list[PostgresStore], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        stores[0].limits.set_limit(name, slots=1, decay=0.0, now=T0)

    with stores[0]._database.write() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_number("a"),))
        held = stores[1].limits.claim_slots(claim("1", "b"), wait=False).held

    assert held


def test_turns_of_a_rate_are_given_one_after_the_other(stores: list[PostgresStore]) -> None:
    stores[0].limits.set_limit("api", slots=1, decay=10.0, now=T0)

    turns = at_once(lambda n: stores[n % 4].limits.take_turn(["api"], 1, now=T0, patience=60.0).wait, 10)

    assert sorted(turns) == pytest.approx([n / 10 for n in range(10)])


def test_a_claim_that_was_renewed_in_time_is_not_ended(store: PostgresStore) -> None:
    store.limits.set_limit("db", slots=2, decay=0.0, now=T0)
    store.limits.claim_slots(claim("a", "db"), wait=False)
    store.limits.claim_slots(claim("b", "db"), wait=False)
    store.limits.renew(["a"])

    store.limits.end_claims({"a": 0, "b": 0})

    assert [one.id for one in store.limits.claims()] == ["a"]


# -- the cache --


def entry(key: str, file: str, n: int) -> CacheEntry:
    return CacheEntry(
        key=key,
        task="clean",
        result=ResultRef("file", key=file, size_bytes=1),
        root=f"root-{n}",
        token=1,
        run="",
        task_run="",
        name="x",
        created=T0,
    )


def test_of_all_files_that_were_put_at_once_under_one_key_all_but_the_last_are_released(
    stores: list[PostgresStore],
) -> None:
    def put(n: int) -> None:
        for turn in range(5):
            keys = [f"key-{k}" for k in range(3)]
            stores[n % 4].cache.put([entry(key, f"mine/{key}-{n}-{turn}", n) for key in keys])

    at_once(put, 8)

    kept = {one.result.key for one in stores[0].cache.entries()}
    released = set(stores[0].result_files.released_files(before=T0 + 1))
    assert len(kept) == 3
    assert len(released) == 8 * 5 * 3 - 3
    assert not kept & released


def test_an_entry_is_refused_when_its_run_is_claimed_anew_at_the_same_moment(stores: list[PostgresStore]) -> None:
    Writer(stores[0]).tell(flow_begun(ROOT), flow_moved(ROOT, S.FAILED))
    put_entry = CacheEntry(
        **{name: getattr(entry("k", "mine/f", 1), name) for name in ("task", "result", "run", "task_run", "name")},
        key="k",
        root=ROOT,
        token=1,
        created=T0,
    )

    def put_or_claim(n: int) -> list[str]:
        if n == 0:
            return stores[0].cache.put([put_entry])
        stores[1].claim(ROOT, holder="b", now=T0 + 1)
        return []

    refused, _ = at_once(put_or_claim, 2)

    there = stores[2].cache.get("k") is not None
    assert refused == ([] if there else ["k"])
    assert stores[0].cache.put([put_entry]) == ["k"]


# -- pauses, messages, events, assets --


def test_of_all_who_answer_one_pause_at_once_one_is_taken(stores: list[PostgresStore]) -> None:
    Writer(stores[0]).tell(flow_begun(ROOT), InputAsked(root=ROOT, token=1, at=T0, id=ROOT, key="1", schema=b"{}"))

    verdicts = at_once(lambda n: stores[n % 4].inputs.answer(ROOT, "1", b"%d" % n, by=f"{n}", now=T0 + 1), 8)

    assert sorted(map(str, verdicts)) == sorted([Verdict.TAKEN, *[Verdict.ANSWERED] * 7])
    pause = stores[1].inputs.pause(ROOT, "1")
    assert pause is not None
    assert pause.by == str(verdicts.index(Verdict.TAKEN))


def test_who_reads_messages_while_many_send_misses_none(stores: list[PostgresStore]) -> None:
    Writer(stores[0]).tell(flow_begun(ROOT))
    done = threading.Event()
    read: list[bytes] = []

    def send(n: int) -> None:
        for turn in range(20):
            value = b"%d-%d" % (n, turn)
            stores[n + 1].inputs.send(Message(seq=0, root=ROOT, run=ROOT, keyset="set", value=value, sender="", at=T0))

    def follow() -> None:
        after, last_look = 0, False
        while True:
            found = stores[0].inputs.messages(ROOT, "set", after=after, limit=7)
            read.extend(message.value for message in found)
            after = found[-1].seq if found else after
            if not found and last_look:
                return
            last_look = done.is_set()

    reader = threading.Thread(target=follow)
    reader.start()
    at_once(send, 3)
    done.set()
    reader.join(30)

    assert len(read) == 60
    assert set(read) == {b"%d-%d" % (n, turn) for n in range(3) for turn in range(20)}


def an_event(id: str) -> Event:
    return event_of(event_emitted("", id, run=""))


def test_a_reader_of_events_goes_no_further_than_an_older_transaction_that_is_open(
    stores: list[PostgresStore],
) -> None:
    with stores[0]._database.write() as connection:
        connection.execute("SELECT pg_current_xact_id()")
        stores[1].events.emit(an_event("late"))

        while_open = stores[2].events.arrived(after=0, limit=10)
        shown = stores[2].events.newest(limit=10)

    assert while_open == []
    assert [event.id for event in shown] == ["late"]
    assert [event.id for event in stores[2].events.arrived(after=0, limit=10)] == ["late"]


def test_an_event_emitted_twice_at_once_is_kept_once(stores: list[PostgresStore]) -> None:
    kept = at_once(lambda n: stores[n].events.emit(an_event("once")), 4)

    assert sorted(kept) == [False, False, False, True]
    assert len(stores[0].events.newest(limit=10)) == 1


def test_of_two_who_tell_of_one_asset_at_once_neither_is_overlooked(stores: list[PostgresStore]) -> None:
    said = (AssetProperties(name="Clean"), AssetProperties(url="http://x"), AssetProperties(description="all of it"))

    def tell(n: int) -> None:
        root = an_id(n + 1)
        writer = Writer(stores[n], f"writer-{n}")
        writer.tell(flow_begun(root))
        for turn in range(5):
            made = AssetMaterialized(
                root=root,
                token=1,
                at=T0 + turn,
                id=f"{n}-{turn}",
                key="s3://clean",
                run=root,
                task=an_id(10),
                succeeded=True,
                properties=said[n],
                upstream=(AssetRef(f"s3://raw-{n}"), AssetRef("s3://shared")),
            )
            assert writer.tell(made).refused == ()

    at_once(tell, 3)

    asset = stores[0].assets.asset("s3://clean")
    assert asset is not None
    assert asset.properties == AssetProperties(name="Clean", url="http://x", description="all of it")
    assert len(stores[0].assets.materializations("s3://clean")) == 15
    assert len(stores[0].assets.lineage("s3://clean", up=True)) == 2


def test_names_are_compared_as_text_and_not_as_a_language_sorts_them(store: PostgresStore, tmp_path: Path) -> None:
    for key in ("b", "B", "ä", "a"):
        store.limits.set_limit(key, slots=1, decay=0.0, now=T0)

    assert [limit.name for limit in store.limits.limits()] == sorted(["b", "B", "ä", "a"])


def test_the_database_may_be_looked_at_by_other_programs_meanwhile(tmp_path: Path) -> None:
    url = server().fresh(tmp_path)
    store = PostgresStore(url)
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM slot_claim")

        store.limits.set_limit("db", slots=1, decay=0.0, now=T0)
        held = store.limits.claim_slots(claim("a", "db"), wait=False).held

    assert held
    store.close()


LONG = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=10_000))


def test_keys_too_long_for_an_index_are_still_told_apart(store: PostgresStore) -> None:
    writer = Writer(store)
    keys = [f"{LONG}-1", f"{LONG}-2"]

    assert store.cache.put([entry(key, LONG, n) for n, key in enumerate(keys)]) == []
    asked = [InputAsked(root=ROOT, token=1, at=T0, id=ROOT, key=key, schema=b"{}", description=key) for key in keys]
    told = writer.tell(flow_begun(ROOT), *asked, *[event_emitted(ROOT, key) for key in keys])

    assert (told.watermark, told.refused) == (5, ())
    found = [store.cache.get(key) for key in keys]
    assert [one.root for one in found if one is not None] == ["root-0", "root-1"]
    assert store.cache.remove(now=T0, keys=[keys[0]]) == 1
    pauses = [store.inputs.pause(ROOT, key) for key in keys]
    assert [one.description for one in pauses if one is not None] == keys
    assert len(store.events.newest(root=ROOT, limit=10)) == 2
