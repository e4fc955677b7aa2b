"""What is special about a store behind a server: how batches travel, what of a store can be reached, result files."""

from __future__ import annotations

import http.client
import logging
import math
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi.exceptions import CallError, StoreUnavailable
from nadi.model.records import AnyRecord, AssetDescribed, Counted, InputAsked
from nadi.model.runs import RunFilter
from nadi.server.api import endpoints
from nadi.storage import results as results_module
from nadi.storage.contract import Applied, Batch, Refusal, Store
from nadi.storage.contracts.access import AccessTable
from nadi.storage.contracts.retention import RetentionTable
from nadi.storage.http import delivering, lists
from nadi.storage.http.calls import CALLS, LARGEST_BODY, LARGEST_RESULT, RUNS, TABLES, Delivery, StoreCall
from nadi.storage.http.client import Client
from nadi.storage.http.results import REST_TIMES, HttpResults
from nadi.storage.http.results import far_results as results_of
from nadi.storage.http.store import HttpStore, connect
from nadi.storage.memory import MemoryStore
from nadi.storage.results import LocalResults
from nadi.storage.sqlite import SqliteStore
from tests.storage.far import far_results, far_store, the_server
from tests.storage.stand_ins import Line, free_port
from tests.storage.telling import (
    S,
    Writer,
    a_call,
    an_id,
    artifact_made,
    event_emitted,
    flow_begun,
    log_line,
    metric_logged,
    task_begun,
    task_moved,
)

ROOT, TASK = an_id(1), an_id(10)
CLAIM = {"id": "c", "names": ["x"], "slots": 1, "holder": "h", "term": 9.0, "at": 0.0}


@pytest.fixture
def behind() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def store(behind: MemoryStore) -> HttpStore:
    return far_store(behind)


def packed(record: AnyRecord) -> bytes:
    return msgspec.msgpack.encode(record)


def deliver(store: HttpStore, *records: bytes, first: int = 1) -> Applied:
    body = msgspec.msgpack.encode(Delivery("w", first, list(records)))
    return msgspec.msgpack.decode(store.client.request("POST", "/api/journal", body=body).body, type=Applied)


def texts(store: Store) -> list[str]:
    return [log.text for log in store.logs(ROOT)]


# -- the journal --


#: A record with a field more, which nests so deeply that nothing could read it.
TOO_DEEP = b"\x9a" + packed(log_line(ROOT, "x"))[1:] + b"\x91" * 50_000 + b"\xc0"
NO_TEXT = packed(log_line(ROOT, "hello")).replace(b"hello", b"he\xffl\xff")


@pytest.mark.parametrize(
    "garbage", [b"", b"\xc1", b"\x93\xa4flow", b"\x91\xa7unheard", b"\xff" * 100, TOO_DEEP, NO_TEXT]
)
def test_a_record_that_cannot_be_read_is_refused_in_its_place_and_the_others_apply(
    store: HttpStore, behind: MemoryStore, garbage: bytes
) -> None:
    applied = deliver(store, packed(flow_begun(ROOT)), garbage, packed(log_line(ROOT, "after")))

    assert applied.watermark == 3
    assert [(one.n, one.why) for one in applied.refused] == [(2, Refusal.INVALID)]
    assert texts(behind) == ["after"]


@pytest.mark.parametrize("id", ["", "..", "a/b", "--force", "x" * 65, "a\nb", "a%00"])
def test_a_run_whose_id_no_engine_made_is_refused(store: HttpStore, behind: MemoryStore, id: str) -> None:
    applied = deliver(store, packed(flow_begun(id)), packed(flow_begun(ROOT)), packed(task_begun(ROOT, id)))

    assert [(one.n, one.why) for one in applied.refused] == [(1, Refusal.INVALID), (3, Refusal.INVALID)]
    assert behind.counts()["flow_runs"] == 1


#: Records that every store would keep, and that no page could show any more.
UNSHOWABLE: list[AnyRecord] = [
    *(flow_begun(an_id(2), parameters=data) for data in (b"{{{", b"[1]", b'{"a": "\xff"}', b"", b"[" * 9_999)),
    flow_begun(an_id(2), source=b"{{{"),
    artifact_made(ROOT, an_id(3), data=b"{{{"),
    artifact_made(ROOT, an_id(3), data=b""),
    event_emitted(ROOT, an_id(4), payload=b"[]"),
    *(msgspec.structs.replace(event_emitted(ROOT, an_id(4)), occurred=time) for time in (math.nan, 1e300, -1e12)),
    msgspec.structs.replace(log_line(ROOT, "x"), at=math.inf),
    msgspec.structs.replace(task_moved(ROOT, TASK, S.FAILED), due=math.nan),
    InputAsked(ROOT, 1, 1.0, ROOT, "1", schema=b"true"),
    InputAsked(ROOT, 1, 1.0, ROOT, "1", deadline=math.inf),
    AssetDescribed(ROOT, 1, 1.0, ROOT, TASK, "s3://lake/x", b"{{{"),
]


