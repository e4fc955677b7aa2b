"""Assets: files, tables and models out in the world, known by their address, and how they came to be."""

from __future__ import annotations

import re

import msgspec

from nadi.exceptions import ValueRefused
from nadi.model.text import safe_repr

#: The most characters of a key.
LONGEST_KEY = 512

#: A scheme, then what is neither blank nor a control character, nor one that addresses have to escape.
_KEY = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\x00-\x20\x7f\"<>\\^`{|}]+")
_CREDENTIALS = re.compile(r"[a-z][a-z0-9+.-]*://[^/@]*:[^/@]*@")


def check_asset_key(key: object) -> str:
    """Return the key of an asset.

    Raises:
        ValueRefused: it is no address, is too long, or bears credentials.
    """
    if not isinstance(key, str) or not _KEY.fullmatch(key) or len(key) > LONGEST_KEY:
        raise ValueRefused(
            f"{safe_repr(key)} cannot be the key of an asset: a key is an address such as 's3://bucket/table' or"
            f" 'file:///data/clean.parquet', without blanks, of at most {LONGEST_KEY} characters."
        )
    if _CREDENTIALS.match(key):
        raise ValueRefused(
            "The key of an asset bears a user name and password, and everybody who sees runs may read keys."
            f" Leave them out: {key.partition('://')[0]}://{key.partition('@')[2]}"
        )
    return key


class AssetProperties(msgspec.Struct, frozen=True):
    """What people read about an asset; `None` leaves what was said before."""

    name: str | None = None
    url: str | None = None
    description: str | None = None
    owners: list[str] | None = None

    def over(self, older: AssetProperties) -> AssetProperties:
        """Return these properties, and where one is not given, that of `older`."""
        return AssetProperties(
            *(
                getattr(older, field) if getattr(self, field) is None else getattr(self, field)
                for field in self.__struct_fields__
            )
        )


class AssetRef(msgspec.Struct, frozen=True):
    """An asset as a task names it."""

    key: str
    properties: AssetProperties = AssetProperties()


class TaskAssets(msgspec.Struct, frozen=True):
    """What a task has to do with assets."""

    #: What it makes; empty for a task that only reads.
    made: tuple[AssetRef, ...] = ()
    #: What it is made with, such as "spark"; "" when nobody said.
    tool: str = ""
    #: What it reads, beside what its upstream tasks made.
    deps: tuple[AssetRef, ...] = ()


class Materialization(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a task made an asset, or tried to."""

    id: str
    key: str
    #: Unix seconds.
    at: float
    succeeded: bool
    #: The root run, the flow run and the task run that made it; such a run may have been deleted since.
    root: str
    run: str
    task: str
    tool: str = ""
    #: Why it failed; "" when it did not.
    message: str = ""
    #: Keys of the assets it was made from.
    upstream: tuple[str, ...] = ()
    #: JSON object: what the task told of it.
    metadata: bytes = b"{}"
    #: Number of the store's change that brought it.
    seq: int = 0


class AssetRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An asset as the store knows it."""

    key: str
    properties: AssetProperties = AssetProperties()
    #: Unix seconds of the last time it was made; 0 for never: then it was only read.
    materialized: float = 0.0
    #: Unix seconds of the last time that making it failed; 0 for never.
    failed: float = 0.0
    #: Number of the store's change that brought the newest word on it.
    seq: int = 0


class Lineage(msgspec.Struct, frozen=True):
    """One asset was made from another, the last time that it was made."""

    upstream: str
    downstream: str
