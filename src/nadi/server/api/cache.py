"""The cache: results that calls of other runs may take."""

from __future__ import annotations

import msgspec

from nadi.engine.shapes import CacheEntryShape, cache_entry_shape
from nadi.exceptions import ValueRefused
from nadi.model.access import Permission
from nadi.server.auditing import tell
from nadi.server.fields import Number, Text, UpTo200
from nadi.server.routing import Call, Routes

routes = Routes("cache")


class EntriesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries."""

    #: Only entries of tasks of this name.
    task: Text = ""
    #: The `next` of the page before; 0 for the first.
    before: Number = 0
    limit: UpTo200 = 50


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some entries, newest first."""

    entries: list[CacheEntryShape]
    #: Give this as `before` for the next page; 0 when there are no more.
    next: int


class RemovalQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to remove: what fits all that is said, or, with `all` alone, everything."""

    task: Text = ""
    key: tuple[Text, ...] = ()
    #: Only entries that have expired.
    expired: bool = False
    all: bool = False


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What was done."""

    removed: int


@routes.add("GET", "/api/cache", Permission.READ)
def list_entries(call: Call, query: EntriesQuery) -> EntryPage:
    """List the entries of the cache, newest first."""
    found = call.context.store.cache.entries(task=query.task, limit=query.limit, after=query.before)
    following = found[-1].seq if len(found) == query.limit else 0
    return EntryPage(entries=[cache_entry_shape(entry, now=call.now) for entry in found], next=following)


@routes.add("DELETE", "/api/cache", Permission.OPERATE, errors=(ValueRefused,), audit="clear_cache")
def clear(call: Call, query: RemovalQuery) -> Removed:
    """Remove entries, so that their tasks compute again."""
    if bool(query.task or query.key or query.expired) == query.all:
        raise ValueRefused("Say what to remove: `task`, `key` or `expired`, or `all=true` alone.")
    tell(call.request, subject=query.task, keys=query.key[:20], expired=query.expired, all=query.all)
    removed = call.context.store.cache.remove(
        now=call.now, task=query.task, keys=query.key, expired_at=call.now if query.expired else 0.0
    )
    return Removed(removed=removed)