@pytest.mark.parametrize("record", UNSHOWABLE, ids=lambda record: type(record).__name__)
def test_a_record_that_no_page_could_show_is_refused_in_its_place(store: HttpStore, record: AnyRecord) -> None:
    applied = deliver(store, packed(flow_begun(ROOT)), packed(record), packed(log_line(ROOT, "after")))

    assert applied.watermark == 3
    assert [(one.n, one.why) for one in applied.refused] == [(2, Refusal.INVALID)]


def test_a_record_that_the_store_chokes_on_is_found_and_refused_alone(tmp_path: Path) -> None:
    behind = SqliteStore(tmp_path / "nadi.db")
    store = far_store(behind)
    lines: list[AnyRecord] = [log_line(ROOT, str(n)) for n in range(6)]
    poison = metric_logged(ROOT, "loss", 1.0, step=2**64 - 1)

    applied = Writer(store).tell(flow_begun(ROOT), *lines[:2], poison, *lines[2:])

    behind.close()
    assert applied.watermark == 8
    assert [(one.n, one.why) for one in applied.refused] == [(4, Refusal.INVALID)]
    assert texts(SqliteStore(tmp_path / "nadi.db")) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(("writer", "first"), [("", 1), ("w" * 201, 1), ("a\nb", 1), ("w", 0)])
def test_a_delivery_without_a_proper_writer_or_number_is_refused(store: HttpStore, writer: str, first: int) -> None:
    body = msgspec.msgpack.encode(Delivery(writer, first, [packed(flow_begun(ROOT))]))

    with pytest.raises(CallError, match="writer"):
        store.client.request("POST", "/api/journal", body=body)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(store: HttpStore, behind: MemoryStore) -> None:
    served = the_server()
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.putrequest("POST", "/api/journal")
    connection.putheader("Authorization", f"Bearer {served.context.install_token}")
    connection.putheader("Content-Type", "application/msgpack")
    connection.putheader("Content-Length", str(LARGEST_BODY + 1))
    connection.endheaders()  # and not a byte of it follows

    answer = connection.getresponse()

    assert answer.status == 413
    connection.close()


def test_a_body_that_grows_too_large_while_it_comes_is_refused(store: HttpStore, behind: MemoryStore) -> None:
    served = the_server()
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    headers = {
        "Authorization": f"Bearer {served.context.install_token}",
        "Content-Type": "application/msgpack",
        "Transfer-Encoding": "chunked",
    }
    pieces = (b"\0" * (1 << 20) for _ in range(18))

    try:
        connection.request("POST", "/api/journal", body=pieces, headers=headers, encode_chunked=True)
        status = connection.getresponse().status
    except OSError:  # it has hung up while we were sending
        status = 413

    assert status == 413
    assert behind.counts()["writers"] == 0
    connection.close()


def test_a_large_batch_travels_in_parts_and_arrives_whole(store: HttpStore, behind: MemoryStore) -> None:
    lines = [log_line(ROOT, f"{n}{'x' * 60_000}") for n in range(100)]
    batch = Batch("w", 1, [flow_begun(ROOT), *lines])

    parts = list(delivering.parts_of(batch))
    applied = store.apply(batch)

    assert len(parts) > 5
    assert all(sum(map(len, part.records)) <= delivering.PART for part in parts)
    assert applied == Applied(101)
    assert len(behind.logs(ROOT)) == 100


def test_of_a_batch_no_more_than_a_part_is_packed_at_a_time() -> None:
    taken: list[int] = []

    def lines() -> Iterator[AnyRecord]:
        for n in range(1000):
            taken.append(n)
            yield log_line(ROOT, "x" * 60_000)

    first = next(delivering.parts_of(Batch("w", 1, lines())))  # type: ignore[arg-type]  # one record at a time

    assert len(taken) == len(first.records) + 1


