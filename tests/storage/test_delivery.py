from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi.exceptions import StoreUnavailable
from nadi.model.runs import Request
from nadi.storage import delivery
from nadi.storage import journal as journals
from nadi.storage.contract import Applied, Batch, Refusal, Store
from nadi.storage.delivery import Courier, Reach
from nadi.storage.journal import Header, Journal, frame, segments
from nadi.storage.memory import MemoryStore
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import S, an_id, flow_begun, flow_moved, log_line, task_begun, task_moved

ROOT, TASK = an_id(1), an_id(10)
HEADER = Header("writer-1", "store-1", "sqlite:///x.db", "")


class Unsteady:
    """A store that is away while `away` says so, and splits what it takes; it notes the batches."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False
        self.most: Callable[[], int] = lambda: 1_000_000
        self.batches: list[tuple[int, int]] = []

    def apply(self, batch: Batch) -> Applied:
        if self.away:
            raise StoreUnavailable("The store is away.")
        taken = batch.records[: self.most()]
        self.batches.append((batch.first, len(taken)))
        return self._store.apply(Batch(batch.writer, batch.first, taken))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Told:
    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.fenced: list[tuple[str, int]] = []


def a_courier(journal: Journal, store: Any, told: Told | None = None, watched: dict[str, int] | None = None) -> Courier:
    heard = told or Told()
    return Courier(
        journal,
        lambda: store,
        watched=lambda: watched or {},
        on_request=heard.requests.append,
        on_fenced=lambda root, token: heard.fenced.append((root, token)),
    )


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Look again and again until something that another thread does is seen."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def texts(store: Store) -> list[str]:
    return [log.text for log in store.logs(ROOT, limit=100_000)]


@pytest.fixture
def store() -> Unsteady:
    return Unsteady(MemoryStore())


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path, HEADER)
    made.append(flow_begun(ROOT))
    yield made
    made.close()


# -- order, once --


def test_what_is_appended_reaches_the_store_in_order_and_once(journal: Journal, store: Unsteady) -> None:
    courier = a_courier(journal, store)
    courier.start()

    for n in range(1000):
        journal.append(log_line(ROOT, str(n)))

    assert courier.finish(10.0)
    assert texts(store._store) == [str(n) for n in range(1000)]


@pytest.mark.parametrize("seed", range(10))
def test_whatever_way_batches_are_split_and_fail_each_record_arrives_once_and_in_order(
    tmp_path: Path, store: Unsteady, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(journals, "SEGMENT_BYTES", rng.choice([600, 3000, 1 << 20]))
    monkeypatch.setattr(delivery, "AFRESH_BYTES", rng.choice([500, 1 << 20]))
    monkeypatch.setattr(delivery, "RETRY_FIRST", 0.0)
    monkeypatch.setattr(delivery, "RETRY_LONGEST", 0.001)
    journal = Journal(tmp_path, HEADER)
    journal.append(flow_begun(ROOT))
    courier = a_courier(journal, store)
    store.most = lambda: rng.randint(1, 20)
    courier.start()

    for n in range(400):
        store.away = rng.random() < 0.3
        journal.append(log_line(ROOT, str(n)))
        if rng.random() < 0.05:
            courier.barrier(0.01)
    store.away = False

    assert courier.finish(20.0)
    assert texts(store._store) == [str(n) for n in range(400)]
    assert journal._undelivered_bytes == 0
    assert store._store.watermark("writer-1") == 401


def test_a_store_that_knows_more_than_the_courier_believed_is_right(journal: Journal, store: Unsteady) -> None:
    store._store.apply(Batch("writer-1", 1, [flow_begun(ROOT), log_line(ROOT, "known")]))
    journal.append(log_line(ROOT, "known"))
    journal.append(log_line(ROOT, "new"))
    courier = a_courier(journal, store)

    reach = courier.barrier()

    assert reach is Reach.COMMITTED
    assert texts(store._store) == ["known", "new"]


def test_delivered_segments_go_and_a_long_run_does_not_keep_its_whole_journal(
    tmp_path: Path, store: Unsteady, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "AFRESH_BYTES", 2000)
    journal = Journal(tmp_path, HEADER)
    journal.append(flow_begun(ROOT))
    courier = a_courier(journal, store)

    for n in range(500):
        journal.append(log_line(ROOT, f"{n} {'x' * 50}"))
        if n % 10 == 0:
            courier.barrier()

    assert len(segments(tmp_path)) <= 3
    assert courier.finish(5.0)
    assert len(texts(store._store)) == 500


# -- barrier --


def test_a_barrier_returns_when_the_store_has_committed_what_was_appended_before(
    journal: Journal, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "nadi.db")
    courier = a_courier(journal, store)
    courier.start()
    journal.append(task_begun(ROOT, TASK))

    reach = courier.barrier()

    assert reach is Reach.COMMITTED
    assert store.task_run(TASK) is not None
    courier.finish(5.0)
    store.close()


def test_a_barrier_settles_for_the_flushed_journal_while_the_store_is_away(journal: Journal, store: Unsteady) -> None:
    store.away = True
    courier = a_courier(journal, store)
    journal.append(log_line(ROOT, "x"))

    reach = courier.barrier()

    assert reach is Reach.SPOOLED


def test_a_barrier_does_not_wait_for_a_store_that_is_known_to_be_away(journal: Journal, store: Unsteady) -> None:
    courier = a_courier(journal, store)
    store.away = True
    courier.barrier()
    journal.append(log_line(ROOT, "x"))
    with courier._step:  # as while the courier's thread is waiting for the store's lock
        reach = courier.barrier()

    assert reach is Reach.SPOOLED


def test_a_barrier_says_when_nothing_but_memory_has_the_records(store: Unsteady) -> None:
    journal = Journal(None, HEADER)
    journal.append(flow_begun(ROOT))
    store.away = True
    courier = a_courier(journal, store)

    reach = courier.barrier()

    assert reach is Reach.MEMORY


def test_barriers_of_many_threads_each_find_their_own_record_committed(journal: Journal, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "nadi.db")
    courier = a_courier(journal, store)
    courier.start()
    wrong: list[int] = []

    def work(n: int) -> None:
        for i in range(10):
            journal.append(task_begun(ROOT, an_id(1000 + n * 100 + i)))
            if courier.barrier() is not Reach.COMMITTED or store.task_run(an_id(1000 + n * 100 + i)) is None:
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    courier.finish(5.0)
    store.close()


@pytest.mark.parametrize("after", [False, True], ids=["before the store has it", "when the store has it"])
def test_what_an_interrupted_barrier_was_delivering_is_delivered_by_the_next(
    journal: Journal, store: Unsteady, after: bool
) -> None:
    courier = a_courier(journal, store)
    take = store.apply

    def interrupted(batch: Batch) -> Applied:
        if after:
            take(batch)
        raise KeyboardInterrupt

    store.apply = interrupted  # type: ignore[method-assign]
    journal.append(log_line(ROOT, "once"))
    with pytest.raises(KeyboardInterrupt):
        courier.barrier()
    store.apply = take  # type: ignore[method-assign]

    reach = courier.barrier()

    assert reach is Reach.COMMITTED
    assert texts(store._store) == ["once"]


def test_a_listener_that_interrupts_the_thread_at_a_barrier_finds_the_delivery_complete(
    journal: Journal, store: Unsteady
) -> None:
    def interrupt(root: str, token: int) -> None:
        raise KeyboardInterrupt

    courier = a_courier(journal, store)
    courier._on_fenced = interrupt
    courier.barrier()
    store._store.end_attempt(ROOT, token=1, state=S.FAILED, name="", message="", now=1.0)
    store._store.claim(ROOT, holder="another", now=2.0)
    journal.append(log_line(ROOT, "too late"))

    with pytest.raises(KeyboardInterrupt):
        courier.barrier()

    assert courier.delivered == journal.last


# -- trouble --


def test_a_journal_that_cannot_be_read_now_costs_nothing_but_time(journal: Journal, store: Unsteady) -> None:
    courier = a_courier(journal, store)
    journal.append(log_line(ROOT, "readable again"))
    [(_, path)] = segments(journal.folder or Path())
    path.rename(path.with_suffix(".away"))
    path.mkdir()

    reach = courier.barrier()

    path.rmdir()
    path.with_suffix(".away").rename(path)
    assert reach is Reach.SPOOLED
    assert courier.finish(10.0)
    assert texts(store._store) == ["readable again"]


def test_while_the_store_is_away_records_wait_and_arrive_when_it_is_back(journal: Journal, store: Unsteady) -> None:
    store.away = True
    courier = a_courier(journal, store)
    courier.start()
    for n in range(50):
        journal.append(log_line(ROOT, str(n)))
    was_away = until(lambda: bool(courier.trouble))

    store.away = False

    assert was_away
    assert courier.finish(10.0)
    assert texts(store._store) == [str(n) for n in range(50)]


def test_whatever_a_store_raises_costs_nothing_but_time(journal: Journal, store: Unsteady) -> None:
    failures = [ZeroDivisionError("a bug"), RuntimeError("another")]

    def most() -> int:
        if failures:
            raise failures.pop()
        return 1_000_000

    store.most = most
    courier = a_courier(journal, store)
    courier.start()
    journal.append(log_line(ROOT, "x"))

    assert courier.finish(10.0)
    assert texts(store._store) == ["x"]


def test_records_that_wait_in_memory_are_delivered_too_and_in_order(store: Unsteady) -> None:
    journal = Journal(None, HEADER)
    journal.append(flow_begun(ROOT))
    for n in range(5000):
        journal.append(log_line(ROOT, str(n)))
    courier = a_courier(journal, store)

    assert courier.finish(10.0)
    assert texts(store._store) == [str(n) for n in range(5000)]
    assert not journal.overflow


def test_a_disk_that_fills_up_and_gets_room_again_costs_no_record_and_no_order(tmp_path: Path) -> None:
    script = f"""
