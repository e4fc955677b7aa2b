"""What holds for every request before anything else is looked at."""

from __future__ import annotations

import socket

import pytest
from starlette.requests import Request

from nadi.exceptions import NotAllowed, RequestRefused
from nadi.server.configuration import Configuration
from nadi.server.security import Security, as_told_by_proxy, check_origin
from nadi.storage.contract import Store
from tests.server.conftest import Serve
from tests.server.serving import Served


def asked(scheme: str = "http", **headers: str) -> Request:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": "POST", "path": "/api/x", "scheme": scheme, "headers": told, "query_string": b""}
    )


def guard(**configuration: object) -> Security:
    async def nothing(*_: object) -> None: ...

    return Security(nothing, Configuration(**configuration), nothing)  # type: ignore[arg-type]


# -- Host --


@pytest.mark.parametrize("host", ["localhost", "LocalHost:4300", "127.0.0.1:1", "[::1]:4300", "localhost."])
def test_a_server_of_this_machine_goes_by_its_loopback_names(host: str) -> None:
    guard().check_host(asked(host=host))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.168.1.2", 421),
        ("0.0.0.0", 421),
        ("", 400),
        ("localhost:port", 400),
        ("user@localhost", 400),
        ("localhost/x", 400),
        ("loc alhost", 400),
        ("[::1", 400),
    ],
)
def test_any_other_name_is_refused(host: str, status: int) -> None:
    with pytest.raises(RequestRefused) as refused:
        guard().check_host(asked(host=host))

    assert refused.value.status == status


def test_a_server_that_others_can_reach_goes_by_addresses_and_by_the_names_it_is_told() -> None:
    server = guard(host="0.0.0.0", hosts=("Runs.Example.com",))

    for host in ("10.0.0.7:4300", "[2001:db8::1]:80", "runs.example.com", "RUNS.example.COM:443"):
        server.check_host(asked(host=host))
    for host in ("other.example.com", "1.2.3", "256.1.1.1"):
        with pytest.raises(RequestRefused):
            server.check_host(asked(host=host))


def test_requests_without_a_host_or_with_two_are_refused(server: Served) -> None:
    answers = []
    for head in (b"GET /api/health HTTP/1.0\r\n", b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(head + b"\r\n")
            answers.append(connection.recv(65536)[:13])

    assert answers == [b"HTTP/1.1 400 ", b"HTTP/1.1 400 "]


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        *(("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("LOCALHOST", True)),
        *(("0.0.0.0", False), ("::", False), ("", False), ("10.0.0.1", False), ("127.example.com", False)),
    ],
)
def test_only_addresses_and_the_name_that_mean_this_machine_are_taken_for_it(host: str, only_here: bool) -> None:
    assert Configuration(host=host).is_loopback is only_here


# -- Origin and Sec-Fetch-Site --


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:4300"},
        {"origin": "http://LOCALHOST:4300", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
def test_programs_and_our_own_pages_may_ask(headers: dict[str, str]) -> None:
    check_origin(asked(host="localhost:4300", **headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost"},
        {"origin": "http://localhost:4301"},
        {"origin": "https://localhost:4300"},
        {"origin": "http://localhost:4300.evil.example"},
        {"origin": "http://localhost:4300", "sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "new-word"},
    ],
)
def test_pages_of_others_may_not(headers: dict[str, str]) -> None:
    with pytest.raises(NotAllowed):
        check_origin(asked(host="localhost:4300", **headers))


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/health"), ("GET", "/api/server"), ("POST", "/login"), ("POST", "/nowhere"), ("DELETE", "/")],
)
def test_it_is_looked_at_on_the_whole_api_and_on_every_method_that_could_change_something(
    server: Served, method: str, path: str
) -> None:
    answer = server.client.request(method, path, headers={"Sec-Fetch-Site": "cross-site"})

    assert (answer.status, answer.json()["error"]) == (403, "NotAllowed")


def test_a_link_on_another_site_leads_to_our_pages(server: Served) -> None:
    answer = server.anonymous.get("/", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status == 200


# -- where a request ends --


@pytest.mark.parametrize("path", ["/api/flow-runs", "/nowhere", "/login"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_body_with_two_ends_is_refused_and_nothing_after_it_is_read(server: Served, path: str, version: str) -> None:
    length = "Content-Length: 5\r\n" if version == "1.1" else "Connection: keep-alive\r\n"
    head = f"POST {path} HTTP/{version}\r\nHost: localhost\r\n{length}Transfer-Encoding: chunked\r\n\r\n"
    hidden = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"

    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head.encode() + b"0\r\n\r\n" + hidden)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answers.startswith(b"HTTP/1.1 400 ")
    assert answers.count(b"HTTP/1.1 ") == 1


# -- headers --


@pytest.mark.parametrize("path", ["/", "/login", "/api/health", "/api/server", "/metrics", "/nowhere", "/icon.svg"])
def test_every_answer_bears_the_headers_that_keep_browsers_strict(server: Served, path: str) -> None:
    headers = server.anonymous.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == ("no-store" if path.startswith(("/api/", "/metrics")) else "no-cache")
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "server" not in headers


def test_a_refusal_for_the_host_bears_them_too(server: Served) -> None:
    answer = server.anonymous.get("/", headers={"Host": "evil.example"})

    assert answer.status == 421
    assert answer.headers["x-frame-options"] == "DENY"


# -- proxies --


def proxied(**headers: str) -> dict[str, object]:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "scheme": "http", "client": ("10.0.0.1", 999), "headers": told}


def test_of_what_proxies_say_the_last_entry_is_believed_which_is_our_own_proxys() -> None:
    scope = as_told_by_proxy(proxied(x_forwarded_for="6.6.6.6, 192.0.2.7", x_forwarded_proto="http, https"))

    assert (scope["client"], scope["scheme"]) == (("192.0.2.7", 0), "https")


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("192.0.2.7:50123", "192.0.2.7"),
        ("[2001:db8::7]:50123", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
    ],
)
def test_the_port_that_some_proxies_tell_with_an_address_is_no_part_of_it(told: str, client: str) -> None:
    assert as_told_by_proxy(proxied(x_forwarded_for=told))["client"] == (client, 0)


def test_what_is_no_address_or_scheme_is_not_believed() -> None:
    scope = as_told_by_proxy(proxied(x_forwarded_for="somewhere", x_forwarded_proto="gopher"))

    assert (scope["client"], scope["scheme"]) == (("10.0.0.1", 999), "http")


def test_without_behind_proxy_nobody_is_believed(serve: Serve, store: Store) -> None:
    told = {"X-Forwarded-Proto": "https", "Origin": "https://localhost", "Host": "localhost"}

    direct = serve(store).client.get("/api/server", headers=told)
    behind = serve(store, behind_proxy=True).client.get("/api/server", headers=told)

    assert (direct.status, behind.status) == (403, 200)


def test_below_a_base_path_all_is_served_and_beside_it_nothing(serve: Serve, store: Store) -> None:
    server = serve(store, base_path="/nadi")

    found = [server.client.get(path).status for path in ("/nadi/api/server", "/nadi/", "/nadi/icon.svg", "/nadi/login")]
    lost = [server.client.get(path).status for path in ("/api/server", "/", "/nadiapi/server", "/login")]
    short = server.client.get("/nadi")

    assert (found, lost) == ([200] * 4, [404] * 4)
    assert (short.status, short.headers["location"]) == (308, "/nadi/")
    assert server.client.get("/nadi/api/openapi.json").json()["servers"] == [{"url": "/nadi"}]