def test_a_gap_stops_the_parts_that_would_follow(store: HttpStore, behind: MemoryStore) -> None:
    applied = store.apply(Batch("w", 5, [log_line(ROOT, "x" * 60_000) for _ in range(50)]))

    assert applied == Applied(0)
    assert behind.watermark("w") == 0


def test_an_artifact_that_no_server_takes_is_replaced_by_one_that_says_so(
    store: HttpStore, behind: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    huge = artifact_made(ROOT, an_id(20), kind="table", data=b'"' + b"x" * LARGEST_BODY + b'"')

    with caplog.at_level(logging.WARNING, "nadi.storage"):
        applied = Writer(store).tell(flow_begun(ROOT), huge, log_line(ROOT, "after"))

    artifact = behind.artifact(an_id(20))
    assert applied == Applied(3)
    assert artifact is not None
    assert (artifact.kind, artifact.key) == ("markdown", "report")
    assert "has 16 MiB, more than" in msgspec.json.decode(artifact.data)
    assert "more than a server takes" in caplog.text


def test_a_state_that_no_server_takes_keeps_the_state_and_loses_the_text(store: HttpStore, behind: MemoryStore) -> None:
    failed = task_moved(ROOT, TASK, S.FAILED, message="it failed", detail="x" * (LARGEST_BODY + 1))

    Writer(store).tell(flow_begun(ROOT), task_begun(ROOT, TASK), failed)

    task = behind.task_run(TASK)
    assert task is not None
    assert (task.state_type, task.message) == (S.FAILED, "it failed")
    assert len(task.detail) < 100_000
    assert "the rest was left out" in task.detail


def test_what_cannot_be_made_smaller_is_counted_at_its_run() -> None:
    many = flow_begun(an_id(2), tags=tuple(f"tag-{n:030}" for n in range(500_000)))

    (part,) = delivering.parts_of(Batch("w", 1, [many]))
    (payload,) = part.records
    assert msgspec.msgpack.decode(payload, type=AnyRecord) == Counted(an_id(2), 1, many.at, an_id(2), "flow", 1)


def test_what_is_meant_for_another_store_is_not_applied(store: HttpStore) -> None:
    other = MemoryStore()
    the_server().context.store = other  # the server was given another database

    with pytest.raises(StoreUnavailable, match=f"has the store {other.id} now"):
        Writer(store).tell(flow_begun(ROOT))
    with pytest.raises(StoreUnavailable, match="store"):
        store.last_change()

    assert other.counts()["writers"] == 0


# -- the calls --


def test_every_method_of_a_store_is_reachable_or_has_a_way_of_its_own() -> None:
    own_ways = {(RUNS, name) for name in ("apply", "recorded_calls", "close")}
    promised = {(table, name) for table, contract in TABLES.items() for name in contract.__abstractmethods__}

    reachable = {(call.table, call.method) for call in CALLS}

    assert promised - reachable == own_ways
    assert reachable - promised == {(RUNS, name) for name in ("wait_for_change", "flow_runs", "end_attempts")}
    assert len(CALLS) == len(reachable)


def test_users_keys_and_retention_are_not_reachable(store: HttpStore) -> None:
    tables = {(AccessTable, "access"), (RetentionTable, "retention")}
    paths = {f"/api/store/{name}/{method}" for table, name in tables for method in table.__abstractmethods__}

    served = {endpoint.path for endpoint in endpoints()}

    assert paths & served == set()
    assert the_server().client.post("/api/store/access/users", {}).status == 404
    with pytest.raises(StoreUnavailable, match="by the Nadi server"):
        store.access.users()


LISTS: dict[str, Callable[[Store, int], list[Any]]] = {
    "flow_runs": lambda store, limit: store.flow_runs(RunFilter(), limit=limit),
    "waiting_runs": lambda store, limit: store.waiting_runs(["later"], state=S.SCHEDULED, limit=limit),
    "subflow_runs": lambda store, limit: store.subflow_runs(ROOT, limit=limit),
    "task_runs": lambda store, limit: store.task_runs(ROOT, limit=limit),
    "artifacts": lambda store, limit: store.artifacts(key="report", limit=limit),
    "logs": lambda store, limit: store.logs(ROOT, limit=limit),
    "last_logs": lambda store, limit: store.last_logs(ROOT, limit=limit),
    "metrics": lambda store, limit: store.metrics(ROOT, limit=limit),
}


@pytest.mark.parametrize("limit", [1, 3, 4, 6, 7, 1_000_000])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_asked_for_in_pages_however_long_it_may_be(
    store: HttpStore, behind: MemoryStore, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    several = range(1, 8)
    Writer(store).tell(flow_begun(ROOT), *(flow_begun(an_id(n)) for n in several if n != 1))
    for n in several:
        of_task = {"flow": "later", "state": S.SCHEDULED, "holder": "", "call": a_call("")}
        Writer(store, f"w{n}").tell(flow_begun(an_id(20 + n), **of_task))
        Writer(store, f"v{n}").tell(
            flow_begun(ROOT, id=an_id(40 + n), parent=ROOT, call=a_call(ROOT)),
            task_begun(ROOT, an_id(60 + n)),
            artifact_made(ROOT, an_id(80 + n)),
            log_line(ROOT, f"line {n}"),
            metric_logged(ROOT, "loss", float(n)),
        )
    monkeypatch.setitem(lists.PAGES, name, msgspec.structs.replace(lists.PAGES[name], size=3))
    asked: list[int] = []
    ask = store._ask

    def counted(call: StoreCall, given: dict[str, Any]) -> Any:
        asked.append(given["limit"])
        return ask(call, given)

    monkeypatch.setattr(store, "_ask", counted)

    found = LISTS[name](store, limit)

    assert found
    assert found == LISTS[name](behind, limit)
    assert max(asked) <= 3
    assert len(asked) == min(limit, len(found)) // 3 + (len(found) < limit or len(found) % 3 > 0)


def test_all_subflow_runs_are_asked_for_in_pages(store: HttpStore, monkeypatch: pytest.MonkeyPatch) -> None:
    below = [an_id(n) for n in range(2, 9)]
    Writer(store).tell(flow_begun(ROOT), *(flow_begun(ROOT, id=id, parent=ROOT, call=a_call(ROOT)) for id in below))
    monkeypatch.setitem(lists.PAGES, "subflow_runs", msgspec.structs.replace(lists.PAGES["subflow_runs"], size=3))

    assert [run.id for run in store.subflow_runs(ROOT)] == below


def test_calls_speak_json_too(store: HttpStore) -> None:
    Writer(store).tell(flow_begun(ROOT))

    answer = the_server().client.post("/api/store/runs/flow_run", {"run": ROOT})

    assert answer.status == 200
    assert answer.json()["name"] == "quiet-river"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("runs/flow_run", {}),
        ("runs/flow_run", {"run": 5}),
        ("runs/logs", {"root": ROOT, "limit": -1}),
        ("runs/logs", {"root": ROOT, "limit": 10**9}),
        ("runs/logs", {"root": ROOT, "limit": lists.LONGEST_LIST + 1}),
        ("runs/subflow_runs", {"root": ROOT}),
        ("overview/page", {"which": {}, "limit": 10, "window": 10**9}),
        ("runs/task_runs", {"root": ROOT, "states": ["SLEEPING"]}),
        ("leases/renew", {"holder": "h", "term": 0, "first": True}),
        ("runs/set_variable", {"variable": {"name": "x", "value": "e3t7"}, "overwrite": True}),  # {{{
        ("runs/set_variable", {"variable": {"name": "a\nb", "value": "MQ=="}, "overwrite": True}),
        ("inputs/answer", {"run": ROOT, "key": "1", "value": "e3t7", "by": "me", "now": 1.0}),
        ("runs/claim", {"run": ROOT, "holder": "h", "now": 1e300}),
        ("limits/take_turn", {"names": ["x"], "slots": -1, "now": 0, "patience": 9}),
        ("limits/claim_slots", {"claim": CLAIM | {"slots": -1}, "wait": True}),
        ("limits/claim_slots", {"claim": CLAIM | {"term": 0}, "wait": True}),
        ("overview/history", {"since": 0, "until": 1, "step": 0}),
        ("overview/history", {"since": 0, "until": 1, "step": 1 << 62}),
    ],
)
def test_arguments_are_held_to_their_annotations(store: HttpStore, path: str, body: dict[str, Any]) -> None:
    assert the_server().client.post(f"/api/store/{path}", body).status == 422


