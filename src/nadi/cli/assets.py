"""`nadi assets`: what tasks made, when, by which run, and from what."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
import msgspec

from nadi.cli.main import CALL_WRONG, DONE
from nadi.cli.output import ago, bold, dim, local_time, paragraph, print_table, say, say_json
from nadi.cli.reading import TEXT, run_names, store_for_reading
from nadi.engine.shapes import AssetDetailsShape, asset_shape, lineage_shapes, materialization_shape
from nadi.model.assets import AssetRecord, Lineage, Materialization
from nadi.model.text import one_line
from nadi.storage.contract import Store

_EXAMPLES = """\b
Examples:
  nadi assets
  nadi assets s3://lake/clean.parquet
  nadi assets s3://lake/clean.parquet --json
"""

#: The most assets of its lineage that are listed on each side; JSON has all of them.
MOST_EDGES = 40


@click.command(epilog=_EXAMPLES)
@click.argument("key", type=TEXT, default="")
@click.option("-n", "--limit", default=20, show_default=True, type=click.IntRange(1), help="The most to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(key: str, limit: int, as_json: bool) -> int:
    """List assets, or show one: when and from what it was made.

    Without KEY the assets are listed, the one with the newest word on it first.
    """
    with store_for_reading() as store:
        if key:
            return _show(store, key, limit, as_json)
        found = store.assets.assets(limit=limit + 1) if store is not None else []
        if as_json:
            say_json([asset_shape(asset) for asset in found[:limit]])
        elif not found or store is None:
            say("No assets yet. Tasks marked @materialize(...) make them.")
        else:
            _list(store, found[:limit])
            if len(found) > limit:
                say(dim(f"The newest {limit} are listed; more with --limit."))
    return DONE


def _list(store: Store, found: Sequence[AssetRecord]) -> None:
    newest = [next(iter(store.assets.materializations(asset.key, limit=1)), None) for asset in found]
    names = run_names(store, [made.run for made in newest if made is not None])
    now = time.time()
    rows = [
        [
            _state(asset),
            asset.key,
            ago(asset.materialized, now) or "never",
            names[made.run] if made is not None else "",
            ", ".join(made.upstream) if made is not None else "",
        ]
        for asset, made in zip(found, newest, strict=True)
    ]
    print_table(
        ["STATE", "ASSET", "MADE", "LAST RUN", "FROM"], rows, flexible=(1, 3, 4), colours=[_colour(a) for a in found]
    )


def _state(asset: AssetRecord) -> str:
    if asset.failed > asset.materialized:
        return "failed"
    return "made" if asset.materialized else "read"


def _colour(asset: AssetRecord) -> str | None:
    return {"failed": "red", "made": "green"}.get(_state(asset))


def _show(store: Store | None, key: str, limit: int, as_json: bool) -> int:
    asset = store.assets.asset(key) if store is not None else None
    if store is None or asset is None:
        say(f"Error: No task has made or read an asset {one_line(key)!r}. `nadi assets` lists the assets.", err=True)
        return CALL_WRONG
    made = store.assets.materializations(key, limit=limit)
    above, below = store.assets.lineage(key, up=True), store.assets.lineage(key, up=False)
    if as_json:
        said = [materialization_shape(one) for one in made]
        say_json(AssetDetailsShape(asset_shape(asset), said, lineage_shapes(above), lineage_shapes(below)))
        return DONE
    _head(asset)
    _lineage("Made from", above)
    _lineage("Used for", below)
    if made:
        _materializations(store, made)
    return DONE


def _head(asset: AssetRecord) -> None:
    told = asset.properties
    say(bold(one_line(asset.key)))
    lines = [
        ("name", told.name),
        ("description", told.description),
        ("url", told.url),
        ("owners", ", ".join(told.owners or ())),
        ("made", local_time(asset.materialized) or "never"),
        ("failed", local_time(asset.failed)),
    ]
    for label, text in lines:
        if text:
            say(paragraph(one_line(text), indent=f"  {label:<12} ", hanging=" " * 15))


def _lineage(title: str, edges: Sequence[Lineage]) -> None:
    if not edges:
        return
    say()
    say(f"{title}:")
    for edge in edges[:MOST_EDGES]:
        say(f"  {one_line(edge.upstream)} -> {one_line(edge.downstream)}")
    if len(edges) > MOST_EDGES:
        say(dim(f"  and {len(edges) - MOST_EDGES} more; --json lists all."))


def _materializations(store: Store, made: Sequence[Materialization]) -> None:
    names = run_names(store, [one.run for one in made])
    say()
    rows = [
        [
            "made" if one.succeeded else "failed",
            local_time(one.at),
            names[one.run],
            one.tool,
            one.message or _told(one.metadata),
        ]
        for one in made
    ]
    colours = ["green" if one.succeeded else "red" for one in made]
    print_table(["STATE", "WHEN", "RUN", "WITH", "TOLD"], rows, flexible=(2, 4), colours=colours)


def _told(metadata: bytes) -> str:
    told = msgspec.json.decode(metadata)
    return ", ".join(
        f"{name}={value if isinstance(value, str) else msgspec.json.encode(value).decode()}"
        for name, value in told.items()
    )
