"""`nadi users`, `nadi keys` and `nadi audit`: on the store that is here, and at a server."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.engine.access_desks import FarAccess
from nadi.engine.credentials import parse_key
from nadi.engine.passwords import is_password
from nadi.model.access import AuditEntry, Permission, Role
from nadi.storage.contract import Store
from nadi.storage.http.client import Client
from nadi.storage.opening import open_store
from nadi.storage.sqlite import SqliteStore
from tests.cli.conftest import Nadi
from tests.journeys.places import Place
from tests.server.people import add_key, add_user
from tests.server.serving import Served, serving

PASSWORD = "correct horse battery"


@pytest.fixture(params=["here", "there"])
def kept(
    request: pytest.FixtureRequest, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    """The store that commands manage: that of the home, or one that is at a server."""
    if request.param == "here":
        store = open_store("", home=home)
        yield store
        store.close()
        return
    store = SqliteStore(tmp_path / "far.db")
    with serving(store, tmp_path / "server-home") as served:
        monkeypatch.setenv("NADI_API_URL", served.url)
        monkeypatch.setenv("NADI_API_KEY", served.context.install_token)
        yield store
    store.close()


@pytest.fixture
def far(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server that the commands of the test work against."""
    store = SqliteStore(tmp_path / "far.db")
    with serving(store, tmp_path / "server-home") as served:
        monkeypatch.setenv("NADI_API_URL", served.url)
        yield served
    store.close()


def test_users_are_made_listed_changed_and_removed(nadi: Nadi, kept: Store) -> None:
    made = nadi("users", "add", "ci", "--role", "operator", "--keys-only", "--json")
    again = nadi("users", "add", "ci", "--keys-only")
    role = nadi("users", "role", "ci", "viewer")
    out, back = nadi("users", "disable", "ci"), nadi("users", "enable", "ci", "--json")
    listed = nadi("users", "ls", "--json")
    table = nadi("users", "ls")
    removed, gone = nadi("users", "rm", "ci"), nadi("users", "rm", "ci")

    assert made.json["role"] == "operator"
    assert (again.status, "already" in again.err) == (2, True)
    assert role.out == "ci: viewer, by keys only\n"
    assert out.out == "ci: viewer, disabled\n"
    assert listed.json == [back.json]
    assert "by keys only" in table.out
    assert (removed.status, gone.status) == (0, 2)
    assert "no user 'ci'" in gone.err
    assert kept.access.users() == []


def test_a_password_comes_from_standard_input(nadi: Nadi, kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def given(password: str, *command: str) -> int:
        monkeypatch.setattr(sys, "stdin", io.StringIO(password))
        return nadi(*command, "--password-stdin").status

    made = given(f"{PASSWORD}\n", "users", "add", "ada")
    first = kept.access.user("ada")
    short = given("short\n", "users", "password", "ada")
    empty = given("", "users", "password", "ada")
    changed = given(f"another {PASSWORD}\r\n", "users", "password", "ada")
    second = kept.access.user("ada")

    assert (made, short, empty, changed) == (0, 2, 2, 0)
    assert first is not None
    assert first.role is Role.VIEWER
    assert is_password(PASSWORD, first.password)
    assert second is not None
    assert is_password(f"another {PASSWORD}", second.password)


def test_without_a_terminal_no_password_is_asked_for(nadi: Nadi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))

    said = nadi("users", "add", "ada")

    assert said.status == 2
    assert "--password-stdin" in said.err


def test_a_password_is_asked_for_twice_on_the_terminal_and_not_shown(place: Place) -> None:
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nadi", "users", "add", "ada", "--json"],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=place.environment(),
        start_new_session=True,
    )
    os.close(terminal)

    shown = b""
    for prompt in (b"characters): ", b"Once more: "):
        while not shown.endswith(prompt):
            shown += os.read(main, 1000)
        os.write(main, PASSWORD.encode() + b"\n")
    out, _ = process.communicate(timeout=30)
    os.close(main)

    assert process.returncode == 0
    assert b'"has_password": true' in out
    assert PASSWORD.encode() not in shown + out


