"""`nadi graph`: draws what a run called, or what the code of a flow will call."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from nadi.cli.output import columns, fit, on_terminal, say
from nadi.cli.reading import RUN, run_for_reading
from nadi.declarative.drawing import graph_of_flow
from nadi.declarative.graph import Graph as DeclaredGraph
from nadi.engine.drawing import ENDINGS, Format, draw
from nadi.engine.graphs import Graph, graph_of_run
from nadi.engine.loading import load_flow
from nadi.engine.lookup import find_root
from nadi.engine.previews import graph_of_code

_EXAMPLES = """\b
Examples:
  nadi graph brave-otter-7
  nadi graph flow.py:my_flow
  nadi graph brave-otter-7 --format svg -o run.svg
"""


@click.command(epilog=_EXAMPLES)
@click.argument("target", type=RUN)
@click.option(
    "--format",
    "how",
    type=click.Choice([*(each.value for each in Format), "json"]),
    help="How to draw; text if not given, or by the ending of the file.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write to this file."
)
@click.option("--horizontal", is_flag=True, help="Draw what comes later to the right, not below.")
@click.option("--json", "as_json", is_flag=True, help="Print nodes and edges as JSON.")
def command(target: str, how: str | None, output: Path | None, horizontal: bool, as_json: bool) -> None:
    """Draw the graph of a run, or of a flow before it ran.

    TARGET is a run (its name, its id, or a unique beginning of its id) or a flow (path/to/file.py:flow or
    package.module:flow). Of an imperative flow the code is read and not run; a declared flow is its graph.
    """
    graph = _of_flow(target) if names_code(target) else _of_run(target)
    if as_json or how == "json":
        # Loaded here alone, where nodes become JSON.
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(graph), indent=2).decode()
    else:
        ascii_only = output is None and "utf" not in (sys.stdout.encoding or "").lower()
        chosen = Format(how) if how else _by_ending(output)
        text = draw(graph, chosen, ascii_only=ascii_only, horizontal=horizontal)
    if output is None:
        # A line that is broken is no tree any more: on a terminal it is cut.
        cut = on_terminal() and not as_json and how in (None, Format.TEXT.value)
        for line in text.split("\n"):
            say(fit(line, columns()).rstrip() if cut else line)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise click.BadParameter(f"{output} cannot be written: {error.strerror}.", param_hint="-o") from None
    say(f"Wrote {output}.", err=True)


def names_code(target: str) -> bool:
    """Whether a target means a flow in a file or module; a run's name or id has no colon and is no file."""
    return ":" in target or target.endswith(".py") or os.sep in target or os.path.isfile(target)


def _by_ending(output: Path | None) -> Format:
    ending = output.suffix.lower() if output is not None else ""
    if not ending:
        return Format.TEXT
    if ending not in ENDINGS:
        told = f"{output}: graphs are drawn as .svg, .mmd or .txt. Give one of these endings, or say --format."
        raise click.BadParameter(told, param_hint="-o")
    return ENDINGS[ending]


def _of_flow(target: str) -> Graph:
    flow = load_flow(target)
    # By its real classes: `nadi.Flow` says of imperative flows too that they are its instances.
    return graph_of_flow(flow) if DeclaredGraph in type(flow).__mro__ else graph_of_code(flow)


def _of_run(target: str) -> Graph:
    with run_for_reading(target) as (store, found):
        root = find_root(store, found.id)
        return graph_of_run(root, store.recorded_calls(root.id), now=time.time())
