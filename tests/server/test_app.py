"""From a request to a route and back."""

from __future__ import annotations

import gzip
import json
import socket
from typing import Annotated

import msgspec
import pytest

from nadi.exceptions import RequestRefused, RunTaken, StoreUnavailable
from nadi.model.access import Permission
from nadi.server.api import endpoints
from nadi.server.arguments import body_of, query_of
from nadi.server.matching import NoSuchMethod, Table
from nadi.server.routing import Call, Routes
from tests.server.serving import Served

OF_A_TEST = Routes("test")


class Query(msgspec.Struct, kw_only=True):
    text: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    state: tuple[str, ...] = ()
    at: float = 0.0


@OF_A_TEST.add("GET", "/api/things/{name}", Permission.READ)
def get_thing(call: Call, name: str, query: Query) -> Query:
    """Return a thing."""
    return query


@OF_A_TEST.add("GET", "/api/things/newest", Permission.READ)
def newest(call: Call) -> Query:
    """Return the newest."""
    return Query()


@OF_A_TEST.add("DELETE", "/api/things/{name}/parts/{part}", Permission.OPERATE)
def delete_part(call: Call, name: str, part: int) -> None:
    """Delete a part."""


@OF_A_TEST.add("GET", "/api/files/{key:path}", Permission.READ)
def get_file(call: Call, key: str) -> Query:
    """Return a file."""
    return Query()


@pytest.fixture(scope="module")
def table() -> Table:
    return Table(OF_A_TEST.endpoints)


# -- the path --


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/api/things/a", {"name": "a"}),
        ("/api/things/newest", {}),
        ("/api/things/s3%3A%2F%2Fbucket%2Fx", {"name": "s3://bucket/x"}),
        ("/api/things/%252F", {"name": "%2F"}),
        ("/api/things/..", {"name": ".."}),
        ("/api/things/newest/parts/3", {"name": "newest", "part": "3"}),
        ("/api/files/a/b%2Fc", {"key": "a/b/c"}),
    ],
)
def test_a_path_is_cut_at_its_slashes_and_each_part_decoded_once(
    table: Table, path: str, parts: dict[str, str]
) -> None:
    method = "DELETE" if "parts" in path else "GET"

    found = table.find(method, path.encode())

    assert found is not None
    assert found.parts == parts


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/api/things",
        "/api/things/",
        "//api/things/a",
        "/api//things/a",
        "/api/things/a/",
        "/api/./things/a",
        "/api/x/../things/a",
        "/api%2Fthings/a",
        "/%61pi/things/a",
        "/API/things/a",
        "/api/things;v=1/a",
        "http://elsewhere/api/things/a",
        "*",
    ],
)
def test_a_path_that_is_not_exactly_that_of_a_route_leads_nowhere(table: Table, path: str) -> None:
    assert table.find("GET", path.encode()) is None


@pytest.mark.parametrize("path", ["/api/things/%ff", "/api/things/a%00b"])
def test_a_part_that_is_no_text_that_a_name_could_be_is_not_found(table: Table, path: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        table.find("GET", path.encode())

    assert refused.value.status == 404


def test_another_method_is_refused_with_those_that_there_are(table: Table) -> None:
    with pytest.raises(NoSuchMethod) as refused:
        table.find("PUT", b"/api/things/a")

    assert (refused.value.status, refused.value.allowed) == (405, "GET, HEAD")


def test_no_two_routes_have_the_same_method_and_path() -> None:
    Table(endpoints())
    with pytest.raises(ValueError, match="Two routes are GET"):
        Table([*OF_A_TEST.endpoints, OF_A_TEST.endpoints[0]])


# -- arguments --


def test_a_query_becomes_its_struct_and_repeated_parameters_a_sequence() -> None:
    query = query_of(b"text=a%20b&limit=7&state=FAILED&state=CRASHED", Query)

    assert query == Query(text="a b", limit=7, state=("FAILED", "CRASHED"))


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (b"limt=7", "no parameter 'limt'"),
        (b"limit=seven", "'limit' cannot be used"),
        (b"limit=0", "'limit' cannot be used"),
        (b"limit=1&limit=2", "given 2 times"),
        (b"at=nan", "no finite number"),
        (b"at=1e999", "out of range"),
        (b"text=a%00b", "NUL"),
        (b"text=%ff", "cannot be read"),
        (b"&".join([b"state=x"] * 200), "cannot be read"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused_with_a_sentence(query: bytes, told: str) -> None:
    with pytest.raises(RequestRefused, match=told) as refused:
        query_of(query, Query)

    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, "no valid JSON"),
        (b"{", 400, "no valid JSON"),
        (b"\xff\xfe", 400, "no valid JSON"),
        (b'{"text": "\\ud800"}', 400, "no valid JSON"),
        (b'{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "nested too deeply"),
        (b"[]", 422, "Expected `object`"),
        (b'{"limit": "7"}', 422, r"at `\$.limit`"),
        (b'{"limit": 1%s}' % (b"0" * 30), 422, "body"),
    ],
)
def test_a_body_that_cannot_be_meant_is_refused_with_the_place_in_it(body: bytes, status: int, told: str) -> None:
    with pytest.raises(RequestRefused, match=told) as refused:
        body_of(body, Query)

    assert refused.value.status == status


