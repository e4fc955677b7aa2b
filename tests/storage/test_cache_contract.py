"""What every store promises of the cache, and of which result files are still named."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest

from nadi.model.results import NO_VALUE, ResultRef
from nadi.model.states import StateType
from nadi.storage.contract import Store
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.contracts.result_files import owner_of_file
from tests.storage.telling import T0, Writer, an_id, flow_begun, flow_moved, task_begun, task_moved

ROOT, OTHER, TASK, OTHER_TASK = an_id(1), an_id(2), an_id(3), an_id(4)


def an_entry(key: str = "k", **given: Any) -> CacheEntry:
    fields: dict[str, Any] = {
        "task": "clean",
        "result": ResultRef("inline", b"1", "", "pickle", 1, b"signed"),
        "root": ROOT,
        "token": 1,
        "run": ROOT,
        "task_run": TASK,
        "name": "clean-0",
        "created": T0 + 10,
    } | given
    return CacheEntry(key=key, **fields)


def a_file(run: str = ROOT, id: str = TASK) -> ResultRef:
    return ResultRef("file", key=f"store/{run}/1/{id}", format="pickle", size_bytes=20_000, signature=b"signed")


def without_seq(entry: CacheEntry | None) -> CacheEntry | None:
    return entry and msgspec.structs.replace(entry, seq=0)


def keys(entries: list[CacheEntry]) -> list[str]:
    return [entry.key for entry in entries]


@pytest.fixture
def writer(store: Store) -> Writer:
    made = Writer(store)
    made.tell(flow_begun(ROOT), flow_begun(OTHER))
    return made


# -- entries ----------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [NO_VALUE, a_file(), ResultRef("inline", b"\0\xff", "", "json", 2, b"s")])
def test_an_entry_is_given_back_as_it_was_put(store: Store, writer: Writer, result: ResultRef) -> None:
    entry = an_entry(result=result, expires=T0 + 99.25)

    refused = store.cache.put([entry])

    assert refused == []
    assert without_seq(store.cache.get("k")) == entry
    assert store.cache.get("another") is None


def test_an_entry_replaces_that_of_the_same_key(store: Store, writer: Writer) -> None:
    store.cache.put([an_entry(), an_entry("other")])

    store.cache.put([an_entry(root=OTHER, name="newer")])

    assert [(entry.key, entry.name) for entry in store.cache.entries()] == [("k", "newer"), ("other", "clean-0")]


def test_of_two_entries_of_one_key_put_together_the_later_one_counts(store: Store, writer: Writer) -> None:
    store.cache.put([an_entry(name="first"), an_entry(name="second")])

    assert [entry.name for entry in store.cache.entries()] == ["second"]


def test_an_entry_whose_token_is_not_the_newest_claim_is_refused_and_the_others_are_kept(
    store: Store, writer: Writer
) -> None:
    store.claim(ROOT, holder="process-b", now=T0 + 5, expected_token=1)

    refused = store.cache.put([an_entry("late"), an_entry("good", root=OTHER), an_entry("new", token=2)])

    assert refused == ["late"]
    assert sorted(keys(store.cache.entries())) == ["good", "new"]


def test_an_entry_of_a_deleted_run_is_refused(store: Store, writer: Writer) -> None:
    writer.tell(flow_moved(ROOT, StateType.COMPLETED))
    store.delete_run(ROOT, now=T0 + 70)

    assert store.cache.put([an_entry()]) == ["k"]
    assert store.cache.entries() == []


def test_an_entry_of_a_run_that_the_store_has_not_heard_of_yet_is_kept(store: Store) -> None:
    assert store.cache.put([an_entry(root=an_id(9))]) == []
    assert store.cache.get("k") is not None


def test_an_entry_outlives_its_run(store: Store, writer: Writer) -> None:
    store.cache.put([an_entry()])
    writer.tell(flow_moved(ROOT, StateType.COMPLETED))

    store.delete_run(ROOT, now=T0 + 70)

    assert store.cache.get("k") is not None


def test_an_expired_entry_is_given_out_until_it_is_removed(store: Store, writer: Writer) -> None:
    store.cache.put([an_entry(expires=T0 + 20)])

    entry = store.cache.get("k")

    assert entry is not None
    assert (entry.is_fresh(T0 + 19), entry.is_fresh(T0 + 20)) == (True, False)
    assert an_entry().is_fresh(T0 * 2)


def test_entries_come_newest_first_page_by_page(store: Store, writer: Writer) -> None:
    store.cache.put([an_entry(f"k{n}", task="even" if n % 2 == 0 else "odd") for n in range(6)])

    first = store.cache.entries(limit=4)
    second = store.cache.entries(limit=4, after=first[-1].seq)

    assert keys(first) + keys(second) == ["k5", "k4", "k3", "k2", "k1", "k0"]
    assert keys(store.cache.entries(task="odd")) == ["k5", "k3", "k1"]
    assert keys(store.cache.entries(task="odd", after=first[-1].seq)) == ["k1"]


def test_entries_are_removed_by_key_task_time_or_all(store: Store, writer: Writer) -> None:
    def some() -> None:
        store.cache.put([an_entry("a"), an_entry("b", task="fit"), an_entry("c", task="fit", expires=T0 + 50)])

    some()
    assert store.cache.remove(now=T0, keys=["a", "c", "missing"]) == 2
    assert keys(store.cache.entries()) == ["b"]
    some()
    assert store.cache.remove(now=T0, task="fit") == 2
    assert keys(store.cache.entries()) == ["a"]
    some()
    assert store.cache.remove(now=T0, expired_at=T0 + 49) == 0
    assert store.cache.remove(now=T0, expired_at=T0 + 50) == 1
    some()
    assert store.cache.remove(now=T0, task="fit", keys=["a", "b"]) == 1
    some()
    assert store.cache.remove(now=T0) == 3
    assert store.cache.entries() == []


def test_what_changes_the_cache_is_a_change_of_the_store(store: Store, writer: Writer) -> None:
    before = store.last_change()
    store.cache.put([an_entry()])
    put = store.last_change()
    store.cache.remove(now=T0)

    assert before < put < store.last_change()


def test_many_threads_put_and_remove_without_losing_an_entry(store: Store, writer: Writer) -> None:
    def work(name: str) -> None:
        for n in range(10):
            store.cache.put([an_entry(f"{name}{n}"), an_entry("shared")])
            store.cache.remove(now=T0, keys=[f"{name}{n - 1}"])

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(keys(store.cache.entries())) == ["a9", "b9", "c9", "d9", "shared"]


# -- result files -----------------------------------------------------------------------------


def delete(store: Store, writer: Writer, run: str = ROOT, now: float = T0 + 100) -> None:
    writer.tell(flow_moved(run, StateType.COMPLETED))
    store.delete_run(run, now=now)


def take_cached(writer: Writer, result: ResultRef) -> None:
    """Another run takes a result from the cache."""
    writer.tell(task_begun(OTHER, OTHER_TASK))
    writer.tell(task_moved(OTHER, OTHER_TASK, StateType.COMPLETED, state_name="Cached", result=result))


def test_a_deleted_run_waits_for_the_collection_of_its_files(store: Store, writer: Writer) -> None:
    delete(store, writer, ROOT, now=T0 + 100)
    delete(store, writer, OTHER, now=T0 + 200)

    assert store.result_files.deleted_runs(before=T0 + 100) == []
    assert store.result_files.deleted_runs(before=T0 + 101) == [ROOT]
    assert store.result_files.deleted_runs(before=T0 + 300) == [ROOT, OTHER]
    assert store.result_files.deleted_runs(before=T0 + 300, limit=1) == [ROOT]

    store.result_files.mark_collected(ROOT)

    assert store.result_files.deleted_runs(before=T0 + 300) == [OTHER]


def test_files_of_a_deleted_run_are_named_by_cache_entries_and_by_runs_that_took_them(
    store: Store, writer: Writer
) -> None:
    cached, taken = a_file(ROOT, TASK), a_file(ROOT, an_id(8))
    store.cache.put([an_entry(result=cached)])
    take_cached(writer, taken)

    delete(store, writer)

    assert store.result_files.named_files(ROOT) == {cached.key, taken.key}
    assert store.result_files.named_files(OTHER) == set()


def test_a_file_is_released_when_the_last_that_named_it_is_removed(store: Store, writer: Writer) -> None:
    file = a_file()
    store.cache.put([an_entry(result=file)])
    take_cached(writer, file)
    delete(store, writer)

    store.cache.remove(now=T0 + 200)
    still_taken = store.result_files.released_files(before=T0 + 999)
    delete(store, writer, OTHER, now=T0 + 300)

    assert still_taken == []
    assert store.result_files.released_files(before=T0 + 300) == []
    assert store.result_files.released_files(before=T0 + 301) == [file.key]
    assert store.result_files.named_files(ROOT) == set()

    store.result_files.forget_files([file.key])

    assert store.result_files.released_files(before=T0 + 999) == []


def test_a_file_is_released_when_its_entry_is_replaced(store: Store, writer: Writer) -> None:
    store.cache.put([an_entry(result=a_file(), root=ROOT)])
    delete(store, writer)

    store.cache.put([an_entry(root=OTHER, created=T0 + 200)])

    assert store.result_files.released_files(before=T0 + 201) == [a_file().key]


def test_the_file_of_a_run_that_is_there_is_never_released(store: Store, writer: Writer) -> None:
    store.cache.put([an_entry(result=a_file())])
    take_cached(writer, a_file())

    store.cache.remove(now=T0 + 200)
    delete(store, writer, OTHER)

    assert store.result_files.released_files(before=T0 + 999) == []


def test_a_file_under_a_name_of_the_users_stays_while_a_run_or_an_entry_names_it(store: Store, writer: Writer) -> None:
    named = ResultRef("file", key="models/best.pkl", format="pickle", size_bytes=9, signature=b"signed")
    take_cached(writer, named)
    store.cache.put([an_entry(result=named)])

    delete(store, writer, OTHER, now=T0 + 100)
    still_cached = store.result_files.released_files(before=T0 + 999)
    store.cache.remove(now=T0 + 200)

    assert still_cached == []
    assert store.result_files.released_files(before=T0 + 999) == ["models/best.pkl"]


def test_a_file_whose_name_of_the_users_holds_the_id_of_the_run_stays_while_that_run_names_it(
    store: Store, writer: Writer
) -> None:
    named = ResultRef("file", key=f"models/{OTHER}.pkl", format="pickle", size_bytes=9, signature=b"signed")
    take_cached(writer, named)
    store.cache.put([an_entry(result=named)])

    store.cache.remove(now=T0 + 200)
    still_named = store.result_files.released_files(before=T0 + 999)
    delete(store, writer, OTHER, now=T0 + 300)

    assert still_named == []
    assert store.result_files.released_files(before=T0 + 999) == [named.key]


def test_a_released_file_that_is_named_again_stays(store: Store, writer: Writer) -> None:
    named = ResultRef("file", key="models/best.pkl", format="pickle", size_bytes=9, signature=b"signed")
    store.cache.put([an_entry(result=named)])
    store.cache.remove(now=T0 + 100)

    store.cache.put([an_entry(result=named, created=T0 + 150)])
    named_again = store.result_files.released_files(before=T0 + 999)
    store.cache.remove(now=T0 + 200)

    assert named_again == []
    assert store.result_files.released_files(before=T0 + 200) == []
    assert store.result_files.released_files(before=T0 + 201) == ["models/best.pkl"]


@pytest.mark.parametrize(("key", "owner"), [("store/run/1/task", "run"), ("best.pkl", ""), ("a/b", ""), ("", "")])
def test_a_file_belongs_to_the_run_that_its_key_bears(key: str, owner: str) -> None:
    assert owner_of_file(key) == owner
