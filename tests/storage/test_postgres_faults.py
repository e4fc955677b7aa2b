"""PostgreSQL goes away in the middle of things: nothing is lost, nothing is there twice, and the next call works."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from nadi.exceptions import StoreUnavailable
from nadi.storage.contract import Batch
from nadi.storage.postgres import PostgresStore
from nadi.storage.postgres.database import MOST_CONNECTIONS, Connection, Database, execute, fetch
from tests.postgres import server
from tests.storage.telling import S, Writer, an_id, flow_begun, log_line

ROOT = an_id(1)
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    yield server().fresh(owner=tmp_path)
    # A test that failed half-way leaves a server to the next one all the same.
    server().start_again()


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    made = PostgresStore(url)
    yield made
    made.close()


class Proxy:
    """Stands between a client and the server, and breaks connections when a commit passes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        #: What to do with the next commit: let it "pass", or break the connection "before" or "after" it.
        self.next = "pass"
        self.refuses = False
        self.broken = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                if self.refuses:
                    client.close()
                else:
                    threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as upstream:
            while True:
                for source in select.select([client, upstream], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is upstream:
                        client.sendall(data)
                    elif self.next != "pass" and b"COMMIT\0" in data:
                        if self.next.startswith("after"):
                            upstream.sendall(data)
                            upstream.recv(65536)
                        self.refuses = self.next == "after, for ever"
                        self.next = "pass"
                        self.broken += 1
                        return
                    else:
                        upstream.sendall(data)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy(server().port)
    yield made
    made.close()


def behind(proxy: Proxy, url: str, *, patience: float = 10.0) -> PostgresStore:
    return PostgresStore(url.replace(str(server().port), str(proxy.port)), patience=patience)


# -- restarts --


def test_a_database_restarted_between_two_calls_is_not_noticed(store: PostgresStore) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT))

    server().restart()
    writer.tell(log_line(ROOT, "after"))

    assert [line.text for line in store.logs(ROOT)] == ["after"]


def test_a_database_restarted_again_and_again_under_load_loses_nothing_and_keeps_nothing_twice(
    store: PostgresStore,
) -> None:
    Writer(store, "founder").tell(*(flow_begun(an_id(n)) for n in range(1, 5)))
    done, told = threading.Event(), [0, 0, 0, 0]

    def tell(n: int) -> int:
        refused = 0
        while not done.is_set():
            batch = Batch(f"writer-{n}", told[n] + 1, [log_line(an_id(n + 1), f"line {told[n]}")])
            try:
                assert store.apply(batch).watermark == told[n] + 1
            except StoreUnavailable:
                refused += 1
            else:
                told[n] += 1
        return refused

    with ThreadPoolExecutor(4) as pool:
        telling = [pool.submit(tell, n) for n in range(4)]
        for crash in (False, True, False, True):
            seen = sum(told)
            until(lambda seen=seen: sum(told) > seen + 40 or any(each.done() for each in telling))  # type: ignore[misc]
            server().restart(crash=crash)
        seen = sum(told)
        until(lambda: sum(told) > seen + 40)
        done.set()
        for each in telling:
            each.result(timeout=30)

    for n in range(4):
        lines = [line.text for line in store.logs(an_id(n + 1), limit=100_000)]
        assert lines == [f"line {i}" for i in range(told[n])]


def test_a_database_that_is_away_is_one_sentence_soon_and_works_again_once_it_is_back(url: str) -> None:
    store = PostgresStore(url, patience=1.0)
    writer = Writer(store)
    writer.tell(flow_begun(ROOT))
    server().stop()

    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        store.flow_run(ROOT)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="Check that it runs"):
        store.flow_run(ROOT)
    waited = time.monotonic() - began
    server().start()

    # Who comes after one that waited in vain does not wait as long again.
    assert waited < 0.9
    assert store.flow_run(ROOT) is not None
    writer.tell(log_line(ROOT, "again"))
    store.close()


def test_a_store_opened_while_the_database_starts_waits_for_it(url: str) -> None:
    server().stop()
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(PostgresStore, url, patience=30.0)
        server().start()
        store = opening.result(timeout=40)

    assert store.last_change() == 0
    store.close()


