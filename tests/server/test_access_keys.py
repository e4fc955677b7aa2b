"""API keys, and the routes that manage users and keys."""

from __future__ import annotations

import time
from typing import Any

import pytest

from nadi.model.access import KEY_TERM, Permission, Role
from tests.server.people import PASSWORD, add_key, add_user
from tests.server.serving import Served


def may(server: Served, key: str) -> list[str]:
    """What somebody with this key may do, by what is answered; `[]` when the key is not taken."""
    paths = {"read": "/api/server", "admin": "/api/users"}
    answers = {name: server.anonymous.with_token(key).get(path).status for name, path in paths.items()}
    assert set(answers.values()) <= {200, 401, 403}
    return [name for name, status in answers.items() if status == 200]


def test_a_key_is_shown_once_and_kept_as_a_digest(any_server: Served) -> None:
    add_user(any_server)

    made = any_server.client.post("/api/keys", {"name": "nightly", "user": "ada"})
    key, about = made.json()["key"], made.json()["about"]
    listed = any_server.client.get("/api/keys").json()

    assert made.status == 201
    assert may(any_server, key) == ["read"]
    secret = key.rpartition("_")[2]
    assert listed[0] | {"used": None} == about
    assert secret not in str(listed) + repr(any_server.context.store.access.keys_of())


def test_a_key_lasts_ninety_days_unless_something_else_is_said(server: Served) -> None:
    add_user(server)

    def lasts(**fields: Any) -> float:
        id = server.client.post("/api/keys", {"name": "k", "user": "ada", **fields}).json()["about"]["id"]
        key = server.context.store.access.key(id)
        assert key is not None
        return key.expires - key.created if key.expires else 0.0

    assert [lasts(), lasts(lasts=60.0), lasts(lasts=0)] == [KEY_TERM, 60.0, 0.0]


@pytest.mark.parametrize(
    ("role", "scopes", "expected"),
    [
        (Role.ADMIN, (), ["read", "admin"]),
        (Role.ADMIN, (Permission.READ,), ["read"]),
        (Role.ADMIN, (Permission.ADMIN,), ["admin"]),
        (Role.ADMIN, (Permission.RECORD,), []),
        (Role.VIEWER, (), ["read"]),
        (Role.VIEWER, (Permission.READ, Permission.ADMIN), ["read"]),
        (Role.VIEWER, (Permission.ADMIN,), []),
    ],
)
def test_a_key_may_what_its_scopes_say_and_never_more_than_its_user(
    server: Served, role: Role, scopes: tuple[Permission, ...], expected: list[str]
) -> None:
    add_user(server, role=role)

    assert may(server, add_key(server, "ada", *scopes)) == expected


def test_a_key_follows_the_role_of_its_user(server: Served) -> None:
    add_user(server, role=Role.ADMIN)
    key = add_key(server)

    server.client.request("PATCH", "/api/users/ada", json={"role": "viewer"})

    assert may(server, key) == ["read"]


def test_a_key_is_dead_when_it_expired_was_removed_or_its_user_is_out(server: Served) -> None:
    now = time.time()
    add_user(server)
    add_user(server, "bob")
    expired, lasting = add_key(server, expires=now - 1), add_key(server, expires=now + 60)
    removed, of_bob = add_key(server), add_key(server, "bob")
    assert [may(server, key) for key in (expired, lasting, removed, of_bob)] == [[], ["read"], ["read"], ["read"]]

    server.client.delete(f"/api/keys/{removed.split('_')[1]}")
    server.client.request("PATCH", "/api/users/ada", json={"disabled": True})
    server.client.delete("/api/users/bob")
    assert [may(server, key) for key in (expired, lasting, removed, of_bob)] == [[], [], [], []]

    server.client.request("PATCH", "/api/users/ada", json={"disabled": False})
    add_user(server, "bob")
    assert [may(server, key) for key in (lasting, of_bob)] == [["read"], []]


def test_the_last_use_of_a_key_is_kept_to_the_minute(server: Served) -> None:
    add_user(server)
    now = time.time()
    old, fresh = add_key(server, used=now - 61), add_key(server, used=now - 30)

    may(server, old)
    may(server, fresh)
    used = [key.used for text in (old, fresh) if (key := server.context.store.access.key(text.split("_")[1]))]

    assert now <= used[0] < now + 60
    assert used[1] == now - 30


