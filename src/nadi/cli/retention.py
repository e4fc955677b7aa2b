"""`nadi retention`: how long finished runs are kept, how large the store is, and removing what is due."""

from __future__ import annotations

import time

import click

from nadi.cli.changes import note_change
from nadi.cli.output import dim, print_table, say, say_json
from nadi.cli.reading import TEXT, store_for_reading
from nadi.engine.shapes import RetentionRuleShape, retention_rule_shape
from nadi.exceptions import CallError, StoreUnavailable
from nadi.model.retention import FINAL_STATES, RetentionRule
from nadi.model.states import StateType
from nadi.model.text import human_bytes, human_duration, parse_duration, plural
from nadi.services.retention import Removed, due_runs, remove_due
from nadi.storage.home import Home
from nadi.storage.opening import store_in_force
from nadi.storage.recorder import own_results
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi retention set 90d
  nadi retention set 7d --state completed --flow hourly-report
  nadi retention set forever --flow audited
  nadi retention run --dry-run
"""

_STATE = click.Choice([state.lower() for state in FINAL_STATES], case_sensitive=False)


@click.group(epilog=_EXAMPLES)
def command() -> None:
    """Say how long finished runs are kept, and remove those whose time is over.

    Without a rule everything is kept. nadi server removes what is due by itself, every ten minutes.
    """


@command.command("ls")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_rules(as_json: bool) -> None:
    """List the rules. Of several that fit a run, one that names its flow comes first, then one that names its state."""
    with store_for_reading(look=False) as store:
        rules = store.retention.rules() if store is not None else []
    if as_json:
        say_json([retention_rule_shape(rule) for rule in rules])
    elif not rules:
        say("There is no rule, so that every run is kept. Make one: nadi retention set 90d")
    else:
        print_table(("FLOW", "STATE", "KEPT FOR"), [_cells(rule) for rule in rules], flexible=(0,))


def _cells(rule: RetentionRule) -> tuple[str, str, str]:
    return rule.flow or "every flow", (rule.state or "every state").lower(), _age(rule)


def _age(rule: RetentionRule) -> str:
    return "ever" if rule.age is None else human_duration(rule.age)


@command.command("set")
@click.argument("age", type=TEXT)
@click.option("--flow", type=TEXT, default="", metavar="NAME", help="Only runs of this flow.")
@click.option("--state", type=_STATE, help="Only runs that ended so.")
@click.option("--json", "as_json", is_flag=True, help="Print the rule as JSON.")
def set_rule(age: str, flow: str, state: str | None, as_json: bool) -> None:
    """Keep finished runs for AGE after their end, such as 12h or 90d; or `forever`."""
    seconds = None if age.strip().lower() in ("forever", "ever") else parse_duration(age)
    rule = RetentionRule(flow=flow, state=_state(state), age=seconds)
    settings = read_settings()
    store = store_in_force(settings)
    try:
        store.retention.set_rule(rule)
        note_change(store, "set_retention", flow, state=rule.state, age=rule.age)
    finally:
        store.close()
    if as_json:
        say_json(retention_rule_shape(rule))
    else:
        ended = f" that ended as {rule.state.lower()}" if rule.state else ""
        say(f"Runs of {_cells(rule)[0]}{ended} are kept for {_age(rule)} after their end.")


@command.command("rm")
@click.option("--flow", type=TEXT, default="", metavar="NAME", help="The rule for this flow.")
@click.option("--state", type=_STATE, help="The rule for runs that ended so.")
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON.")
def remove_rule(flow: str, state: str | None, as_json: bool) -> None:
    """Remove a rule."""
    rule = RetentionRule(flow=flow, state=_state(state))
    with store_for_reading(look=False) as store:
        if store is None or not store.retention.remove_rule(rule.flow, rule.state):
            ended = f" that ended as {rule.state.lower()}" if rule.state else ""
            raise CallError(
                f"There is no rule for runs of {_cells(rule)[0]}{ended}. `nadi retention ls` lists those there are."
            )
        note_change(store, "remove_retention", rule.flow, state=rule.state)
    if as_json:
        say_json({"removed": RetentionRuleShape(rule.flow, state.upper() if state else None, None)})
    else:
        say(dim("Removed."))


def _state(text: str | None) -> StateType | None:
    return StateType(text.upper()) if text else None


@command.command("run")
@click.option(
    "--dry-run", is_flag=True, help="Only say what would be removed; at most a thousand runs a flow and state."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON.")
def run_round(dry_run: bool, as_json: bool) -> None:
    """Remove now what is due: runs with all that belongs to them, and result files that nothing names any more."""
    settings = read_settings()
    home = Home(settings.home)
    with store_for_reading() as store:
        if store is None:
            removed, due = Removed(), []
        elif dry_run:
            removed, due = Removed(), list(due_runs(store, now=time.time(), limit=1000))
        else:
            due = []
            try:
                removed = remove_due(store, own_results(settings, home), now=time.time())
            except OSError as error:
                if isinstance(error, StoreUnavailable):
                    raise
                raise StoreUnavailable(f"The results cannot be removed: {error.strerror}.") from error
    if dry_run and as_json:
        say_json([{"flow": one.flow, "state": one.state, "runs": one.runs} for one in due])
    elif as_json:
        say_json(removed)
    elif dry_run:
        for one in due:
            say(f"{plural(len(one.runs), 'run')} of {one.flow}, {one.state.lower()}, kept for {_age(one.rule)}")
        say(f"{plural(sum(len(one.runs) for one in due), 'run')} would be removed.")
    else:
        say(f"Removed {plural(removed.runs, 'run')} and {plural(removed.files, 'result file')}.")


@command.command("sizes")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sizes(as_json: bool) -> None:
    """List how many records of each kind there are, and what they take on disk. It counts all, and may take a while."""
    with store_for_reading(look=False) as store:
        found = store.retention.sizes() if store is not None else []
    if as_json:
        say_json(found)
        return
    rows = [
        (size.kind, f"{size.rows:,}", human_bytes(size.size_bytes) if size.size_bytes >= 0 else "") for size in found
    ]
    print_table(("KIND", "ROWS", "SIZE"), [row for row in rows if row[1] != "0"], flexible=(0,))
