"""The audit log of a server: every change, and every attempt that was refused; never a secret."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from nadi.engine.refusals import Refusals
from nadi.model.access import Role
from nadi.server.api import endpoints
from tests.server.people import PASSWORD, add_key, add_user, browser
from tests.server.serving import Served


def entries(server: Served, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.client.get(f"/api/audit{query}").json()
    return found


def test_a_change_is_kept_with_who_how_from_where_what_and_its_outcome(any_server: Served) -> None:
    add_user(any_server, "root", Role.ADMIN)
    key = add_key(any_server, "root")

    any_server.anonymous.with_token(key).post("/api/users", {"name": "ada", "role": "viewer"})
    browser(any_server, "").request("PATCH", "/api/users/ada", json={"role": "operator", "password": PASSWORD})
    any_server.client.delete("/api/users/ada")
    found = entries(any_server)

    assert [(one["who"], one["how"], one["action"], one["subject"], one["status"]) for one in found] == [
        ("owner", "install", "remove_user", "ada", 204),
        ("owner", "session", "change_user", "ada", 200),
        ("root", "key", "add_user", "ada", 201),
    ]
    assert {one["origin"] for one in found} == {"127.0.0.1"}
    assert found[0]["seq"] > found[1]["seq"]
    assert found[1]["detail"] == {"changed": {"role": "operator", "password": "changed"}}
    assert found[2]["detail"] == {"role": "viewer", "key": key.split("_")[1]}


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("POST", "/api/store/runs/delete_run", {"run": "some-run", "now": 1.0}, ("some-run", {})),
        (
            "POST",
            "/api/store/runs/ask",
            {"request": {"run": "some-run", "kind": "cancel", "at": 1.0, "by": "me"}},
            ("some-run", {"kind": "cancel"}),
        ),
        (
            "POST",
            "/api/store/runs/set_variable",
            {"variable": {"name": "door", "value": "MQ=="}, "overwrite": True},
            ("door", {}),
        ),
        ("POST", "/api/store/limits/remove_limit", {"name": "api"}, ("api", {})),
        ("POST", "/api/store/cache/remove", {"now": 1.0, "keys": ["k"]}, ("", {"keys": ["k"]})),
        ("DELETE", "/api/cache?task=clean", None, ("clean", {"keys": [], "expired": False, "all": False})),
        ("PUT", "/api/retention/rules", {"flow": "etl", "age": 0}, ("etl", {"state": None, "age": 0.0})),
        ("DELETE", "/api/retention/rules?flow=etl", None, ("etl", {"state": None})),
    ],
)
def test_what_a_change_was_about_is_kept_whichever_way_it_came(
    server: Served, method: str, path: str, body: Any, told: tuple[str, dict[str, Any]]
) -> None:
    answer = server.client.request(method, path, json=body)

    assert answer.status in (200, 204), answer.body
    assert [(one["subject"], one["detail"]) for one in entries(server)] == [told]


def test_what_changed_nothing_is_not_kept(server: Served) -> None:
    server.client.delete("/api/users/nobody")
    server.client.post("/api/users", {"name": "owner", "role": "admin"})
    server.client.get("/api/users")
    server.anonymous.get("/api/users")

    assert entries(server) == []


def test_logins_and_logouts_are_kept(server: Served) -> None:
    add_user(server)
    path = server.client.post("/api/login-links").json()["path"]

    page = browser(server)

    server.anonymous.get(path)
    server.anonymous.get(path)
    server.anonymous.post("/api/login", {"name": "ada", "password": PASSWORD})
    page.request("POST", "/api/logout")

    assert [(one["action"], one["who"], one["status"]) for one in entries(server)] == [
        ("logout", "ada", 204),
        ("login", "ada", 204),
        ("login_by_link", "", 401),
        ("login_by_link", "owner", 303),
        ("make_login_link", "owner", 201),
    ]


def test_failed_logins_are_kept_with_the_name_only_where_there_is_such_a_user(server: Served) -> None:
    add_user(server)

    server.anonymous.post("/api/login", {"name": "ada", "password": "not the password"})
    known = entries(server)
    # As if a minute had passed.
    server.context.refusals = Refusals()
    server.anonymous.post("/api/login", {"name": "a password by mistake", "password": "x"})
    unknown = entries(server)

    assert [(one["action"], one["status"], one["subject"]) for one in known] == [("login", 401, "ada")]
    assert [one["subject"] for one in unknown] == ["", "ada"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer nothing"}, 401),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Host": "elsewhere.example"}, 421),
    ],
)
def test_refused_attempts_at_a_change_are_kept(server: Served, headers: dict[str, str], status: int) -> None:
    answer = server.anonymous.post("/api/users", {"name": "ada", "role": "admin"}, headers=headers)
    found = entries(server)

    assert answer.status == status
    assert [(one["who"], one["origin"], one["status"]) for one in found] == [("", "127.0.0.1", status)]


def test_a_user_who_may_not_is_named(server: Served) -> None:
    add_user(server, role=Role.VIEWER)

    server.anonymous.with_token(add_key(server)).post("/api/users", {"name": "eve", "role": "admin"})

    assert [(one["who"], one["action"], one["status"]) for one in entries(server)] == [("ada", "add_user", 403)]


def test_a_flood_of_equal_refusals_is_one_entry(server: Served) -> None:
    for _ in range(64):
        server.anonymous.post("/api/users", {"name": "ada", "role": "admin"})

    assert [one["detail"] for one in entries(server)] == [{"times": 64}]


def test_no_entry_holds_a_secret(server: Served) -> None:
    add_user(server)
    made = server.client.post("/api/keys", {"name": "nightly", "user": "ada"}).json()
    path = server.client.post("/api/login-links").json()["path"]
    server.anonymous.get(path)
    server.client.post("/api/users", {"name": "bob", "role": "viewer", "password": PASSWORD})
    page = browser(server)
    page.request("PUT", "/api/me/password", json={"password": PASSWORD, "new_password": "a wholly new one"})

    told = server.client.get("/api/audit").body.decode()

    secrets = [made["key"].rpartition("_")[2], path.partition("=")[2], PASSWORD, "a wholly new one", page.cookie]
    assert [secret for secret in [*secrets, server.context.install_token] if secret in told] == []
    assert len(entries(server)) == 5


def test_the_log_is_read_page_by_page_and_by_who_what_and_when(server: Served) -> None:
    for number in range(5):
        server.client.post("/api/users", {"name": f"u{number}", "role": "viewer"})
    server.client.delete("/api/users/u0")

    first = entries(server, "?limit=4")
    second = entries(server, f"?limit=4&before={first[-1]['seq']}")
    later = datetime.fromtimestamp(time.time() + 60, UTC).isoformat().replace("+00:00", "Z")

    assert [one["subject"] for one in first + second] == ["u0", "u4", "u3", "u2", "u1", "u0"]
    assert [one["action"] for one in entries(server, "?subject=u0")] == ["remove_user", "add_user"]
    assert len(entries(server, "?who=owner&action=add_user")) == 5
    assert entries(server, f"?since={later}") == []
    assert entries(server, "?who=nobody") == []
    assert server.client.get("/api/audit?limit=1001").status == 422


def test_a_text_that_no_database_keeps_is_made_visible(any_server: Served) -> None:
    any_server.client.delete("/api/users/a%1b%5B31mb")
    any_server.anonymous.delete("/api/users/a%1b%5B31m%0ab")

    assert [one["subject"] for one in entries(any_server)] == ["a\\x1b[31m b"]


def test_every_route_that_changes_something_bears_a_name_for_the_log() -> None:
    unsafe = [one for one in endpoints() if one.method != "GET"]

    # What is recorded of runs is a record itself.
    unnamed = {f"{one.method} {one.path}" for one in unsafe if not one.audit}
    records = {path for path in unnamed if path.split()[1].startswith(("/api/journal", "/api/store/", "/api/results/"))}
    assert unnamed - records == set()
