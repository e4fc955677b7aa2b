"""The live stream: what readers are told, in which order, and how they come back."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nadi.model.states import StateType
from nadi.server.news import KINDS, PAGE, PIECE_BYTES, Place, View, read_piece
from nadi.server.streaming import cursor_of, event_text, place_of
from nadi.storage.contract import Store
from nadi.storage.memory import MemoryStore
from nadi.storage.postgres import PostgresStore
from nadi.storage.sqlite import SqliteStore
from tests.postgres import server as postgres
from tests.server.conftest import Serve
from tests.server.reading import PATIENCE, Event, Reader
from tests.server.serving import Served, serving
from tests.storage.telling import (
    T0,
    Writer,
    an_id,
    artifact_made,
    flow_begun,
    flow_moved,
    log_line,
    metric_logged,
    task_begun,
    task_moved,
)

S = StateType
RUN, OTHER, CHILD, TASK = an_id(1), an_id(2), an_id(3), an_id(10)


Open = Callable[..., Reader]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    stores: dict[str, Callable[[], Store]] = {
        "memory": MemoryStore,
        "sqlite": lambda: SqliteStore(tmp_path / "served.db"),
        "postgres": lambda: PostgresStore(postgres().fresh(owner=tmp_path)),
    }
    store = stores[request.param]()
    yield store
    store.close()


@pytest.fixture
def any_server(any_store: Store, tmp_path: Path) -> Iterator[Served]:
    """A server over an empty store of each kind."""
    with serving(any_store, tmp_path / "server-home") as served:
        yield served


@pytest.fixture
def follow() -> Iterator[Open]:
    readers: list[Reader] = []

    def open_reader(server: Served, query: str = "", *, last: str = "", token: str = "") -> Reader:
        readers.append(Reader(server.port, token or server.client.token, query, last=last))
        return readers[-1]

    yield open_reader
    for reader in readers:
        reader.close()


# -- what is told --


def test_a_stream_begins_with_the_place_where_it_begins(any_server: Served, follow: Open) -> None:
    Writer(any_server.context.store).tell(flow_begun(RUN))

    reader = follow(any_server)
    first = reader.next()

    assert reader.response.status == 200
    assert reader.response.getheader("content-type") == "text/event-stream; charset=utf-8"
    assert reader.response.getheader("x-accel-buffering") == "no"
    assert reader.response.getheader("cache-control") == "no-store"
    assert reader.response.getheader("content-encoding") is None
    assert (first.kind, first.data) == ("open", {"change": any_server.context.store.last_change()})
    assert first.retry == "2000"


def test_what_changes_is_told_as_it_is_committed(any_server: Served, follow: Open) -> None:
    reader = follow(any_server)
    reader.next()
    writer = Writer(any_server.context.store)

    writer.tell(flow_begun(RUN))
    begun = reader.next()
    writer.tell(flow_moved(RUN, S.COMPLETED))
    ended = reader.next()

    assert [(event.kind, event.items[0]["id"], event.items[0]["state"]) for event in (begun, ended)] == [
        ("flow-runs", RUN, "RUNNING"),
        ("flow-runs", RUN, "COMPLETED"),
    ]


def test_who_follows_a_run_is_told_of_all_that_belongs_to_it_and_of_no_other(any_server: Served, follow: Open) -> None:
    writer, stranger = Writer(any_server.context.store, "w1"), Writer(any_server.context.store, "w2")
    writer.tell(flow_begun(RUN))
    reader = follow(any_server, f"run={RUN}&logs=1")
    reader.next()

    stranger.tell(flow_begun(OTHER), log_line(OTHER, "elsewhere"))
    writer.tell(
        task_begun(RUN, TASK),
        flow_begun(RUN, id=CHILD, parent=TASK, flow="inner"),
        artifact_made(RUN, an_id(20)),
        metric_logged(RUN, "loss", 0.5),
        log_line(RUN, "hello\nworld"),
    )
    events = reader.until(lambda event: event.kind == "flow-runs")

    told = {event.kind: event.items for event in events}
    assert {run["id"] for run in told["flow-runs"]} == {RUN, CHILD}
    assert [task["id"] for task in told["task-runs"]] == [TASK]
    assert [(one["id"], one["data"]) for one in told["artifacts"]] == [(an_id(20), "# Report")]
    assert [(one["key"], one["value"], one["step"]) for one in told["metrics"]] == [("loss", 0.5, 0)]
    series = any_server.client.get(f"/api/flow-runs/{RUN}/metrics").json()
    assert [one["number"] for one in told["metrics"]] == [series["after"]]
    assert [line["text"] for line in told["logs"]] == ["hello\nworld"]


def test_log_lines_are_told_only_where_they_are_asked_for_and_from_their_level_on(server: Served, follow: Open) -> None:
    writer = Writer(server.context.store)
    writer.tell(flow_begun(RUN))
    without, errors = follow(server, f"run={RUN}"), follow(server, f"run={RUN}&logs=1&level=ERROR")
    without.next(), errors.next()

    writer.tell(log_line(RUN, "quiet", level=20), log_line(RUN, "loud", level=40))
    writer.tell(flow_moved(RUN, S.FAILED))

    def is_end(event: Event) -> bool:
        return event.kind == "flow-runs" and event.items[0]["state"] == "FAILED"

    assert "logs" not in {event.kind for event in without.until(is_end)}
    lines = [line["text"] for event in errors.until(lambda event: event.kind == "logs") for line in texts(event)]
    assert lines == ["loud"]


def texts(event: Event) -> list[Any]:
    return event.items if event.kind == "logs" else []


def test_who_follows_one_flow_is_told_of_no_other(server: Served, follow: Open) -> None:
    reader = follow(server, "flow=nightly&tag=a")
    reader.next()

    writer = Writer(server.context.store, "w")
    writer.tell(flow_begun(OTHER, flow="hourly", tags=("a",)))
    writer.tell(flow_begun(an_id(4), tags=("b",)))
    writer.tell(flow_begun(RUN, tags=("a", "b")))

    assert [run["id"] for run in reader.next().items] == [RUN]


def test_a_run_that_does_not_fit_any_more_is_told_to_be_gone(server: Served, follow: Open) -> None:
    writer = Writer(server.context.store)
    writer.tell(flow_begun(RUN))
    reader = follow(server, "state=RUNNING")
    reader.next()

    writer.tell(flow_moved(RUN, S.COMPLETED))

    event = reader.next()
    assert (event.kind, event.items) == ("gone", [RUN])


def test_a_run_that_is_deleted_is_told_of(any_server: Served, follow: Open) -> None:
    store = any_server.context.store
    Writer(store).tell(flow_begun(RUN), flow_moved(RUN, S.COMPLETED))
    everybody, of_it = follow(any_server), follow(any_server, f"run={RUN}")
    everybody.next(), of_it.next()

    store.delete_run(RUN, now=T0)

    for reader in (everybody, of_it):
        event = reader.next()
        assert (event.kind, event.items) == ("deleted", [RUN])


def test_an_artifact_with_much_data_is_told_of_without_it(server: Served, follow: Open) -> None:
    writer = Writer(server.context.store)
    writer.tell(flow_begun(RUN))
    reader = follow(server, f"run={RUN}")
    reader.next()

    writer.tell(artifact_made(RUN, an_id(20), data=json.dumps("x" * 100_000).encode()))

    [told] = reader.until(lambda event: event.kind == "artifacts")[-1].items
    assert (told["id"], told["data"], told["size_bytes"]) == (an_id(20), None, 100_002)


# -- coming back --


def test_who_comes_back_misses_nothing_and_hears_nothing_twice(any_server: Served, follow: Open) -> None:
    writer = Writer(any_server.context.store)
    writer.tell(flow_begun(RUN))
    reader = follow(any_server, f"run={RUN}&logs=1")
    reader.next()
    heard: list[str] = []

    for n in range(10):
        writer.tell(log_line(RUN, f"line {2 * n}"))
        heard += [line["text"] for line in reader.until(lambda event: event.kind == "logs")[-1].items]
        reader.close()
        writer.tell(log_line(RUN, f"line {2 * n + 1}"))
        reader = follow(any_server, f"run={RUN}&logs=1", last=reader.id)
        events = reader.until(lambda event: event.kind == "logs")
        assert events[0].kind == "open"
        heard += [line["text"] for line in events[-1].items]

    assert heard == [f"line {n}" for n in range(20)]


def test_who_was_cut_in_the_middle_of_a_piece_goes_on_there(server: Served, follow: Open) -> None:
    writer = Writer(server.context.store)
    writer.tell(flow_begun(RUN))
    reader = follow(server, f"run={RUN}&logs=1")
    start = reader.next().id
    writer.tell(task_begun(RUN, TASK), metric_logged(RUN, "loss", 0.5), log_line(RUN, "one"))
    events = follow(server, f"run={RUN}&logs=1", last=start).until(lambda event: event.kind == "flow-runs")
    assert [event.kind for event in events] == ["open", "task-runs", "metrics", "logs", "flow-runs"]
    after_metrics = events[2].id

    writer.tell(metric_logged(RUN, "loss", 0.25), log_line(RUN, "two"))
    again = follow(server, f"run={RUN}&logs=1", last=after_metrics)
    told: dict[str, list[Any]] = {"metrics": [], "logs": []}
    while told["logs"][-1:] != ["two"]:
        event = again.next()
        told.setdefault(event.kind, [])
        if event.kind == "metrics":
            told["metrics"] += [value["value"] for value in event.items]
        if event.kind == "logs":
            told["logs"] += [line["text"] for line in event.items]

    assert (told["metrics"], told["logs"]) == ([0.25], ["one", "two"])


def test_what_is_told_never_goes_back(any_server: Served, follow: Open) -> None:
    writer = Writer(any_server.context.store)
    writer.tell(flow_begun(RUN), task_begun(RUN, TASK))
    readers = [follow(any_server, f"run={RUN}") for _ in range(5)]
    attempts: list[list[int]] = [[] for _ in readers]

    for attempt in range(2, 30):
        writer.tell(
            task_moved(RUN, TASK, S.SCHEDULED, attempt=attempt - 1, state_name="AwaitingRetry"),
            task_begun(RUN, TASK, attempt=attempt, was=S.SCHEDULED),
        )
    for reader, seen in zip(readers, attempts, strict=True):
        while seen[-1:] != [29]:
            event = reader.next()
            if event.kind == "task-runs":
                seen += [task["attempt"] for task in event.items]

    assert all(seen == sorted(set(seen)) for seen in attempts)


def test_a_stream_can_begin_after_a_change_number_that_an_answer_bore(server: Served, follow: Open) -> None:
    writer = Writer(server.context.store)
    writer.tell(flow_begun(RUN))
    known = server.context.store.last_change()
    writer.tell(flow_moved(RUN, S.COMPLETED))

    reader = follow(server, f"after={known}")

    first, event = reader.next(), reader.next()
    assert first.data == {"change": known}
    assert (event.kind, event.items[0]["state"]) == ("flow-runs", "COMPLETED")


@pytest.mark.parametrize(
    "cursor", ["garbage", "..", "1.2.3.4.5", "x" * 10_000, "0.0.0.0.0", "a.1.1.1.99999999999999999999999", "١.١.١.١.١"]
)
def test_a_cursor_that_means_nothing_is_answered_with_a_reset(server: Served, follow: Open, cursor: str) -> None:
    reader = follow(server, last=cursor.encode().decode("latin-1"))

    first = reader.next()

    assert (first.kind, first.data) == ("reset", {"change": server.context.store.last_change()})


def test_a_cursor_counts_for_its_own_store_for_what_it_has_and_for_a_day() -> None:
    place = Place(7, 12, 3)
    cursor = cursor_of("0123456789abcdef", place, T0)

    assert place_of(cursor, "0123456789abcdef", 12, T0 + 60) == place
    assert place_of(cursor, "fedcba9876543210", 12, T0 + 60) is None
    assert place_of(cursor, "0123456789abcdef", 11, T0 + 60) is None
    assert place_of(cursor, "0123456789abcdef", 12, T0 + 90_000) is None


# -- pieces --


def read_all(store: Store, view: View) -> list[tuple[str, list[Any], Place]]:
    events, place = [], Place(0)
    while place.change < store.last_change():
        piece = read_piece(store, view, place, store.last_change(), now=T0)
        events += [(kind, json.loads(data)["items"], after) for kind, data, after in piece.events]
        assert piece.next.change > place.change
        place = piece.next
    return events


def test_much_news_comes_in_pieces_that_leave_nothing_out() -> None:
    store = MemoryStore()
    writer = Writer(store)
    tasks = [an_id(100 + n) for n in range(3 * PAGE)]
    writer.tell(flow_begun(RUN), *(task_begun(RUN, task) for task in tasks))
    writer.tell(*(log_line(RUN, f"line {n}") for n in range(2 * PAGE + 1)))

    events = read_all(store, View(run=RUN, logs=True))

    told = [task["id"] for kind, items, _ in events if kind == "task-runs" for task in items]
    lines = [line["text"] for kind, items, _ in events if kind == "logs" for line in items]
    assert sorted(told) == tasks
    assert lines == [f"line {n}" for n in range(2 * PAGE + 1)]


def test_whoever_hears_that_a_run_has_ended_has_heard_its_last_line() -> None:
    store = MemoryStore()
    writer = Writer(store)
    writer.tell(flow_begun(RUN), *(log_line(RUN, f"line {n}") for n in range(2 * PAGE)), flow_moved(RUN, S.COMPLETED))

    events = read_all(store, View(run=RUN, logs=True))

    ended = next(
        n for n, (kind, items, _) in enumerate(events) if kind == "flow-runs" and items[0]["state"] == "COMPLETED"
    )
    assert sum(len(items) for kind, items, _ in events[:ended] if kind == "logs") == 2 * PAGE


def test_what_is_left_of_a_piece_told_in_part_is_told_in_part_too_where_its_rows_have_grown() -> None:
    store = MemoryStore()
    writer = Writer(store)
    writer.tell(flow_begun(RUN), log_line(RUN, "x" * PIECE_BYTES))
    writer.tell(log_line(RUN, "last"))
    newest = store.last_change()
    lines_told = Place(0, newest, KINDS.index("logs") + 1)

    first = read_piece(store, View(run=RUN, logs=True), lines_told, newest, now=T0)
    rest = read_piece(store, View(run=RUN, logs=True), first.next, newest, now=T0)

    assert first.next.change < newest
    assert [kind for kind, _, _ in first.events + rest.events] == ["flow-runs"]
    assert rest.next == Place(newest)


def test_a_piece_is_bounded_in_bytes_too() -> None:
    store = MemoryStore()
    writer = Writer(store)
    writer.tell(flow_begun(RUN))
    writer.tell(*(log_line(RUN, "x" * 60_000) for _ in range(20)))

    events = read_all(store, View(run=RUN, logs=True))

    sizes = [len(json.dumps(items)) for kind, items, _ in events if kind == "logs"]
    assert sum(len(items) for kind, items, _ in events if kind == "logs") == 20
    assert max(sizes) < PIECE_BYTES + 70_000


def test_a_run_that_moves_on_while_it_is_read_is_told_later_and_newer() -> None:
    store = MemoryStore()
    writer = Writer(store)
    writer.tell(flow_begun(RUN))
    newest = store.last_change()
    writer.tell(flow_moved(RUN, S.COMPLETED))

    early = read_piece(store, View(), Place(0), newest, now=T0)
    late = read_piece(store, View(), early.next, store.last_change(), now=T0)

    assert early.events == []
    assert [json.loads(data)["items"][0]["state"] for _, data, _ in late.events] == ["COMPLETED"]


@pytest.mark.parametrize("rounds", [15, pytest.param(400, marks=pytest.mark.soak)])
def test_pieces_read_while_many_write_leave_nothing_out_and_tell_nothing_twice(any_store: Store, rounds: int) -> None:
    writers = [Writer(any_store, f"w{n}") for n in range(4)]
    for n, writer in enumerate(writers):
        writer.tell(flow_begun(an_id(n)))
    place = Place(any_store.last_change())

    def write(n: int) -> None:
        chance = random.Random(n)
        for number in range(rounds):
            lines = [log_line(an_id(n), f"{n}.{number}.{line}") for line in range(chance.randrange(1, 30))]
            writers[n].tell(*lines, metric_logged(an_id(n), "round", float(number)))
        writers[n].tell(flow_moved(an_id(n), S.COMPLETED))

    told: dict[int, list[str]] = {n: [] for n in range(4)}
    values: dict[int, list[float]] = {n: [] for n in range(4)}
    places = dict.fromkeys(told, place)
    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(write, n) for n in range(4)]
        is_over = False
        while not is_over:
            is_over = all(one.done() for one in written)
            for n in told:
                newest = any_store.last_change()
                while places[n].change < newest:
                    piece = read_piece(any_store, View(run=an_id(n), logs=True), places[n], newest, now=T0)
                    for kind, data, _ in piece.events:
                        if kind == "logs":
                            told[n] += [line["text"] for line in json.loads(data)["items"]]
                        if kind == "metrics":
                            values[n] += [value["value"] for value in json.loads(data)["items"]]
                    places[n] = piece.next

    for n in told:
        assert told[n] == [line.text for line in any_store.logs(an_id(n), limit=100_000)]
        assert values[n] == [float(number) for number in range(rounds)]


def test_a_line_break_in_data_cannot_begin_another_event() -> None:
    text = event_text("artifacts", b'{"a": 1,\n\r\nevent: reset\rid: 0\n}', "cursor")

    lines = text.decode().split("\n")
    assert lines[:2] == ["id: cursor", "event: artifacts"]
    assert all(line.startswith("data: ") for line in lines[2:-2])
    assert lines[-2:] == ["", ""]


# -- who may, and how many --


def test_a_stream_of_an_unknown_run_is_not_found(server: Served) -> None:
    for run in (RUN, "..%2F..%2Fetc", "a" * 64):
        assert server.client.get(f"/api/stream?run={run}").status == 404


def test_nobody_reads_a_stream_without_credentials_or_from_a_page_of_another_site(server: Served) -> None:
    assert server.anonymous.get("/api/stream").status == 401
    assert server.client.get("/api/stream", headers={"Origin": "https://evil.example"}).status == 403
    assert server.client.get("/api/stream", headers={"Sec-Fetch-Site": "cross-site"}).status == 403


def test_a_reader_whose_key_is_removed_is_cut_at_the_next_sign_of_life(server: Served, follow: Open) -> None:
    server.context.feed.heartbeat = 0.1
    made = server.client.post("/api/keys", json={"name": "ci", "user": a_user(server)})
    assert made.status in (200, 201), made.body
    reader = follow(server, token=made.json()["key"])
    reader.next()

    server.context.store.access.remove_key(made.json()["about"]["id"])

    began = time.monotonic()
    assert list(reader.blocks())[-1].data is None
    assert time.monotonic() - began < PATIENCE / 2


def a_user(server: Served) -> str:
    made = server.client.post("/api/users", json={"name": "ada", "role": "viewer"})
    assert made.status in (200, 201), made.body
    return "ada"


def test_signs_of_life_carry_the_place_so_that_a_quiet_reader_comes_back_near(server: Served, follow: Open) -> None:
    server.context.feed.heartbeat = 0.1
    reader = follow(server, "flow=other")
    opened = reader.next()
    Writer(server.context.store).tell(flow_begun(RUN))

    for block in reader.blocks():
        if block.id and block.id.split(".")[1] != opened.id.split(".")[1]:
            break

    assert block.data is None
    assert block.id.split(".")[1] == str(server.context.store.last_change())


def test_beyond_the_most_readers_whoever_comes_is_told_to_try_again(server: Served, follow: Open) -> None:
    server.context.feed.most_readers = 2
    readers = [follow(server), follow(server)]
    for reader in readers:
        reader.next()

    refused = server.client.get("/api/stream")
    readers[0].close()
    readers[0].response.close()

    assert refused.status == 429
    deadline = time.monotonic() + PATIENCE
    while server.context.feed.readers == 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert follow(server).next().kind == "open"


def test_at_the_end_of_the_server_streams_end_with_a_hint_to_come_back(server: Served, follow: Open) -> None:
    reader = follow(server)
    reader.next()

    began = time.monotonic()
    server.stop()

    assert [block.retry for block in reader.blocks()] == ["2000"]
    assert time.monotonic() - began < 5.0


# -- many, and slow ones --


def test_readers_that_ask_the_same_share_one_question_to_the_store(serve: Serve, follow: Open) -> None:
    store = Counting()
    server = serve(store)
    readers = [follow(server) for _ in range(30)]
    for reader in readers:
        reader.next()

    store.asked = 0
    Writer(store).tell(flow_begun(RUN))
    for reader in readers:
        assert reader.next().items[0]["id"] == RUN

    assert store.asked <= 3


def test_who_follows_a_run_costs_nothing_while_only_others_change(serve: Serve, follow: Open) -> None:
    store = Counting()
    server = serve(store)
    Writer(store).tell(flow_begun(RUN))
    readers = [follow(server, f"run={RUN}&level={level}&logs=1") for level in ("INFO", "WARNING", "ERROR")]
    for reader in readers:
        reader.next()

    store.read_tasks = 0
    other = follow(server)
    other.next()
    for n in range(5):
        Writer(store, f"writer {n}").tell(flow_begun(an_id(100 + n)))
        other.next()
    before = store.read_tasks
    Writer(store, "last").tell(log_line(RUN, level=40, text="mine"))
    told = [reader.until(lambda event: event.kind == "logs") for reader in readers]

    assert before == 0
    assert all(events[-1].items[0]["text"] == "mine" for events in told)


@pytest.mark.parametrize("logs", [PAGE - 1, PAGE, 3 * PAGE])
def test_a_commit_that_is_larger_than_a_piece_is_told_whole(any_server: Served, follow: Open, logs: int) -> None:
    store = any_server.context.store
    writer = Writer(store)
    tasks = [task_begun(RUN, an_id(1000 + n)) for n in range(logs)]
    writer.tell(flow_begun(RUN), *tasks)
    reader = follow(any_server, f"run={RUN}")
    reader.next()

    run = store.flow_run(RUN)
    assert run is not None
    store.end_attempt(RUN, token=run.token, state=S.CRASHED, name="", message="", now=T0 + 9)
    told: set[str] = set()
    while len(told) < logs:
        event = reader.next()
        told |= {item["id"] for item in event.items if event.kind == "task-runs"}

    assert told == {task.id for task in tasks}


class Counting(MemoryStore):
    """Counts how often a run, and how often tasks are read."""

    asked = 0
    read_tasks = 0

    def task_runs(self, *values: Any, **named: Any) -> Any:
        self.read_tasks += 1
        return super().task_runs(*values, **named)

    def flow_run(self, run: str) -> Any:
        self.asked += 1
        return super().flow_run(run)


def test_a_slow_reader_gets_what_came_meanwhile_in_few_pieces_and_costs_nobody_else(
    server: Served, follow: Open
) -> None:
    store = server.context.store
    writer = Writer(store)
    writer.tell(flow_begun(RUN))
    slow, quick = follow(server, f"run={RUN}"), follow(server, f"run={RUN}")
    slow.next(), quick.next()

    # Each change is told with 20 kB; what does not fit between server and reader waits in the store, not in memory.
    for n in range(300):
        writer.tell(artifact_made(RUN, an_id(20), data=json.dumps(f"{n} " + "x" * 15_000).encode()))
    writer.tell(flow_moved(RUN, S.COMPLETED))

    def is_end(event: Event) -> bool:
        return event.kind == "flow-runs" and event.items[0]["state"] == "COMPLETED"

    quick.until(is_end)
    events = slow.until(is_end)
    assert len(events) < 300
    assert [event.data["change"] for event in events] == sorted(event.data["change"] for event in events)


def test_two_hundred_readers_at_once_are_all_told(serve: Serve, tmp_path: Path, follow: Open) -> None:
    store = SqliteStore(tmp_path / "served.db")
    server = serve(store)
    writer = Writer(store)
    writer.tell(flow_begun(RUN))
    readers = [follow(server, f"run={RUN}" if n % 2 else "flow=nightly") for n in range(200)]
    for reader in readers:
        assert reader.next().kind == "open"

    writer.tell(flow_moved(RUN, S.COMPLETED))

    assert {reader.next().items[0]["state"] for reader in readers} == {"COMPLETED"}
    assert server.context.feed.readers == 200
    server.stop()
    store.close()
