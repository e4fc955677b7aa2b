"""Every route, by everybody: made from the routes themselves, so that a new one is in the table when it is there."""

from __future__ import annotations

import http.client
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nadi.model.access import ALLOWED, Permission, Role
from nadi.server.api import endpoints
from nadi.server.routing import ANYONE, Endpoint
from nadi.server.static import Pages
from tests.server.people import add_key, add_user, browser
from tests.server.serving import PATIENCE, Served

#: The only routes that answer without credentials.
OPEN = {("GET", "/api/health"), ("GET", "/login"), ("POST", "/api/login")}
#: Routes that want more than a permission: some of those who have it are refused, and their own tests say who.
MORE_THAN_A_PERMISSION = {("POST", "/api/login-links"), ("PUT", "/api/me/password")}
REFUSED = {401, 403}

GUARDED = [one for one in endpoints() if one.permission is not ANYONE]
PATHS = sorted({one.path for one in GUARDED})

Send = Callable[[Endpoint], int]


def filled(path: str) -> str:
    """A path with something in each of its parts."""
    return re.sub(r"\{(\w+)(:path)?\}", lambda part: "a/b" if part[2] else "nothing", path)


def status(server: Served, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> int:
    """The status of an answer, without waiting for its end: a stream has none."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return connection.getresponse().status
    finally:
        connection.close()


def ask(server: Served, endpoint: Endpoint, headers: dict[str, str]) -> int:
    """Ask a route with a body that cannot be read, so that nothing is done by whoever may."""
    body = None if endpoint.method == "GET" else b"\xc1"
    kind = {} if body is None else {"Content-Type": endpoint.takes.partition(",")[0]}
    return status(server, endpoint.method, filled(endpoint.path), {**kind, **headers}, body)


def told(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def wrong(server: Served, asked: Iterable[Endpoint], headers: dict[str, str], expected: set[int]) -> list[str]:
    """The routes that answered otherwise, and how."""
    answers = [(told(one), ask(server, one, headers)) for one in asked]
    return [f"{name}: {answer}" for name, answer in answers if answer not in expected]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


# -- who may what --


def test_only_health_and_logging_in_answer_without_credentials() -> None:
    assert {(one.method, one.path) for one in endpoints() if one.permission is ANYONE} == OPEN


def test_every_route_names_a_permission_or_the_one_object_that_stands_for_none() -> None:
    odd = [
        told(one) for one in endpoints() if one.permission is not ANYONE and not isinstance(one.permission, Permission)
    ]

    assert odd == []


def test_there_are_routes_for_every_permission_so_that_no_test_here_walks_an_empty_table() -> None:
    assert {one.permission for one in GUARDED} == set(Permission)
    assert {one.method for one in GUARDED} == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert len(GUARDED) > 50
    assert len(PATHS) > 40


def test_nothing_but_routes_and_files_known_at_the_start_is_served(server: Served) -> None:
    files = [path.decode() for path in Pages()._pages]

    assert not [path for path in files if path.startswith("/api") or path == "/metrics"]
    assert {one.path for one in endpoints() if not one.path.startswith("/api/")} <= {"/login", "/metrics"}
    for path in ("/api", "/api/", "/docs", "/api/docs", "/api/nothing", "/server/", "/static/", "/openapi.json"):
        assert server.client.get(path).status == 404, path


def test_users_keys_and_retention_are_no_part_of_what_a_far_store_may_call() -> None:
    reachable = [told(one) for one in endpoints() if one.path.startswith("/api/store/")]

    assert reachable
    assert [path for path in reachable if "/access/" in path or "/retention/" in path] == []


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("by", ["key", "session"])
def test_each_role_is_let_in_where_its_permissions_say_and_nowhere_else(server: Served, role: Role, by: str) -> None:
    add_user(server, role=role)
    if by == "key":
        headers = bearer(add_key(server))
    else:
        cookie = f"nadi-{server.port}={browser(server).cookie}"
        headers = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    asked = [one for one in GUARDED if (one.method, one.path) not in MORE_THAN_A_PERMISSION]
    # The way out comes last.
    asked.sort(key=lambda one: one.path == "/api/logout")

    answers = {told(one): ask(server, one, headers) for one in asked}

    let_in = {name for name, answer in answers.items() if answer not in REFUSED}
    assert let_in == {told(one) for one in asked if one.permission in ALLOWED[role]}
    assert {answer for name, answer in answers.items() if name not in let_in} <= {403}
    assert [f"{name}: {answer}" for name, answer in answers.items() if answer >= 500 and answer != 503] == []


@pytest.mark.parametrize("scope", list(Permission))
def test_a_scoped_key_is_let_in_where_its_scope_says(server: Served, scope: Permission) -> None:
    add_user(server, role=Role.ADMIN)
    headers = bearer(add_key(server, "ada", scope))
    others = [one for one in GUARDED if one.permission != scope]
    own = [one for one in GUARDED if one.permission == scope and (one.method, one.path) not in MORE_THAN_A_PERMISSION]

    assert wrong(server, others, headers, {403}) == []
    assert [one for one in own if ask(server, one, headers) in REFUSED] == []


# -- credentials that are none --


def no_credentials(server: Served) -> dict[str, str]:
    return {}


def garbage(server: Served) -> dict[str, str]:
    return bearer("nothing")


def a_guessed_install_token(server: Served) -> dict[str, str]:
    return bearer("nadi_install_" + "a" * 52)


def an_expired_key(server: Served) -> dict[str, str]:
    return bearer(add_key(server, expires=1.0))


def a_key_of_a_disabled_user(server: Served) -> dict[str, str]:
    add_user(server, "out", Role.ADMIN, disabled=True)
    return bearer(add_key(server, "out"))


def basic(server: Served) -> dict[str, str]:
    return {"Authorization": "Basic YWRtaW46YWRtaW4="}


def a_made_up_cookie(server: Served) -> dict[str, str]:
    return {"Cookie": f"nadi-{server.port}=nothing", "Sec-Fetch-Site": "same-origin"}


def the_cookie_of_another_port(server: Served) -> dict[str, str]:
    return {"Cookie": f"nadi-1={browser(server).cookie}", "Sec-Fetch-Site": "same-origin"}


def a_token_in_other_places(server: Served) -> dict[str, str]:
    token = server.context.install_token
    return {"X-Api-Key": token, "Cookie": f"token={token}", "Proxy-Authorization": f"Bearer {token}"}


NOBODY = [
    no_credentials,
    garbage,
    a_guessed_install_token,
    an_expired_key,
    a_key_of_a_disabled_user,
    basic,
    a_made_up_cookie,
    the_cookie_of_another_port,
    a_token_in_other_places,
]


@pytest.mark.parametrize("who", NOBODY, ids=lambda who: who.__name__)
def test_no_route_answers_whom_it_does_not_know(server: Served, who: Callable[[Served], dict[str, str]]) -> None:
    add_user(server, role=Role.ADMIN)

    assert wrong(server, GUARDED, who(server), {401}) == []


def test_a_token_in_the_query_is_none(server: Served) -> None:
    token = server.context.install_token

    assert server.anonymous.get(f"/api/server?token={token}").status == 401
    assert server.anonymous.get(f"/api/server?access_token={token}").status == 401


# -- where a request comes from --


@dataclass(frozen=True)
class Foreign:
    """What a page of somebody else makes a browser send."""

    name: str
    headers: dict[str, str]
    expected: frozenset[int]


FOREIGN = [
    Foreign("origin", {"Origin": "https://elsewhere.example"}, frozenset({403})),
    Foreign("origin-null", {"Origin": "null"}, frozenset({403})),
    Foreign("origin-prefix", {"Origin": "http://127.0.0.1.elsewhere.example"}, frozenset({403})),
    Foreign("origin-other-port", {"Origin": "http://127.0.0.1:1"}, frozenset({403})),
    Foreign("cross-site", {"Sec-Fetch-Site": "cross-site"}, frozenset({403})),
    Foreign("same-site", {"Sec-Fetch-Site": "same-site"}, frozenset({403})),
    Foreign("host", {"Host": "elsewhere.example"}, frozenset({421})),
    Foreign("host-rebound", {"Host": "127.0.0.1.nip.example:4300"}, frozenset({421})),
    Foreign("host-none", {"Host": ""}, frozenset({400})),
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda foreign: foreign.name)
def test_no_route_answers_a_page_of_another_site_even_with_the_owner_s_token(server: Served, foreign: Foreign) -> None:
    headers = {**bearer(server.context.install_token), **foreign.headers}

    # A link on another site may lead to the page, and does nothing by itself.
    others = [one for one in endpoints() if one.path != "/login"]

    assert wrong(server, others, headers, set(foreign.expected)) == []


@pytest.mark.parametrize("origin", [{}, {"Origin": "null"}], ids=["nothing", "null"])
def test_a_cookie_alone_changes_nothing_anywhere(server: Served, origin: dict[str, str]) -> None:
    headers = {"Cookie": f"nadi-{server.port}={browser(server, '').cookie}", **origin}
    unsafe = [one for one in GUARDED if one.method != "GET"]

    assert wrong(server, unsafe, headers, {403}) == []
    assert browser(server, "").is_in()


def test_no_answer_lets_another_site_read_it(server: Served) -> None:
    for headers in ({"Origin": "https://elsewhere.example"}, {}):
        for method in ("GET", "OPTIONS"):
            answer = server.client.request(method, "/api/server", headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


# -- methods and paths --


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "GETX", "POST", "DELETE"])
def test_no_method_leads_around_the_permission_of_a_path(server: Served, method: str) -> None:
    known = {(one.method, one.path) for one in endpoints()}
    paths = [path for path in PATHS if (method, path) not in known]

    answers = {path: status(server, method, filled(path), {}) for path in paths}

    assert {path: answer for path, answer in answers.items() if answer not in (400, 401, 405)} == {}


TRICKS = [
    "/api/health/..{}",
    "/api/health/../..{}",
    "/api/health/%2e%2e{}",
    "/api/health/..%2f..{}",
    "/login/..{}",
    "/index.html/..{}",
    "/.{}",
    "/%2e{}",
    "/{}",
    "//{}",
    "/\\{}",
    "{}/",
    "{}//",
    "{}/.",
    "{}/%2e",
    "{};/api/health",
    "{};health",
    "{}/health",
    "{}/api/health",
    "{}%2fapi%2fhealth",
    "{}%00/api/health",
    "{}%23/api/health",
    "{}%3f/api/health",
    "{}/../health",
    "{}/..;/health",
    "{}.json",
    "{}.css",
    "{}?/api/health",
    "{}#/api/health",
    "{}%20",
    "{}%0d%0aX-Forwarded-User:%20owner",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_no_spelling_of_a_path_leads_around_its_permission(server: Served, trick: str) -> None:
    paths = [one.path for one in GUARDED if one.method == "GET"]

    answers = {path: status(server, "GET", trick.format(filled(path)), {}) for path in paths}

    assert {path: answer for path, answer in answers.items() if answer not in (400, 401, 404, 405)} == {}


@pytest.mark.parametrize(
    "spell", [str.upper, str.title, lambda path: path.replace("a", "%61"), lambda path: path.replace("/", "%2f")]
)
def test_other_cases_and_codes_are_other_paths(server: Served, spell: Callable[[str], str]) -> None:
    paths = [one.path for one in GUARDED if one.method == "GET"]

    answers = {path: status(server, "GET", spell(filled(path)), {}) for path in paths}

    assert {path: answer for path, answer in answers.items() if answer not in (400, 401, 404)} == {}


#: What paths are made of by somebody who looks for a way around.
PIECES = [
    *("api", "health", "login", "users", "audit", "store", "flow-runs", "results", "metrics", "server", "keys", "me"),
    *("", ".", "..", "...", "%2e", "%2e%2e", "%252e%252e", "..;", ";", ";health", "%00", "%2f", "%5c", "\\", "*", "~"),
    *("health.json", "Health", "API", "index.html", "icon.svg", "static", "a b".replace(" ", "%20"), "%c0%ae%c0%ae"),
]


def open_at_random(server: Served, seed: int, rounds: int) -> dict[str, int]:
    """The paths that answered somebody unknown with something, of many that were put together at random."""
    chance = random.Random(seed)
    opened = {}
    for _ in range(rounds):
        path = "/" + "/".join(chance.choices(PIECES, k=chance.randint(1, 5))) + chance.choice(["", "", "/", "?", "#"])
        method = chance.choice(["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
        answer = status(server, method, path, {})
        if answer < 400:
            opened[path] = answer
        assert answer < 500, f"{method} {path}: {answer}"
    return opened


def is_public(path: str) -> bool:
    plain = re.split(r"[?#]", path)[0]
    return plain in {path for _, path in OPEN} or plain.encode() in Pages()._pages


@pytest.mark.parametrize("seed", range(3))
def test_paths_put_together_at_random_open_nothing(server: Served, seed: int) -> None:
    assert [path for path in open_at_random(server, seed, 200) if not is_public(path)] == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 108))
def test_many_paths_put_together_at_random_open_nothing(server: Served, seed: int) -> None:
    assert [path for path in open_at_random(server, seed, 1500) if not is_public(path)] == []


def test_every_test_that_the_security_page_names_is_there() -> None:
    tests = Path(__file__).parents[1]
    page = (tests.parent / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
    files = {path.name: path.read_text(encoding="utf-8") for path in tests.rglob("test_*.py")}
    named = set(re.findall(r"`(test_\w+(?:\.py)?)`", page))

    missing = [
        name for name in named if name not in files and not any(f"def {name}(" in text for text in files.values())
    ]
    assert named
    assert missing == []


def test_headers_that_rename_path_or_method_change_nothing(server: Served) -> None:
    renaming: list[dict[str, str]] = [
        {"X-Original-URL": "/api/health"},
        {"X-Rewrite-URL": "/api/health"},
        {"X-Forwarded-Prefix": "/api/health"},
        {"X-HTTP-Method-Override": "GET"},
        {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-User": "owner", "Remote-User": "owner"},
    ]

    answers: list[Any] = [server.anonymous.get("/api/users", headers=one).status for one in renaming]

    assert answers == [401] * len(renaming)