def test_who_waits_for_changes_goes_on_after_a_restart(store: PostgresStore) -> None:
    before = store.last_change()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_through, store, before)
        until(lambda: store._listener._is_listening)
        server().restart()
        Writer(store).tell(flow_begun(ROOT))

        assert waiting.result(timeout=40) > before


def wait_through(store: PostgresStore, before: int) -> int:
    while True:
        with contextlib.suppress(StoreUnavailable):
            return store.wait_for_change(before, 30.0)


# -- commits --


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_commit_whose_answer_was_lost_is_looked_up_and_done_once(url: str, proxy: Proxy, moment: str) -> None:
    store = behind(proxy, url)
    writer = Writer(store)
    writer.tell(flow_begun(ROOT))

    proxy.next = moment
    applied = writer.tell(log_line(ROOT, "once"))

    assert (applied.watermark, proxy.broken) == (2, 1)
    assert [line.text for line in store.logs(ROOT)] == ["once"]
    store.close()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_claim_whose_answer_was_lost_is_won_once(url: str, proxy: Proxy, moment: str) -> None:
    store = behind(proxy, url)
    Writer(store).tell(flow_begun(ROOT, state=S.SCHEDULED, holder=""))

    proxy.next = moment
    claim = store.claim(ROOT, holder="process-b", now=1.0)

    run = store.flow_run(ROOT)
    assert run is not None
    assert (run.token, run.holder, proxy.broken) == (claim.token, "process-b", 1)
    store.close()


def test_a_batch_of_which_nothing_is_known_may_be_sent_again(url: str, proxy: Proxy) -> None:
    store = behind(proxy, url, patience=1.0)
    Writer(store).tell(flow_begun(ROOT))
    batch = Batch("writer-1", 2, [log_line(ROOT, "once")])

    proxy.next = "after, for ever"
    with pytest.raises(StoreUnavailable, match="is not known"):
        store.apply(batch)
    proxy.refuses = False
    applied = store.apply(batch)

    assert applied.watermark == 2
    assert [line.text for line in store.logs(ROOT)] == ["once"]
    store.close()


def test_a_process_killed_while_it_applies_leaves_batches_whole(url: str, store: PostgresStore) -> None:
    code = """
import sys
from nadi.storage.postgres import PostgresStore
from tests.storage.telling import Writer, an_id, flow_begun, log_line
writer = Writer(PostgresStore(sys.argv[1]))
writer.tell(flow_begun(an_id(1)))
while True:
    writer.tell(*(log_line(an_id(1), "x" * 2000) for _ in range(50)))
"""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])}
    process = subprocess.Popen([sys.executable, "-c", code, url], env=environ)
    until(lambda: store.watermark("writer-1") > 500)

    process.send_signal(signal.SIGKILL)
    process.wait()

    # What it had sent last is done by the server, or not at all.
    until(lambda: others(url) <= MOST_CONNECTIONS and not held_locks(url))
    assert len(store.logs(ROOT, limit=1_000_000)) == store.watermark("writer-1") - 1


# -- locks and connections --


def test_of_two_that_wait_for_each_other_one_begins_again_and_both_are_done(url: str) -> None:
    database = Database(url, patience=20.0)
    both = threading.Barrier(2)

    def add(first: str, second: str) -> int:
        tries = 0

        def work(connection: Connection) -> None:
            nonlocal tries
            tries += 1
            for name in (first, second):
                execute(connection, "UPDATE variable SET updated = updated + 1 WHERE name = %s", (name,))
                if tries == 1 and name == first:
                    both.wait(timeout=20)

        database.transact(work)
        return tries

    database.transact(
        lambda connection: execute(
            connection, "INSERT INTO variable (name, value, tags, updated) VALUES ('a', '', '', 0), ('b', '', '', 0)"
        )
    )
    with ThreadPoolExecutor(2) as pool:
        tries = sorted(each.result(timeout=30) for each in (pool.submit(add, "a", "b"), pool.submit(add, "b", "a")))

    # At least one; each of the two may have looked for the circle at the same moment.
    assert tries[-1] == 2
    assert database.fetch("SELECT updated FROM variable") == [(2.0,), (2.0,)]
    database.close()


