"""Assets: what task runs make and what they make it from, told as they end.

Lineage follows the data: a task run carries the assets that it made, or, when it makes none, those
that its inputs carry. So assets are found through plain tasks in between. A session begins to
follow them with the first task run that has to do with assets; runs before it carry none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nadi.engine.asset_trail import AssetTrail, Carried
from nadi.engine.runs import Run
from nadi.engine.scope import Scope, current
from nadi.engine.session import Session
from nadi.engine.shown import shown_as_json
from nadi.exceptions import ContextError, DefinitionError, ValueRefused
from nadi.model.assets import AssetProperties, AssetRef, TaskAssets, check_asset_key
from nadi.model.records import AssetDescribed, AssetMaterialized
from nadi.model.secrets import mask
from nadi.model.specs import Spec, TaskSpec
from nadi.model.states import StateType
from nadi.model.text import safe_repr

#: The most bytes of JSON that one call tells of an asset.
LARGEST = 256 * 1024


class Asset:
    """A file, table or model out in the world, known by its address."""

    __slots__ = ("key", "properties")

    def __init__(self, key: str, properties: AssetProperties | None = None) -> None:
        """Name an asset; what `properties` does not give stays as it was said before.

        Raises:
            ValueRefused: the key is no address such as `"s3://bucket/table"`, or bears credentials.
        """
        self.key = check_asset_key(key)
        self.properties = properties

    def add_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Tell something of this materialisation of it; see `add_asset_metadata`."""
        add_asset_metadata(self, metadata)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and (self.key, self.properties) == (other.key, other.properties)

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"Asset({self.key!r})"


def add_asset_metadata(asset: str | Asset, metadata: Mapping[str, Any]) -> None:
    """Tell something of an asset that the running task makes: rows, a checksum, a schema.

    Called again, it adds; a later word on a key counts. It shows with the materialisation once the task ends.

    Raises:
        ContextError: called outside of a task that makes assets.
        ValueRefused: that task does not make this asset, or the metadata is no dict, or more than 256 KiB.
    """
    key = asset.key if isinstance(asset, Asset) else check_asset_key(asset)
    scope = _making(key)
    if not isinstance(metadata, Mapping):
        raise ValueRefused(f"The metadata of asset {key} is a dict, not {safe_repr(metadata)}.")
    encoded = shown_as_json(dict(metadata))
    if len(encoded) > LARGEST:
        raise ValueRefused(f"The metadata of asset {key} has {len(encoded):,} bytes; it has at most {LARGEST:,}.")
    session = scope.session
    session.append(
        AssetDescribed(session.root, session.token, session.now(), scope.flow_run, scope.id, mask(key), encoded)
    )


def _making(key: str) -> Scope:
    """Return the scope of the task run around this code that makes the asset."""
    scope = current.get()
    made: list[str] = []
    while scope is not None and not scope.is_flow:
        made += made_by(scope.spec)
        if key in made:
            return scope
        scope = scope.parent
    if not made:
        raise ContextError("add_asset_metadata() works inside of a task marked @materialize(...).")
    raise ValueRefused(f"This task does not make the asset {key}; @materialize names {', '.join(made)}.")


def made_by(spec: Spec) -> tuple[str, ...]:
    """Return the keys of what a task makes."""
    return tuple(asset.key for asset in spec.assets.made) if isinstance(spec, TaskSpec) and spec.assets else ()


def task_assets(
    owner: str, *, made: Iterable[Any] = (), tool: str | None = None, deps: Iterable[Any] | None = None
) -> TaskAssets | None:
    """Return what a decorator says of assets; `None` when it says nothing.

    Raises:
        DefinitionError: what it names is no asset and no key of one.
    """
    named = tuple(_ref(one, owner) for one in made), tuple(_ref(one, owner) for one in _listed(deps))
    return TaskAssets(named[0], tool or "", named[1]) if any(named) else None


def _listed(deps: Any) -> Iterable[Any]:
    return () if deps is None else (deps,) if isinstance(deps, str | Asset) else deps


def _ref(named: Any, owner: str) -> AssetRef:
    if isinstance(named, Asset):
        return AssetRef(named.key, named.properties or AssetProperties())
    try:
        return AssetRef(check_asset_key(named))
    except ValueRefused as error:
        raise DefinitionError(f"{owner}: {error}") from None


# -- as task runs end --

#: Names under which a task run is COMPLETED without having made anything.
_MADE_NOTHING = ("Cached", "Skipped")


def told(run: Run, upstream: tuple[str, ...], state: StateType, name: str, message: str) -> None:
    """Tell what a task run made, or failed to, as it is about to go from RUNNING to a final state."""
    spec, session, scope = run.spec, run.session, run.scope
    if not isinstance(spec, TaskSpec) or spec.assets is None or name in _MADE_NOTHING:
        return
    assert scope is not None
    read = [_masked(asset) for asset in _read(run, upstream)]
    for asset in map(_masked, spec.assets.made):
        session.append(
            AssetMaterialized(
                session.root,
                session.token,
                session.now(),
                session.next_id(),
                scope.flow_run,
                run.id,
                asset.key,
                state is StateType.COMPLETED,
                spec.assets.tool,
                "" if state is StateType.COMPLETED else message,
                tuple(one for one in read if one.key != asset.key),
                asset.properties,
            )
        )


def _masked(asset: AssetRef) -> AssetRef:
    shown: AssetRef = msgspec.json.decode(shown_as_json(asset), type=AssetRef)
    return shown


def follow(run: Run, upstream: tuple[str, ...], value: Any) -> None:
    """Follow what a task run carries that ended well, now or in an earlier attempt."""
    assets = run.spec.assets if isinstance(run.spec, TaskSpec) else None
    carried = assets.made if assets is not None and assets.made else _read(run, upstream)
    if carried:
        _trail(run.session).carry(run.id, value, carried)


def _read(run: Run, upstream: tuple[str, ...]) -> Carried:
    trail = run.session.assets
    found = trail.read_by(upstream, run.bound or {}) if trail is not None else ()
    deps = run.spec.assets.deps if isinstance(run.spec, TaskSpec) and run.spec.assets is not None else ()
    by_key = {asset.key: asset for asset in (*found, *deps)}
    return tuple(by_key.values())


def _trail(session: Session) -> AssetTrail:
    with session.lock:
        if session.assets is None:
            session.assets = AssetTrail(session.handed.origin)
        return session.assets


def masked_asset(record: AssetDescribed | AssetMaterialized) -> AssetDescribed | AssetMaterialized:
    """Hide in a record of another process what is secret here."""
    key = mask(record.key)
    if isinstance(record, AssetDescribed):
        return msgspec.structs.replace(record, key=key, metadata=shown_as_json(msgspec.json.decode(record.metadata)))
    return msgspec.structs.replace(
        record,
        key=key,
        message=mask(record.message),
        upstream=tuple(map(_masked, record.upstream)),
        properties=_masked(AssetRef(key, record.properties)).properties,
    )
