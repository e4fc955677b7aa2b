"""`nadi audit`: who changed what."""

from __future__ import annotations

import time

import click
import msgspec

from nadi.cli.output import dim, local_time, print_table, say, say_json
from nadi.cli.reading import TEXT
from nadi.cli.users import access_desk
from nadi.engine.shapes import AuditShape
from nadi.exceptions import CallError
from nadi.model.text import parse_duration

_EXAMPLES = """\b
Examples:
  nadi audit --since 1d
  nadi audit --who ada --action cancel_run
  nadi audit --json --limit 1000
"""


@click.command(epilog=_EXAMPLES)
@click.option("--who", type=TEXT, default="", metavar="NAME", help="Only what this user did.")
@click.option("--action", type=TEXT, default="", metavar="NAME", help="Only this, such as login or add_key.")
@click.option("--subject", type=TEXT, default="", metavar="NAME", help="Only what was done to this run, user or key.")
@click.option("--since", default="", metavar="TIME", help="Only entries of the last 90s, 30m, 12h, 7d.")
@click.option("-n", "--limit", default=20, show_default=True, type=click.IntRange(1), help="The most to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(who: str, action: str, subject: str, since: str, limit: int, as_json: bool) -> None:
    """List who changed what, newest first: by a server, or by a command on this machine."""
    try:
        begin = time.time() - parse_duration(since) if since else 0.0
    except CallError as error:
        raise click.BadParameter(str(error), param_hint="--since") from None
    with access_desk() as desk:
        found = desk.audit(who=who, action=action, subject=subject, since=begin, limit=limit + 1)
    if as_json:
        say_json(found[:limit])
        return
    if not found:
        say("The audit log holds nothing of that kind.")
        return
    rows = [
        (
            local_time(entry.at.timestamp()) if entry.at else "",
            entry.who or "somebody unknown",
            entry.origin,
            entry.action,
            entry.subject,
            _outcome(entry),
        )
        for entry in found[:limit]
    ]
    print_table(("TIME", "WHO", "FROM", "ACTION", "SUBJECT", "OUTCOME"), rows, flexible=(1, 2, 4))
    if len(found) > limit:
        say(dim(f"The newest {limit} are listed; more with --limit."))


def _outcome(entry: AuditShape) -> str:
    told = "done" if entry.status < 400 else f"refused ({entry.status})" if entry.status < 500 else "failed"
    detail = msgspec.json.decode(entry.detail, type=dict[str, object])
    return f"{told}, {detail['times']} times" if "times" in detail else told