# -- over HTTP --


def test_health_answers_without_credentials_and_tells_nothing_but_the_version(any_server: Served) -> None:
    answer = any_server.anonymous.get("/api/health")

    assert answer.status == 200
    assert sorted(answer.json()) == ["status", "version"]


def test_the_server_tells_of_itself_to_whom_may_read(any_server: Served) -> None:
    told = any_server.client.get("/api/server")
    refused = any_server.anonymous.get("/api/server")

    assert told.json()["store"] == any_server.context.store.url
    assert refused.status == 401
    assert refused.json()["error"] == "NotAuthenticated"


def test_an_error_keeps_its_class_sentence_and_fields(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object, **__: object) -> None:
        raise RunTaken("some-run", holder="somebody")

    monkeypatch.setattr(server.context.store.retention, "rules", taken)

    answer = server.client.get("/api/retention/rules")

    assert answer.status == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:nadi:error:RunTaken",
        "title": "Conflict",
        "status": 409,
        "detail": str(RunTaken("some-run", holder="somebody")),
        "error": "RunTaken",
        "fields": {"run_id": "some-run", "holder": "somebody"},
    }


def test_an_error_that_nobody_expected_tells_strangers_nothing_and_the_log_everything(
    server: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("/secret/place")

    monkeypatch.setattr(server.context.store.retention, "rules", broken)

    answer = server.client.get("/api/retention/rules")

    assert answer.status == 500
    assert b"secret" not in answer.body
    assert "GET /api/retention/rules failed: KeyError: '/secret/place'" in caplog.text


def test_what_a_stranger_writes_into_a_path_is_one_line_of_the_log(
    server: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("broken")

    monkeypatch.setattr(server.context.store, "variable", broken)

    answer = server.client.get("/api/variables/a%0a12:00:00%20%7C%20ERROR%20forged%1b%5b2J%0db")

    told = caplog.messages[-1]
    assert answer.status == 500
    assert "forged" in told
    assert told.isprintable()


@pytest.mark.parametrize("credentials", ["", "nadi_" + "a" * 12 + "_" + "b" * 52])
def test_what_is_wrong_with_the_store_is_nothing_for_strangers(
    server: Served, monkeypatch: pytest.MonkeyPatch, credentials: str
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("The database /home/ada/secret-place.db cannot be reached.")

    monkeypatch.setattr(server.context.store.access, "key", away)
    monkeypatch.setattr(server.context.store.access, "user", away)
    monkeypatch.setattr(server.context.store.retention, "rules", away)
    stranger = server.client.with_token(credentials)

    answers = [
        stranger.post("/api/login", {"name": "ada", "password": "x"}),
        stranger.get("/api/retention/rules"),
    ]

    assert [answer.status for answer in answers] == [503, 503 if credentials else 401]
    assert not any(b"secret-place" in answer.body for answer in answers)
    assert b"secret-place" in server.client.get("/api/retention/rules").body


def test_head_answers_as_get_does_without_a_body(server: Served) -> None:
    whole = server.client.get("/api/server")

    answer = server.client.request("HEAD", "/api/server")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_a_method_that_a_path_does_not_take_is_refused_with_those_that_it_does(server: Served, method: str) -> None:
    answer = server.client.request(method, "/api/health")

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert "access-control-allow-origin" not in answer.headers


def test_large_answers_are_compressed_for_those_who_take_it(server: Served) -> None:
    plain = server.client.get("/api/openapi.json")

    smaller = server.client.get("/api/openapi.json", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    refused = server.client.get("/api/openapi.json", headers={"Accept-Encoding": "gzip;q=0"})

    assert smaller.headers["content-encoding"] == "gzip"
    assert gzip.decompress(smaller.body) == plain.body == refused.body
    assert len(smaller.body) < len(plain.body) / 3
    assert plain.headers["vary"] == smaller.headers["vary"] == "Accept-Encoding"


# -- bodies --


def test_a_body_that_is_too_large_by_its_own_word_is_refused_before_any_of_it_is_read(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(
            b"POST /api/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100000000\r\n\r\n"
        )
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_turns_out_too_large_is_refused_while_it_is_read(server: Served) -> None:
    def pieces() -> object:
        for _ in range(64):
            yield b" " * 65536

    connection = server.client.connection()
    connection.request(
        "POST",
        "/api/users",
        body=pieces(),  # type: ignore[arg-type]
        headers={"Authorization": f"Bearer {server.client.token}", "Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    problem = json.loads(answer.read())
    connection.close()

    assert answer.status == 413
    assert "larger than the 1" in problem["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "application/json; charset=utf-8"}, 422),
    ],
)
def test_a_body_of_another_kind_is_refused(server: Served, headers: dict[str, str], status: int) -> None:
    answer = server.client.request("POST", "/api/users", data=b'{"name": 3}', headers=headers)

    assert answer.status == status


def test_a_stranger_is_refused_before_the_body_is_read(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(
            b"POST /api/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000\r\n\r\n"  # and none of them comes
        )
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 401 ")


def test_a_head_of_many_kilobytes_is_refused(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: localhost\r\n")
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 ")