def test_a_field_that_one_side_does_not_know_is_left_out(store: HttpStore) -> None:
    Writer(store).tell(flow_begun(ROOT))

    newer = the_server().client.post("/api/store/runs/flow_run", {"run": ROOT, "colour": "of a later version"})
    older = the_server().client.post("/api/store/runs/flow_runs", {"which": {"flow": "nightly"}, "limit": 5})

    assert newer.status == older.status == 200
    assert [run["id"] for run in older.json()] == [ROOT]


def test_a_change_is_waited_for_at_the_server(store: HttpStore, behind: MemoryStore) -> None:
    before = store.last_change()

    nothing_new = store.wait_for_change(before, 0.05)
    Writer(behind).tell(flow_begun(ROOT))
    told = store.wait_for_change(before, 10.0)

    assert nothing_new == before
    assert told > before


# -- result files --


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def results(store: HttpStore, folder: Path) -> HttpResults:
    return far_results(LocalResults(folder))


def test_a_result_is_kept_as_bytes_that_nobody_opens(results: HttpResults, folder: Path) -> None:
    garbage = bytes(range(256)) * 500

    results.write("store/run/1/ü %2f?#.x", garbage)

    assert (folder / "store/run/1/ü %2f?#.x").read_bytes() == garbage
    assert (folder / "store/run/1/ü %2f?#.x").stat().st_mode & 0o777 == 0o600
    assert results.read("store/run/1/ü %2f?#.x") == garbage
    assert results.keys("store") == ["store/run/1/ü %2f?#.x"]