def test_keys_are_made_listed_and_removed(nadi: Nadi, kept: Store) -> None:
    nadi("users", "add", "ci", "--role", "operator", "--keys-only")

    made = nadi("keys", "add", "nightly", "--user", "ci", "--scope", "record", "--scope", "read", "--expires", "12h")
    text = parse_key(made.out.strip())
    listed = nadi("keys", "ls", "--user", "ci", "--json")
    assert text is not None
    key = kept.access.key(text.id)
    table = nadi("keys", "ls")
    removed, gone = nadi("keys", "rm", text.id), nadi("keys", "rm", text.id)

    assert "cannot be shown again" in made.err
    assert key is not None
    assert (key.user, key.scopes) == ("ci", (Permission.RECORD, Permission.READ))
    assert key.expires - key.created == 12 * 3600
    assert [one["id"] for one in listed.json] == [text.id]
    assert text.secret not in listed.out + table.out
    assert "record, read" in table.out
    assert (removed.status, gone.status) == (0, 2)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("keys", "add", "k", "--user", "nobody"), "There is no user 'nobody'"),
        (("keys", "add", "k", "--user", "ci", "--expires", "soon"), "no length of time"),
        (("keys", "add", "k", "--user", "ci", "--expires", "0"), "needs some time"),
        (("keys", "add", "k", "--user", "ci", "--scope", "all"), "'all' is not one of"),
        (("keys", "rm", "a/../b"), "There is no API key 'a/../b'"),
        (("users", "role", "nobody", "admin"), "There is no user 'nobody'"),
        (("users", "add", "owner", "--keys-only"), "cannot be the name of a user"),
        (("users", "add", "x", "--keys-only", "--password-stdin"), "has no password"),
        (("audit", "--since", "once"), "no length of time"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(nadi: Nadi, kept: Store, command: tuple[str, ...], sentence: str) -> None:
    nadi("users", "add", "ci", "--keys-only")

    said = nadi(*command)

    assert said.status == 2
    assert sentence in said.err


def test_the_audit_log_tells_of_what_commands_changed(nadi: Nadi, kept: Store) -> None:
    nadi("users", "add", "ci", "--role", "operator", "--keys-only")
    nadi("users", "role", "ci", "admin")
    nadi("users", "rm", "nobody")

    listed = nadi("audit", "--json").json
    one = nadi("audit", "--action", "change_user", "--subject", "ci", "--since", "1h", "-n", "1", "--json").json
    table = nadi("audit")

    assert [(entry["action"], entry["subject"]) for entry in listed] == [("change_user", "ci"), ("add_user", "ci")]
    assert one[0]["detail"] == {"changed": {"role": "admin"}}
    assert "change_user" in table.out
    assert nadi("audit", "--who", "nobody").out.startswith("The audit log holds nothing")
    assert nadi("audit", "-n", "1").out.endswith("more with --limit.\n")


def test_commands_here_are_told_apart_from_requests(nadi: Nadi, home: Path) -> None:
    nadi("limits", "set", "database", "5")
    nadi("limits", "rm", "database")

    listed = nadi("audit", "--json").json

    assert [(entry["origin"], entry["action"], entry["status"]) for entry in listed] == [
        ("cli", "remove_limit", 0),
        ("cli", "set_limit", 0),
    ]
    assert " on " in listed[0]["who"]


def test_looking_makes_no_database(nadi: Nadi, home: Path) -> None:
    said = [nadi("users", "ls"), nadi("keys", "ls"), nadi("audit"), nadi("users", "rm", "ada")]

    assert [one.status for one in said] == [0, 0, 0, 2]
    assert not home.exists()


def test_a_key_that_may_not_is_told_so(nadi: Nadi, far: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    add_user(far, role=Role.OPERATOR)
    monkeypatch.setenv("NADI_API_KEY", add_key(far))

    said = nadi("users", "ls")

    assert said.status == 3
    assert "does not allow" in said.err
    assert "Traceback" not in said.err


def test_more_entries_than_a_server_gives_at_once_come_page_by_page(far: Served) -> None:
    for number in range(8):
        entry = AuditEntry(at=1.0, who="", how="", origin="", action="a", subject=str(number))
        far.context.store.access.note(entry)
    client = Client(far.url, far.context.install_token)

    found = FarAccess(client, page=3).audit(who="", action="", subject="", since=0.0, limit=7)
    client.close()

    assert [entry.subject for entry in found] == ["7", "6", "5", "4", "3", "2", "1"]
