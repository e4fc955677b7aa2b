"""`nadi run`: runs a flow in this process."""

from __future__ import annotations

import click

from nadi.cli.reading import TEXT
from nadi.cli.running import change_settings, given_parameters, see_through
from nadi.engine.flow_lookup import name_of
from nadi.engine.loading import load_flow
from nadi.engine.roots import new_root
from nadi.engine.scope import tags as with_tags
from nadi.exceptions import LoadError
from nadi.executors.naming import NAMES
from nadi.model.names import LONGEST_NAME
from nadi.model.specs import FlowSpec
from nadi.model.text import shorten

_EXAMPLES = """\b
Examples:
  nadi run flow.py
  nadi run flow.py:my_flow -p rows=1000 -p day=2026-03-01
  nadi run package.module:my_flow --executor process --tag nightly
"""


@click.command(epilog=_EXAMPLES)
@click.argument("flow")
@click.option("-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated.")
@click.option("--executor", type=click.Choice(sorted(NAMES)), help="Where submitted tasks run.")
@click.option("--name", type=TEXT, default="", help="Name of the run; made up if not given.")
@click.option("--tag", "tags", type=TEXT, multiple=True, help="A tag of the run; may be repeated.")
@click.option("-q", "--quiet", is_flag=True, help="Show only what the flow prints, and its failure.")
@click.option("--json", "as_json", is_flag=True, help="Print the finished run as JSON; prints go to standard error.")
@click.option(
    "--wait-for-store",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="How long to wait at the end for a store that is away.",
)
def command(
    flow: str,
    pairs: tuple[str, ...],
    executor: str | None,
    name: str,
    tags: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    wait_for_store: float | None,
) -> int:
    """Run a flow.

    FLOW is path/to/file.py:flow or package.module:flow; where there is only one flow, the file or module is enough.
    Values of parameters are read by their type: text stays text, collections are written as JSON.
    """
    change_settings(quiet=quiet, wait_for_store=wait_for_store)
    spec = spec_of(load_flow(flow), flow)
    bound = spec.parameters.bind_named(given_parameters(spec, pairs))
    if spec.validate_parameters:
        bound = spec.parameters.validate(bound)
    with with_tags(*tags):
        run = new_root(spec, bound, executor=executor)
    if name:
        run.name, run.named = shorten(name, LONGEST_NAME), True
    return see_through(run, quiet=quiet or as_json, as_json=as_json)


def spec_of(flow: object, target: str) -> FlowSpec:
    """Return the spec of a loaded flow.

    Raises:
        LoadError: it is a flow of another kind.
    """
    spec = getattr(flow, "spec", None)
    if not isinstance(spec, FlowSpec):
        raise LoadError(f"{target} names the flow {name_of(flow)!r}, which is not a function marked with @flow.")
    return spec
