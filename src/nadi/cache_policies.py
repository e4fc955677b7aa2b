"""Cache policies: which calls of a task may take a result that another call computed."""

from __future__ import annotations

from nadi.model.cache_policies import (
    DEFAULT,
    FLOW_PARAMETERS,
    INPUTS,
    NO_CACHE,
    RUN_ID,
    TASK_SOURCE,
    CacheContext,
    CachePolicy,
    FlowParameters,
    Inputs,
    KeyFromFunction,
    NoCache,
    RunId,
    TaskSource,
    Together,
)

#: Prefect's other name.
NONE = NO_CACHE

#: Prefect's names of the kinds of policies.
CacheKeyFnPolicy, CompoundCachePolicy = KeyFromFunction, Together

__all__ = [
    "DEFAULT",
    "FLOW_PARAMETERS",
    "INPUTS",
    "NONE",
    "NO_CACHE",
    "RUN_ID",
    "TASK_SOURCE",
    "CacheContext",
    "CacheKeyFnPolicy",
    "CachePolicy",
    "CompoundCachePolicy",
    "FlowParameters",
    "Inputs",
    "NoCache",
    "RunId",
    "TaskSource",
]
