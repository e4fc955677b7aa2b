"""Assets: what tasks made, when, by which run, and from what. A key is an address, so it stands in the query."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from nadi.engine.shapes import (
    AssetShape,
    LineageShape,
    MaterializationShape,
    asset_shape,
    lineage_shapes,
    materialization_shape,
)
from nadi.exceptions import NotFound
from nadi.model.access import Permission
from nadi.model.assets import LONGEST_KEY, AssetRecord
from nadi.model.text import one_line, shorten
from nadi.server.fields import Number, Text, UpTo200, UpTo1000
from nadi.server.routing import Call, Routes
from nadi.storage.contract import Store

routes = Routes("assets")

Key = Annotated[str, Meta(min_length=1, max_length=LONGEST_KEY)]


class AssetsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which assets."""

    #: Only those whose key begins so.
    prefix: Text = ""
    #: The `next` of the page before; 0 for the first.
    before: Number = 0
    limit: UpTo200 = 50


class AssetQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which asset."""

    key: Key


class MaterializationsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which materialisations."""

    key: Key
    #: The `next` of the page before; 0 for the first.
    before: Number = 0
    limit: UpTo200 = 50


class LineageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which side of an asset's lineage."""

    key: Key
    limit: UpTo1000 = 1000


class AssetPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some assets, the one with the newest word on it first."""

    assets: list[AssetShape]
    #: Give this as `before` for the next page; 0 when there are no more.
    next: int


class MaterializationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some materialisations, newest first, failed ones too."""

    materializations: list[MaterializationShape]
    #: Give this as `before` for the next page; 0 when there are no more.
    next: int


class LineagePage(msgspec.Struct, frozen=True, kw_only=True):
    """Over all steps: what an asset was made from, and what was made from it."""

    upstream: list[LineageShape]
    downstream: list[LineageShape]


@routes.add("GET", "/api/assets", Permission.READ)
def list_assets(call: Call, query: AssetsQuery) -> AssetPage:
    """List assets, the one with the newest word on it first."""
    found = call.context.store.assets.assets(prefix=query.prefix, before=query.before, limit=query.limit)
    following = found[-1].seq if len(found) == query.limit else 0
    return AssetPage(assets=[asset_shape(asset) for asset in found], next=following)


@routes.add("GET", "/api/assets/details", Permission.READ, errors=(NotFound,))
def show_asset(call: Call, query: AssetQuery) -> AssetShape:
    """Show one asset, by its key."""
    return asset_shape(_the_asset(call.context.store, query.key))


@routes.add("GET", "/api/assets/materializations", Permission.READ, errors=(NotFound,))
def list_materializations(call: Call, query: MaterializationsQuery) -> MaterializationPage:
    """List when an asset was made, or failed to be, newest first."""
    store = call.context.store
    _the_asset(store, query.key)
    found = store.assets.materializations(query.key, before=query.before, limit=query.limit)
    following = found[-1].seq if len(found) == query.limit else 0
    return MaterializationPage(materializations=[materialization_shape(one) for one in found], next=following)


@routes.add("GET", "/api/assets/lineage", Permission.READ, errors=(NotFound,))
def show_lineage(call: Call, query: LineageQuery) -> LineagePage:
    """Show what an asset was made from and what was made from it, over all steps."""
    store = call.context.store
    _the_asset(store, query.key)
    return LineagePage(
        upstream=lineage_shapes(store.assets.lineage(query.key, up=True, limit=query.limit)),
        downstream=lineage_shapes(store.assets.lineage(query.key, up=False, limit=query.limit)),
    )


def _the_asset(store: Store, key: str) -> AssetRecord:
    asset = store.assets.asset(key)
    if asset is None:
        raise NotFound(f"No task has made or read an asset {shorten(one_line(key), 80)!r}.")
    return asset
