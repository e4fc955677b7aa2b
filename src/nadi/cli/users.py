"""`nadi users`: who may log in to a server, and with what role."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from nadi.cli.changes import who_here
from nadi.cli.output import dim, local_time, print_table, say, say_json
from nadi.cli.reading import TEXT
from nadi.engine.access_desks import AccessDesk, FarAccess, LocalAccess
from nadi.engine.passwords import MAX_LENGTH, MIN_LENGTH
from nadi.engine.places import nothing_recorded
from nadi.engine.shapes import UserShape
from nadi.exceptions import CallError
from nadi.model.access import Role
from nadi.storage.memory import MemoryStore
from nadi.storage.opening import far_client, store_in_force
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi users add ada --role operator
  nadi users add ci --role operator --keys-only
  nadi users role ada admin
  nadi users disable ada
"""

_ROLE = click.Choice([str(role) for role in Role], case_sensitive=False)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@contextmanager
def access_desk(*, makes: bool = False) -> Iterator[AccessDesk]:
    """Open what commands manage users and keys with: the store of the settings, or the server that they name.

    Args:
        makes: Whether a store that is not there is made; else an empty one answers in its place.
    """
    settings = read_settings()
    if settings.api_url:
        client = far_client(settings)
        try:
            yield FarAccess(client)
        finally:
            client.close()
        return
    store = MemoryStore() if nothing_recorded(settings) and not makes else store_in_force(settings)
    try:
        desk = LocalAccess(store, who=who_here(), now=time.time())
        yield desk
        for missed in desk.missed:
            say(f"Note: {missed}", err=True)
    finally:
        store.close()


@click.group(epilog=_EXAMPLES)
def command() -> None:
    """Manage the users of a server: who may log in, and what they may do.

    A viewer reads; an operator also starts, cancels and records runs; an admin also manages users and keys. You
    yourself need no user where your server runs: its login link and the commands there are the owner's.
    """


@command.command("ls")
@_JSON
def list_users(as_json: bool) -> None:
    """List the users."""
    with access_desk() as desk:
        found = desk.users()
    if as_json:
        say_json(found)
    elif not found:
        say("There is no user. Make one: nadi users add NAME --role viewer")
    else:
        rows = [(user.name, user.role, _may(user), local_time(_seconds(user))) for user in found]
        print_table(("USER", "ROLE", "LOGIN", "MADE"), rows, flexible=(0,))


@command.command("add")
@click.argument("name", type=TEXT)
@click.option("--role", type=_ROLE, default=str(Role.VIEWER), show_default=True, help="What it may do.")
@click.option("--keys-only", is_flag=True, help="No password: it cannot log in, and has only API keys.")
@_STDIN
@_JSON
def add_user(name: str, role: str, keys_only: bool, password_stdin: bool, as_json: bool) -> None:
    """Make the user NAME; its password is asked for on the terminal."""
    if keys_only and password_stdin:
        raise click.UsageError("A user with --keys-only has no password; leave out --password-stdin.")
    password = "" if keys_only else _new_password(password_stdin)
    with access_desk(makes=True) as desk:
        made = desk.add_user(name, role=Role(role.lower()), password=password)
    _tell(made, as_json)


@command.command("role")
@click.argument("name", type=TEXT)
@click.argument("role", type=_ROLE)
@_JSON
def set_role(name: str, role: str, as_json: bool) -> None:
    """Give the user NAME another role; it counts from the next request on."""
    with access_desk() as desk:
        changed = desk.change_user(name, role=Role(role.lower()))
    _tell(changed, as_json)


@command.command("password")
@click.argument("name", type=TEXT)
@_STDIN
@_JSON
def set_password(name: str, password_stdin: bool, as_json: bool) -> None:
    """Give the user NAME another password; all sessions of that user end."""
    password = _new_password(password_stdin)
    with access_desk() as desk:
        changed = desk.change_user(name, password=password)
    _tell(changed, as_json)


@command.command("disable")
@click.argument("name", type=TEXT)
@_JSON
def disable(name: str, as_json: bool) -> None:
    """Keep the user NAME out for now: sessions end, and keys are not taken."""
    with access_desk() as desk:
        changed = desk.change_user(name, disabled=True)
    _tell(changed, as_json)


@command.command("enable")
@click.argument("name", type=TEXT)
@_JSON
def enable(name: str, as_json: bool) -> None:
    """Let the user NAME in again, with the keys that it had."""
    with access_desk() as desk:
        changed = desk.change_user(name, disabled=False)
    _tell(changed, as_json)


@command.command("rm")
@click.argument("name", type=TEXT)
@_JSON
def remove(name: str, as_json: bool) -> None:
    """Remove the user NAME with all keys and sessions."""
    with access_desk() as desk:
        desk.remove_user(name)
    if as_json:
        say_json({"removed": name})
    else:
        say(dim(f"Removed {name}, with all keys and sessions."))


def _new_password(from_stdin: bool) -> str:
    """Ask for a new password twice, or read it; never an argument, which other programs of the machine can see."""
    if from_stdin:
        password = sys.stdin.read(MAX_LENGTH + 2).removesuffix("\n").removesuffix("\r")
        if not password:
            raise CallError("Standard input holds no password.")
        return password
    if not sys.stdin.isatty():
        raise CallError("There is no terminal to ask for a password on. Pipe it in and give --password-stdin.")
    asked = f"Password (at least {MIN_LENGTH} characters)"
    return str(click.prompt(asked, hide_input=True, confirmation_prompt="Once more", err=True))


def _tell(user: UserShape, as_json: bool) -> None:
    if as_json:
        say_json(user)
    else:
        say(f"{user.name}: {user.role}, {_may(user)}")


def _may(user: UserShape) -> str:
    if user.disabled:
        return "disabled"
    return "by password" if user.has_password else "by keys only"


def _seconds(user: UserShape) -> float:
    return user.created.timestamp() if user.created else 0.0