def test_what_a_browser_gets_of_a_result_is_a_download(results: HttpResults) -> None:
    results.write("a/b", b"<script>alert(1)</script>")

    answer = the_server().client.get("/api/results/a/b")

    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("key", ["..%2F..%2Fetc/passwd", "a/../../b", "%2e%2e/x", "a//b", ".hidden", "a%5Cb", "a/%00"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_key_that_could_lead_elsewhere_is_refused(results: HttpResults, key: str, method: str, folder: Path) -> None:
    headers = {"Content-Type": "application/octet-stream"}

    answer = the_server().client.request(method, f"/api/results/{key}", data=b"x", headers=headers)

    assert answer.status in (404, 422)
    assert list(folder.rglob("*")) == []


@pytest.mark.parametrize(("method", "key"), [("PUT", "x" * 300), ("PUT", "a"), ("DELETE", "a")])
def test_a_key_under_which_nothing_can_ever_be_is_no_reason_to_try_again(
    results: HttpResults, method: str, key: str
) -> None:
    results.write("a/b", b"kept")
    headers = {"Content-Type": "application/octet-stream"}

    answer = the_server().client.request(method, f"/api/results/{key}", data=b"x", headers=headers)

    assert answer.status == 422
    assert results.read("a/b") == b"kept"


def test_the_names_of_the_engine_are_never_replaced(results: HttpResults, behind: MemoryStore) -> None:
    key = f"{behind.id}/run/1/task"
    results.write(key, b"one")

    with pytest.raises(CallError, match="never replaced"):
        results.replace(key, b"two")

    results.replace("reports/today", b"one")
    results.replace("reports/today", b"two")
    assert results.read(key) == b"one"
    assert results.read("reports/today") == b"two"


def test_a_result_that_is_too_large_says_what_serves(results: HttpResults, folder: Path) -> None:
    with pytest.raises(OSError, match="more than the 64 MiB that a server takes; set NADI_RESULTS_URL"):
        results.write("a/b", bytes(LARGEST_RESULT + 1))

    assert not folder.exists()


def test_an_upload_that_breaks_off_leaves_nothing(results: HttpResults, folder: Path) -> None:
    served = the_server()
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.putrequest("PUT", "/api/results/a/b")
    connection.putheader("Authorization", f"Bearer {served.context.install_token}")
    connection.putheader("Content-Type", "application/octet-stream")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders(b"x" * 500_000)

    connection.close()

    assert results.exists("a/b") is False
    assert not (folder / "a").exists()


def test_a_server_that_is_away_is_not_tried_for_every_result() -> None:
    away = HttpResults(Client(f"http://127.0.0.1:{free_port()}", "key"))

    with pytest.raises(OSError, match="cannot be reached"):
        away.write("a/b", b"x")
    with pytest.raises(OSError, match="away a moment ago"):
        away.write("a/c", b"x")


def test_a_server_that_is_silent_is_tried_the_more_seldom_the_longer_a_try_takes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = HttpResults(Client(f"http://127.0.0.1:{silent.getsockname()[1]}", "key", read=0.6))
        before = time.monotonic()

        with pytest.raises(OSError, match="no answer within"):
            away.write("a/b", b"x")

    assert away._away_until - before > 0.6 * REST_TIMES


def test_a_result_is_read_once_the_server_is_back_and_its_task_need_not_run_again(
    results: HttpResults, folder: Path
) -> None:
    results.write("a/b", b"ten hours of work")
    line = Line(the_server().port)
    line.losing = 5  # each question is asked twice where a connection breaks: two in vain, and half of a third

    read = HttpResults(Client(line.url, the_server().context.install_token)).read("a/b")
    line.close()

    assert (read, line.lost) == (b"ten hours of work", 5)


def test_a_server_that_stays_away_is_waited_for_with_one_result_and_not_with_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nadi.storage.http.results.TO_READ", 0.2)
    away = HttpResults(Client(f"http://127.0.0.1:{free_port()}", "key"))
    rests: list[float] = []
    monkeypatch.setattr("nadi.storage.http.results.time.sleep", rests.append)

    with pytest.raises(OSError, match="cannot be reached"):
        away.read("a/b")
    first = len(rests)
    with pytest.raises(OSError, match="cannot be reached"):
        away.read("a/c")

    assert len(rests) == first > 0


def test_results_wait_for_a_server_that_is_away_and_arrive_before_the_records_that_name_them(
    store: HttpStore, behind: MemoryStore, folder: Path, tmp_path: Path
) -> None:
    unsent, key = tmp_path / "unsent", f"{behind.id}/run/1/task"
    away = results_of(f"http://127.0.0.1:{free_port()}", "key", unsent, 1000)
    far_results(LocalResults(folder))
    back = connect(the_server().url, the_server().context.install_token, unsent, 1000)

    away.write(key, b"value")
    read_meanwhile = away.read(key)
    Writer(back).tell(flow_begun(ROOT))

    assert read_meanwhile == b"value"
    assert (folder / key).read_bytes() == b"value"
    assert not [path for path in unsent.rglob("*") if path.is_file()]


def test_records_wait_until_the_results_are_there(
    store: HttpStore, behind: MemoryStore, folder: Path, tmp_path: Path
) -> None:
    unsent, key = tmp_path / "unsent", f"{behind.id}/run/1/task"
    results_of(f"http://127.0.0.1:{free_port()}", "key", unsent, 1000).write(key, b"value")
    far_results(LocalResults(folder))
    folder.write_text("a file where the folder should be")
    back = connect(the_server().url, the_server().context.install_token, unsent, 1000)

    with pytest.raises(StoreUnavailable, match="Results that wait"):
        Writer(back).tell(flow_begun(ROOT))
    folder.unlink()

    assert behind.flow_run(ROOT) is None
    assert (unsent / key).exists()


def test_a_result_that_is_sent_on_as_soon_as_it_waits_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, publish = LocalResults(tmp_path), results_module._publish

    def publish_and_send(unfinished: str, target: str) -> None:
        publish(unfinished, target)
        kept.delete("store/run/1/task")

    monkeypatch.setattr(results_module, "_publish", publish_and_send)

    kept.write("store/run/1/task", b"value")

    assert not (tmp_path / "store").exists()


def test_what_may_wait_is_bounded(tmp_path: Path) -> None:
    away = results_of(f"http://127.0.0.1:{free_port()}", "key", tmp_path / "unsent", 10)
    away.write("store/run/1/a", b"x" * 10)

    with pytest.raises(OSError, match="more than 10 bytes wait"):
        away.write("store/run/1/b", b"x")


def test_a_result_that_is_refused_holds_up_no_record(
    store: HttpStore, behind: MemoryStore, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unsent, key = tmp_path / "unsent", f"{behind.id}/run/1/task"
    LocalResults(unsent).write(key, b"one")
    LocalResults(folder).write(key, b"another one, under the same key")
    far_results(LocalResults(folder))
    back = connect(the_server().url, the_server().context.install_token, unsent, 1000)

    Writer(back).tell(flow_begun(ROOT))

    assert behind.flow_run(ROOT) is not None
    assert "is dropped" in caplog.text
    assert not (unsent / key).exists()


def test_a_result_that_cannot_be_written_says_why(results: HttpResults, folder: Path) -> None:
    folder.write_text("a file where the folder should be")

    with pytest.raises(OSError, match="cannot use its results folder"):
        results.write("a/b", b"x")


def test_a_client_of_results_needs_the_right_to_record(results: HttpResults) -> None:
    anonymous = Client(the_server().url, "")

    with pytest.raises(StoreUnavailable, match="API key"):
        anonymous.request("GET", "/api/results/a/b")
