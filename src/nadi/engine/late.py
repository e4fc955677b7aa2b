"""What few programs need of the engine, loaded with the first task that needs it: all would start later otherwise."""

from __future__ import annotations

import importlib
from typing import Any


def caching() -> Any:
    """Return `nadi.engine.caching`, for tasks that are cached or have hooks for commit or rollback."""
    return importlib.import_module("nadi.engine.caching")


def cache_keywords() -> Any:
    """Return `nadi.engine.cache_keywords`, for tasks with keywords of the cache."""
    return importlib.import_module("nadi.engine.cache_keywords")


def cache_policies() -> Any:
    """Return `nadi.model.cache_policies`, for keys of the cache."""
    return importlib.import_module("nadi.model.cache_policies")
