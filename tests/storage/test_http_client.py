"""Speaking to a server: what the URL and the key may be, and one sentence where something stands in the way."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import msgspec
import pytest

from nadi.engine.credentials import digest_of, new_key_text
from nadi.exceptions import RunTaken, SettingError, StoreReadOnly, StoreTooNew, StoreUnavailable
from nadi.model.access import ApiKey, Permission, Role, User
from nadi.storage.http.calls import OLDEST_WIRE, WIRE, StoreGreeting
from nadi.storage.http.client import MSGPACK, Client
from nadi.storage.http.store import connect
from nadi.storage.http.urls import is_loopback, plain_url
from nadi.storage.memory import MemoryStore
from tests.server.serving import Served
from tests.storage.far import far_store, the_server
from tests.storage.stand_ins import Line, answering, free_port
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved, log_line

ROOT = an_id(1)


@pytest.fixture
def behind() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def served(behind: MemoryStore) -> Served:
    far_store(behind)
    return the_server()


@pytest.fixture
def line(served: Served) -> Iterator[Line]:
    made = Line(served.port)
    yield made
    made.close()


def greeting(wire: int, oldest_wire: int) -> bytes:
    return msgspec.msgpack.encode(StoreGreeting(id="x", url="x", version="9.9", wire=wire, oldest_wire=oldest_wire))


def a_key(behind: MemoryStore, *scopes: Permission) -> str:
    text = new_key_text()
    behind.access.add_user(User(name="ada", role=Role.ADMIN))
    behind.access.put_key(ApiKey(id=text.id, name="ci", user="ada", digest=digest_of(text.secret), scopes=scopes))
    return str(text)


# -- URLs --


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://Runs.Example.com:4300/", "http://runs.example.com:4300"),
        (" https://ann:secret@host/nadi/?x=1#y ", "https://host/nadi"),
        ("http://[::1]:4300", "http://[::1]:4300"),
    ],
)
def test_a_url_has_one_form_without_credentials(url: str, plain: str) -> None:
    assert plain_url(url) == plain


@pytest.mark.parametrize("url", ["host:4300", "ftp://host", "http://", "http://host:port", "http://a:secret@h:x"])
def test_what_is_no_url_of_a_server_is_a_setting_error_without_password(url: str) -> None:
    with pytest.raises(SettingError, match="NADI_API_URL") as raised:
        plain_url(url)

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:4300", True),
        ("http://127.0.0.1", True),
        ("https://[::1]:1", True),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://127.example.com:4300/nadi", False),
        ("http://host", False),
    ],
)
def test_loopback_is_told_by_the_whole_host(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_a_key_with_a_line_end_is_refused_before_it_is_sent() -> None:
    with pytest.raises(SettingError, match="NADI_API_KEY"):
        Client("http://host", "key\r\nHost: other")


# -- what stands in the way --


def test_a_server_that_is_not_there_is_one_sentence_at_once() -> None:
    began = time.monotonic()

    with pytest.raises(StoreUnavailable, match="connection refused") as raised:
        connect(f"http://ann:secret@127.0.0.1:{free_port()}", "key")

    assert time.monotonic() - began < 2
    assert "NADI_API_URL" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_server_without_tls_is_told_from_one_whose_certificate_is_not_trusted(served: Served) -> None:
    with pytest.raises(StoreUnavailable, match=r"does not speak TLS as expected: [a-z ]+\. Check NADI_API_URL"):
        connect(served.url.replace("http:", "https:"), "key")


def test_a_host_that_is_not_there_is_named() -> None:
    with pytest.raises(StoreUnavailable, match="there is no such host"):
        connect("http://nobody.invalid:4300", "key")


def test_a_server_that_is_silent_is_given_up(served: Served) -> None:
    client = Client(served.url, served.context.install_token, read=0.05)
    body = msgspec.msgpack.encode({"after": 1 << 40, "timeout": 5.0})

    with pytest.raises(StoreUnavailable, match=r"no answer within 0\.05 seconds"):
        client.request("POST", "/api/store/runs/wait_for_change", body=body)


def test_a_wrong_key_and_no_key_are_told_apart(served: Served) -> None:
    with pytest.raises(StoreUnavailable, match=r"does not take the API key.*NADI_API_KEY"):
        connect(served.url, str(new_key_text()))
    with pytest.raises(StoreUnavailable, match=r"wants an API key.*NADI_API_KEY"):
        connect(served.url, "")


def test_a_key_that_may_only_read_reads_and_learns_no_signing_key(served: Served, behind: MemoryStore) -> None:
    Writer(behind).tell(flow_begun(ROOT))

    store = connect(served.url, a_key(behind, Permission.READ))

    assert store.flow_run(ROOT) == behind.flow_run(ROOT)
    assert store.signing_key == b""
    with pytest.raises(StoreReadOnly, match="'record', which this key of ada has not"):
        Writer(store).tell(flow_begun(an_id(2)))
    with pytest.raises(StoreReadOnly):
        store.delete_run(ROOT, now=1.0)


def test_a_key_that_may_not_even_read_is_told_so(served: Served, behind: MemoryStore) -> None:
    with pytest.raises(StoreReadOnly, match="does not allow"):
        connect(served.url, a_key(behind, Permission.RECORD))


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (404, b"nothing"), (500, b""), (200, b"\x81\xa1a\x01")])
def test_what_is_no_nadi_server_is_told_so(status: int, body: bytes) -> None:
    with answering(status, body) as other, pytest.raises(StoreUnavailable, match="NADI_API_URL"):
        connect(other.url, "key")


@pytest.mark.parametrize(("status", "told"), [(502, "is away: a proxy"), (413, "refuses a body of this size")])
def test_what_a_proxy_answers_is_told_as_that_of_a_proxy(status: int, told: str) -> None:
    with answering(status, b"<html>") as proxy, pytest.raises(StoreUnavailable, match=told):
        connect(proxy.url, "key")


def test_a_path_at_which_there_is_no_server_is_told_as_that(served: Served) -> None:
    with pytest.raises(StoreUnavailable, match=r"has nothing at /api/store. Check NADI_API_URL and the path in it"):
        connect(f"{served.url}/nadi", served.context.install_token)


def test_a_redirect_is_told_and_not_followed() -> None:
    with answering(200) as elsewhere, answering(307, Location=f"{elsewhere.url}/x") as other:
        with pytest.raises(StoreUnavailable, match=f"leads on to {elsewhere.url}/x"):
            connect(other.url, "key")

        assert elsewhere.asked == []


def test_a_server_that_is_too_new_or_too_old_says_which_side_to_upgrade() -> None:
    with answering(200, greeting(WIRE + 5, WIRE + 1)) as newer, pytest.raises(StoreTooNew, match="Upgrade Nadi here"):
        connect(newer.url, "key")
    with answering(200, greeting(OLDEST_WIRE - 1, 0)) as older, pytest.raises(StoreUnavailable, match="the server"):
        connect(older.url, "key")


def test_a_newer_server_that_still_speaks_with_this_version_serves() -> None:
    with answering(200, greeting(WIRE + 1, WIRE)) as newer:
        assert connect(newer.url, "key").id == "x"


def test_an_error_comes_back_with_its_class_sentence_and_fields(served: Served, behind: MemoryStore) -> None:
    store = connect(served.url, served.context.install_token)
    Writer(store).tell(flow_begun(ROOT))

    with pytest.raises(RunTaken) as near:
        behind.claim(ROOT, holder="b", now=1.0)
    with pytest.raises(RunTaken) as far:
        store.claim(ROOT, holder="b", now=1.0)

    assert str(far.value) == str(near.value)
    assert vars(far.value) == vars(near.value)


# -- answers that are lost --


def test_a_question_whose_answer_was_lost_is_asked_again(line: Line, served: Served, behind: MemoryStore) -> None:
    store = connect(line.url, served.context.install_token)
    writer = Writer(store)
    line.losing = 1

    applied = writer.tell(flow_begun(ROOT), log_line(ROOT, "once"))

    assert line.lost == 1
    assert applied.watermark == 2
    assert [log.text for log in behind.logs(ROOT)] == ["once"]


def test_what_must_not_happen_twice_is_not_asked_again(line: Line, served: Served, behind: MemoryStore) -> None:
    store = connect(line.url, served.context.install_token)
    Writer(store).tell(flow_begun(ROOT), flow_moved(ROOT, S.FAILED))
    line.losing = 1

    with pytest.raises(StoreUnavailable, match="not known whether the server has done it"):
        store.claim(ROOT, holder="b", now=1.0)

    run = behind.flow_run(ROOT)
    assert run is not None
    assert run.token == 2


# -- connections --


def test_connections_are_kept(served: Served) -> None:
    store = connect(served.url, served.context.install_token)

    for _ in range(10):
        store.last_change()

    (pool,) = [store.client._pool.pools.get(key) for key in list(store.client._pool.pools.keys())]
    assert pool is not None
    assert pool.num_connections == 1
    assert pool.num_requests == 11


def test_a_proxy_of_the_environment_is_used_for_far_servers_only(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(401) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        connect(served.url, served.context.install_token)
        with pytest.raises(StoreUnavailable, match="API key"):
            connect("http://far.example:4300", "key")
        monkeypatch.setenv("no_proxy", "nobody.invalid")
        with pytest.raises(StoreUnavailable, match="no such host"):
            connect("http://nobody.invalid:4300", "key")

    assert proxy.asked == ["GET http://far.example:4300/api/store HTTP/1.1"]


def test_a_closed_store_asks_nobody(served: Served) -> None:
    store = connect(served.url, served.context.install_token)
    store.close()
    store.close()

    with pytest.raises(StoreUnavailable, match="closed"):
        store.last_change()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_never_uses_the_connections_of_its_parent(served: Served, behind: MemoryStore) -> None:
    store = connect(served.url, served.context.install_token)
    Writer(store).tell(flow_begun(ROOT))
    before = store.client._pool

    child = os.fork()
    if child == 0:
        try:
            found = store.flow_run(ROOT)
            os._exit(0 if found is not None and store.client._pool is not before else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert store.flow_run(ROOT) == behind.flow_run(ROOT)
    assert store.client._pool is before


def test_answers_are_taken_in_messagepack(served: Served) -> None:
    client = Client(served.url, served.context.install_token)

    answer = client.request("GET", "/api/store")

    assert answer.headers["Content-Type"] == MSGPACK