def test_a_row_kept_locked_by_another_program_is_one_sentence_and_works_again_after(url: str) -> None:
    store = PostgresStore(url, patience=0.5)
    writer = Writer(store)
    writer.tell(flow_begun(ROOT))
    line = Batch("writer-1", 2, [log_line(ROOT, "late")])

    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM flow_run FOR UPDATE")
        with pytest.raises(StoreUnavailable, match=r"locked for 0\.5 s"):
            store.apply(line)

    assert store.apply(line).watermark == 2
    store.close()


def test_many_readers_at_once_share_a_few_connections(url: str, store: PostgresStore) -> None:
    most = 0
    counting = Database(url, patience=20.0)

    def read(_: int) -> None:
        with store._database.read() as connection:
            fetch(connection, "SELECT pg_sleep(0.02)")

    with ThreadPoolExecutor(40) as pool:
        reading = [pool.submit(read, n) for n in range(80)]
        while not all(each.done() for each in reading):
            most = max(most, others(url, counting))
        for each in reading:
            each.result()

    assert 1 < most <= MOST_CONNECTIONS
    counting.close()


def test_a_call_that_finds_no_free_connection_in_time_says_so(url: str) -> None:
    store = PostgresStore(url, patience=0.2)
    with contextlib.ExitStack() as taken:
        for _ in range(MOST_CONNECTIONS):
            taken.enter_context(store._database.read())

        with pytest.raises(StoreUnavailable, match=r"have been in use for 0\.2 s"):
            store.flow_run(ROOT)

    assert store.flow_run(ROOT) is None
    store.close()


def test_a_forked_child_may_not_use_the_store_and_does_the_parent_no_harm(url: str) -> None:
    code = """
import os, sys
from nadi.exceptions import StoreUnavailable
from nadi.storage.postgres import PostgresStore
from tests.storage.telling import Writer, an_id, flow_begun, log_line
store = PostgresStore(sys.argv[1])
writer = Writer(store)
writer.tell(flow_begun(an_id(1)))
store.wait_for_change(store.last_change(), 0.01)
with store._database.write() as connection:
    connection.execute("SELECT 1")
    child = os.fork()
    if child == 0:
        try:
            store.last_change()
        except StoreUnavailable as error:
            print(error, flush=True)
        # Ends as a process does, with all that is closed on the way.
        sys.exit(0)
    os.waitpid(child, 0)
    connection.execute("SELECT 1")
writer.tell(log_line(an_id(1), "from the parent"))
print([line.text for line in store.logs(an_id(1))], store.wait_for_change(0, 5.0) > 0)
"""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])}

    done = subprocess.run([sys.executable, "-c", code, url], env=environ, text=True, capture_output=True, timeout=50)

    refused, parent = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert "was forked from one that uses the database" in refused
    assert parent == "['from the parent'] True"


def test_a_store_that_was_closed_says_so(store: PostgresStore) -> None:
    store.close()

    with pytest.raises(StoreUnavailable, match="was closed"):
        store.last_change()


def test_a_store_that_is_closed_while_others_wait_for_changes_leaves_no_connection(url: str) -> None:
    for turn in range(8):
        store = PostgresStore(url)
        said: list[str] = []

        def watch(store: PostgresStore = store, said: list[str] = said) -> None:
            try:
                while True:
                    store.wait_for_change(store.last_change(), 20.0)
            except StoreUnavailable as error:
                said.append(str(error))

        watching = [threading.Thread(target=watch) for _ in range(3)]
        for thread in watching:
            thread.start()
        if turn % 2:
            until(lambda: others(url) >= 2)  # else it is closed while they begin to listen

        began = time.monotonic()
        store.close()
        for thread in watching:
            thread.join(10.0)

        assert len(said) == 3
        assert time.monotonic() - began < 5.0
        until(lambda: others(url) == 0)


def others(url: str, database: Database | None = None) -> int:
    """Return how many connections there are to the database, but for the one that asks."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    if database is not None:
        return int(database.fetch(sql)[0][0])
    with psycopg.connect(url) as connection:
        found = connection.execute(sql).fetchone()
    assert found is not None
    return int(found[0])


def held_locks(url: str) -> bool:
    with psycopg.connect(url) as connection:
        sql = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' OR mode = 'RowExclusiveLock'"
        return connection.execute(sql).fetchone() is not None


def until(is_so: Callable[[], bool], *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)