@pytest.mark.parametrize(
    "header",
    [
        "Bearer nothing",
        "Bearer nadi_aaaaaaaaaaaa_" + "a" * 52,
        "Bearer",
        "Bearer  ",
        "Basic b3duZXI6b3duZXI=",
        "Bearer nadi_install_" + "a" * 52,
        "Bearer \xff\xfe",
        "Bearer " + "a" * 10_000,
        "bearer,Bearer",
    ],
)
def test_credentials_that_are_none_are_refused(server: Served, header: str) -> None:
    answer = server.anonymous.get("/api/server", headers={"Authorization": header})

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert header.removeprefix("Bearer ").strip() not in answer.body.decode() or header.strip() == "Bearer"


def test_the_scheme_is_read_in_any_case_and_two_headers_are_none(server: Served) -> None:
    token = server.context.install_token
    connection = server.anonymous.connection()
    connection.putrequest("GET", "/api/server")
    connection.putheader("Authorization", f"Bearer {token}")
    connection.putheader("Authorization", f"Bearer {token}")
    connection.endheaders()
    twice = connection.getresponse().status
    connection.close()

    assert server.anonymous.get("/api/server", headers={"Authorization": f"bEaReR {token}"}).status == 200
    assert twice in (400, 401)


def test_a_key_with_one_letter_changed_is_none(server: Served) -> None:
    add_user(server)
    key = add_key(server)

    for at in (6, len(key) - 1):
        changed = key[:at] + ("a" if key[at] != "a" else "b") + key[at + 1 :]
        assert may(server, changed) == []
    assert may(server, key.upper()) == []


# -- users --


def test_users_are_made_listed_changed_and_removed(any_server: Served) -> None:
    made = any_server.client.post("/api/users", {"name": "ada", "role": "operator", "password": PASSWORD})
    again = any_server.client.post("/api/users", {"name": "ada", "role": "admin"})
    changed = any_server.client.request("PATCH", "/api/users/ada", json={"role": "admin"})
    listed = any_server.client.get("/api/users")
    removed = any_server.client.delete("/api/users/ada")

    assert (made.status, again.status, changed.status, removed.status) == (201, 422, 200, 204)
    assert made.json() | {"role": "admin"} == changed.json() == listed.json()[0]
    assert (made.json()["has_password"], made.json()["disabled"]) == (True, False)
    assert any_server.client.get("/api/users/ada").status == 404
    assert any_server.client.delete("/api/users/ada").json()["error"] == "UserNotFound"


def test_no_answer_holds_anything_of_a_password(server: Served) -> None:
    body = {"name": "ada", "role": "operator", "password": PASSWORD}

    told = server.client.post("/api/users", body).body + server.client.get("/api/users").body
    told += server.client.get("/api/users/ada").body + server.client.get("/api/audit").body

    assert b"scrypt" not in told
    assert PASSWORD.encode() not in told


@pytest.mark.parametrize(
    "body",
    [
        {"name": "owner", "role": "admin"},
        {"name": "Ada", "role": "admin"},
        {"name": "", "role": "admin"},
        {"name": "a/b", "role": "admin"},
        {"name": "..", "role": "admin"},
        {"name": "a" * 65, "role": "admin"},
        {"name": "<script>", "role": "admin"},
        {"name": "ada", "role": "root"},
        {"name": "ada", "role": "admin", "password": "short"},
        {"name": "ada", "role": "admin", "is_admin": True},
    ],
)
def test_users_that_cannot_be_are_refused_in_one_sentence(server: Served, body: dict[str, Any]) -> None:
    answer = server.client.post("/api/users", body)

    assert answer.status == 422
    assert answer.json()["detail"]
    assert server.client.get("/api/users").json() == []


def test_an_empty_change_changes_nothing_and_an_empty_password_is_none(server: Served) -> None:
    user = add_user(server)

    assert server.client.request("PATCH", "/api/users/ada", json={}).status == 200
    assert server.client.request("PATCH", "/api/users/ada", json={"password": ""}).status == 422
    assert server.context.store.access.user("ada") == user


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "k", "user": "nobody"}, 404),
        ({"name": " ", "user": "ada"}, 422),
        ({"name": "k" * 101, "user": "ada"}, 422),
        ({"name": "k", "user": "ada", "lasts": -1}, 422),
        ({"name": "k", "user": "ada", "lasts": 1e300}, 422),
        ({"name": "k", "user": "ada", "scopes": ["everything"]}, 422),
    ],
)
def test_keys_that_cannot_be_are_refused(server: Served, body: dict[str, Any], status: int) -> None:
    add_user(server)

    assert server.client.post("/api/keys", body).status == status
    assert server.client.get("/api/keys").json() == []
