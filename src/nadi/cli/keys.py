"""`nadi keys`: API keys, with which programs act for a user."""

from __future__ import annotations

import time
from datetime import datetime

import click

from nadi.cli.output import ago, dim, print_table, say, say_json
from nadi.cli.reading import TEXT
from nadi.cli.users import access_desk
from nadi.engine.shapes import KeyShape
from nadi.exceptions import CallError
from nadi.model.access import KEY_TERM, Permission
from nadi.model.text import human_duration, parse_duration

_EXAMPLES = """\b
Examples:
  nadi keys add nightly --user ci --scope read --scope record --expires 90d
  nadi keys ls --user ci
  nadi keys rm k3jx2m5qa7bd
"""

_SCOPE = click.Choice([str(permission) for permission in Permission], case_sensitive=False)


@click.group(epilog=_EXAMPLES)
def command() -> None:
    """Manage API keys: what NADI_API_KEY holds where flows and commands work against a server."""


@command.command("ls")
@click.option("--user", type=TEXT, default="", metavar="NAME", help="Only keys of this user.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_keys(user: str, as_json: bool) -> None:
    """List the keys, newest first; what a program sends is shown once, when a key is made."""
    with access_desk() as desk:
        found = desk.keys(user=user)
    if as_json:
        say_json(found)
    elif not found:
        say("There is no key. Make one: nadi keys add NAME --user USER")
    else:
        _print(found, time.time())


def _print(found: list[KeyShape], now: float) -> None:
    rows = [
        (
            key.id,
            key.name,
            key.user,
            ", ".join(key.scopes) or "all that the user may",
            _expires(key, now),
            ago(_seconds(key.used), now) or "never",
        )
        for key in found
    ]
    print_table(("KEY", "FOR", "USER", "MAY", "EXPIRES", "USED"), rows, flexible=(1, 2, 3))


def _expires(key: KeyShape, now: float) -> str:
    left = _seconds(key.expires) - now
    if not key.expires:
        return "never"
    return f"in {human_duration(round(left) or 1)}" if left > 0 else "expired"


@command.command("add")
@click.argument("name", type=TEXT)
@click.option("--user", type=TEXT, required=True, metavar="NAME", help="Whose key it is; it never may more than that.")
@click.option(
    "--scope",
    "scopes",
    type=_SCOPE,
    multiple=True,
    help="What it may do; may be repeated. All that the user may, if not given.",
)
@click.option(
    "--expires",
    default=f"{KEY_TERM / 86400:g}d",
    show_default=True,
    metavar="TIME",
    help="How long it is good for, such as 12h or 90d, or `never`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def add_key(name: str, user: str, scopes: tuple[str, ...], expires: str, as_json: bool) -> None:
    """Make a key; NAME says what it is for. Standard output holds the key alone, this once."""
    lasts = _lasts(expires)
    with access_desk() as desk:
        made = desk.add_key(name, user=user, scopes=[Permission(scope.lower()) for scope in scopes], lasts=lasts)
    if as_json:
        say_json(made)
        return
    say(made.key)
    may = ", ".join(made.about.scopes) or f"all that {made.about.user} may"
    say(dim(f"{made.about.name}: may {may}, expires {_expires(made.about, time.time())}."), err=True)
    say(dim("It cannot be shown again. Set it as NADI_API_KEY where it is needed."), err=True)


def _lasts(expires: str) -> float:
    if expires.strip().lower() == "never":
        return 0.0
    try:
        seconds = parse_duration(expires)
    except CallError as error:
        raise click.BadParameter(str(error), param_hint="--expires") from None
    if not seconds:
        raise click.BadParameter(
            "A key needs some time to be of use; `never` is one without end.", param_hint="--expires"
        )
    return seconds


@command.command("rm")
@click.argument("id", type=TEXT)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def remove_key(id: str, as_json: bool) -> None:
    """Remove the key with this ID, as `nadi keys ls` shows it; it is refused from the next request on."""
    with access_desk() as desk:
        desk.remove_key(id)
    if as_json:
        say_json({"removed": id})
    else:
        say(dim(f"Removed {id}."))


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0