import pathlib, resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from nadi.storage.journal import Header, Journal
from nadi.storage.memory import MemoryStore
from tests.storage.telling import flow_begun, log_line
from tests.storage.test_delivery import Unsteady, a_courier
store = Unsteady(MemoryStore())
journal = Journal(pathlib.Path({str(tmp_path)!r}), Header("w", "s", "u", ""))
courier = a_courier(journal, store)
journal.append(flow_begun({ROOT!r}))
limits = [3000, resource.RLIM_INFINITY, 2000, resource.RLIM_INFINITY, 500]
for n in range(500):
    if n % 100 == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits[n // 100], resource.RLIM_INFINITY))
    journal.append(log_line({ROOT!r}, str(n)))
    if n % 37 == 0:
        courier.barrier()
assert courier.finish(5.0)
told = [log.text for log in store._store.logs({ROOT!r}, limit=1000)]
assert told == [str(n) for n in range(500)], told
"""

    checkout = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": f"{checkout / 'src'}:{checkout}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""


def test_finishing_gives_up_after_its_time_when_the_store_stays_away(journal: Journal, store: Unsteady) -> None:
    store.away = True
    courier = a_courier(journal, store)
    courier.start()
    begun = time.monotonic()

    complete = courier.finish(0.2)

    assert not complete
    assert time.monotonic() - begun < 5.0


# -- what the store refuses --


def test_a_record_that_this_version_cannot_read_is_set_aside_and_those_after_it_arrive(
    journal: Journal, store: Unsteady, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [(_, path)] = segments(tmp_path)
    newer = frame(msgspec.msgpack.encode(["lineage", ROOT, 1, 0.0, "a record of a newer version"]))
    with path.open("ab") as file:
        file.write(newer)
    journal.last += 1
    journal.last_in_file += 1
    journal._segment_bytes += len(newer)
    journal._undelivered_bytes += len(newer)
    journal.append(log_line(ROOT, "after it"))
    courier = a_courier(journal, store)

    assert courier.finish(5.0)
    assert texts(store._store) == ["after it"]
    assert courier.refused == {Refusal.DELETED: 1}
    assert "cannot be read and is set aside" in caplog.text


def test_records_of_a_deleted_run_are_refused_and_delivery_goes_on(journal: Journal, store: Unsteady) -> None:
    courier = a_courier(journal, store)
    journal.append(flow_moved(ROOT, S.COMPLETED))
    courier.barrier()
    store._store.delete_run(ROOT, now=1.0)
    other = an_id(2)

    journal.append(log_line(ROOT, "of a run that is gone"))
    journal.append(flow_begun(other))
    courier.barrier()

    assert courier.refused == {Refusal.DELETED: 1}
    assert store._store.flow_run(other) is not None


def test_a_record_that_does_not_fit_is_reported_and_delivery_goes_on(
    journal: Journal, store: Unsteady, caplog: pytest.LogCaptureFixture
) -> None:
    courier = a_courier(journal, store)
    journal.append(task_moved(ROOT, TASK, S.COMPLETED))
    journal.append(log_line(ROOT, "after it"))

    courier.barrier()

    assert courier.refused == {Refusal.INVALID: 1}
    assert texts(store._store) == ["after it"]
    assert "does not fit" in caplog.text


def test_a_writer_whose_claim_is_gone_is_told_so(journal: Journal, store: Unsteady) -> None:
    told = Told()
    courier = a_courier(journal, store, told)
    courier.barrier()
    store._store.claim(ROOT, holder="somebody else", now=1.0, expected_token=1)

    journal.append(task_begun(ROOT, TASK))
    courier.barrier()

    assert told.fenced == [(ROOT, 1)]
    assert store._store.task_run(TASK) is None
    assert [one.run for one in store._store.superseded(ROOT)] == [TASK]


def test_a_run_that_tells_nothing_still_hears_within_a_second_that_its_claim_is_gone(
    journal: Journal, store: Unsteady
) -> None:
    told = Told()
    courier = a_courier(journal, store, told, watched={ROOT: 1})
    courier.start()
    courier.barrier()
    store._store.claim(ROOT, holder="somebody else", now=1.0, expected_token=1)

    heard = until(lambda: bool(told.fenced))

    courier.finish(1.0)
    assert heard
    assert set(told.fenced) == {(ROOT, 1)}


def test_a_run_hears_what_is_asked_of_it(journal: Journal, store: Unsteady) -> None:
    told = Told()
    courier = a_courier(journal, store, told, watched={ROOT: 1})
    courier.start()
    courier.barrier()
    store._store.ask(Request(run=ROOT, kind="cancel", at=1.0, by="ann"))

    heard = until(lambda: bool(told.requests))

    courier.finish(1.0)
    assert heard
    assert told.requests[0].kind == "cancel"


def test_a_courier_whose_store_fails_when_it_is_asked_goes_on(journal: Journal, store: Unsteady) -> None:
    asked = []

    def requests(runs: list[str]) -> list[Request]:
        asked.append(runs)
        raise OSError("too many open files")

    store.requests = requests  # type: ignore[attr-defined]
    courier = a_courier(journal, store, watched={ROOT: 1})
    courier.start()

    asked_twice = until(lambda: len(asked) > 1)

    journal.append(log_line(ROOT, "still there"))
    arrived = until(lambda: texts(store._store) == ["still there"])
    courier.finish(1.0)
    assert asked_twice
    assert arrived


def test_a_sleeping_courier_is_woken_by_an_append(journal: Journal, store: Unsteady) -> None:
    courier = a_courier(journal, store)
    courier.start()
    slept = until(lambda: journal.sleeping)

    journal.append(log_line(ROOT, "wake up"))
    arrived = until(lambda: texts(store._store) == ["wake up"], seconds=5.0)

    courier.finish(1.0)
    assert slept
    assert arrived


def test_a_log_line_of_any_text_arrives_as_it_was(journal: Journal, store: Unsteady) -> None:
    courier = a_courier(journal, store)
    strange = ["", "नदी", "\x00\x01", "a\nb", "🙂" * 1000]

    for text in strange:
        journal.append(log_line(ROOT, text))
    courier.barrier()

    assert texts(store._store) == strange


def test_a_store_that_was_replaced_by_an_older_copy_is_told_and_serves_again_once_it_is_put_right(
    monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    monkeypatch.setattr(delivery, "AFRESH_BYTES", 2000)
    right, older = MemoryStore(), MemoryStore()
    store = Unsteady(right)
    courier = a_courier(journal, store)
    for n in range(50):
        journal.append(log_line(ROOT, f"{n}{'x' * 100}"))
        courier.barrier()

    store._store = older
    journal.append(log_line(ROOT, "after"))
    reached, told = courier.barrier(), courier.trouble
    store._store = right
    courier.start()
    delivered = until(lambda: courier.delivered == journal.last)
    courier.finish(5.0)

    assert reached is Reach.SPOOLED
    assert "Was the database replaced by an older copy?" in told
    assert delivered
    assert right.logs(ROOT)[-1].text == "after"


class Silent:
    """A store that takes questions and answers none until it is told to."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.speaks = threading.Event()
        self.asked = 0

    def requests(self, runs: Sequence[str]) -> list[Request]:
        self.asked += 1
        self.speaks.wait(30)
        return self._store.requests(runs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_a_run_that_must_know_whose_it_is_waits_for_a_silent_store_once_and_not_for_long(
    monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    monkeypatch.setattr(delivery, "PATIENCE", 0.05)
    store = Silent(MemoryStore())
    courier = a_courier(journal, store, watched={ROOT: 1})

    for _ in range(3):
        courier.confirmed = 0.0
        courier.attend()
    asked, went_on = store.asked, courier.confirmed > 0
    store.speaks.set()
    courier.finish(5.0)

    assert (asked, went_on) == (1, True)


def test_where_no_further_thread_can_be_a_run_asks_in_its_own(
    monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    store, told = MemoryStore(), Told()
    courier = a_courier(journal, store, told, watched={ROOT: 1})
    courier.barrier()
    store.ask(Request(run=ROOT, kind="cancel", at=1.0, by="ada"))
    monkeypatch.setattr(threading.Thread, "start", refuse)

    courier.attend()

    assert [request.by for request in told.requests] == ["ada"]


def test_the_end_of_a_process_waits_for_a_silent_store_no_longer_than_for_one_that_is_away(
    monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    monkeypatch.setattr(delivery, "PATIENCE", 0.05)
    courier = a_courier(journal, MemoryStore())
    journal.append(flow_begun(ROOT))

    with courier._step:  # as the courier's thread has it, for as long as there is no answer
        complete = courier.finish(0.01)

    assert not complete
