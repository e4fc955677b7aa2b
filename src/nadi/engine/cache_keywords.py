"""What the keywords of a task say about its cache and its transaction hooks."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from nadi.exceptions import DefinitionError
from nadi.model.cache_policies import DEFAULT, CachePolicy, KeyFromFunction, NoCache
from nadi.model.specs import Caching
from nadi.model.transactions import IsolationLevel


def caching_of(given: Mapping[str, Any], owner: str) -> Caching | None:
    """Return how results of a task stand for other calls; `None` when nothing asks for that.

    Args:
        given: The keywords of the task.
        owner: What messages call it.

    Raises:
        DefinitionError: a keyword has a value that cannot work.
    """
    policy, storage_key = _policy_of(given, owner), _storage_key_of(given["result_storage_key"], owner)
    expiration = _seconds_of(given["cache_expiration"], owner)
    if policy is None and not storage_key and expiration is None:
        return None
    if isinstance(policy, NoCache) and not storage_key:
        return None
    if given["persist_result"] is False:
        _warn(owner, "persist_result=False keeps no result, so that there is nothing to cache.")
        return None
    if policy is not None and storage_key:
        _warn(owner, "result_storage_key is the cache key; cache_policy and cache_key_fn beside it count nothing.")
    level = getattr(policy, "isolation_level", None)
    return Caching(
        policy=None if storage_key else policy or DEFAULT,
        expiration=expiration,
        refresh=bool(given["refresh_cache"]),
        storage_key=storage_key,
        isolation_level=None if level is None else _level_of(level, owner),
    )


def _policy_of(given: Mapping[str, Any], owner: str) -> CachePolicy | None:
    policy, key_fn = given["cache_policy"], given["cache_key_fn"]
    if policy is not None and not isinstance(policy, CachePolicy):
        raise DefinitionError(
            f"{owner}: cache_policy must be one of nadi.cache_policies, such as INPUTS, not {policy!r}."
            " A function that gives the key goes to cache_key_fn."
        )
    if key_fn is None:
        return _usable(policy, owner) if policy is not None else None
    if not callable(key_fn):
        raise DefinitionError(f"{owner}: cache_key_fn must be a function (context, parameters), not {key_fn!r}.")
    if policy is not None:
        _warn(owner, "cache_key_fn gives the key; cache_policy beside it counts nothing.")
    return KeyFromFunction(key_fn)


def _usable(policy: CachePolicy, owner: str) -> CachePolicy:
    for option in ("key_storage", "lock_manager"):
        if getattr(policy, option) is not None:
            raise DefinitionError(
                f"{owner}: {option} of a cache policy is of no use here, because the store keeps the keys and the home"
                " has a lock for each. Leave it out."
            )
    return policy


def _level_of(level: Any, owner: str) -> IsolationLevel:
    try:
        return IsolationLevel(level)
    except ValueError:
        raise DefinitionError(f"{owner}: isolation_level must be an IsolationLevel, not {level!r}.") from None


def _storage_key_of(key: Any, owner: str) -> str:
    if key is not None and (not isinstance(key, str) or not key):
        raise DefinitionError(
            f"{owner}: result_storage_key must be a name such as 'reports/{{parameters[day]}}.json', not {key!r}."
        )
    return key or ""


def _seconds_of(expiration: Any, owner: str) -> float | None:
    if expiration is None:
        return None
    seconds = expiration.total_seconds() if isinstance(expiration, timedelta) else expiration
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise DefinitionError(
            f"{owner}: cache_expiration must be a timedelta or seconds greater than 0, not {expiration!r}."
        )
    return float(seconds)


def _warn(owner: str, told: str) -> None:
    warnings.warn(f"{owner}: {told}", UserWarning, stacklevel=6)
