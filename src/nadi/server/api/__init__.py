"""All routes of the API, one module a noun."""

from __future__ import annotations

from nadi.server.api import (
    actions,
    artifacts,
    assets,
    audit,
    backfills,
    cache,
    deployments,
    events,
    failures,
    flow_runs,
    flows,
    health,
    history,
    journal,
    keys,
    limits,
    login,
    meta,
    monitoring,
    results,
    retention,
    store_calls,
    stream,
    task_runs,
    users,
    variables,
    waiting,
    workers,
)
from nadi.server.routing import Endpoint, Routes

#: The routes of each noun, in the order of the documentation.
NOUNS: tuple[Routes, ...] = (
    health.routes,
    login.routes,
    users.routes,
    keys.routes,
    audit.routes,
    flow_runs.routes,
    actions.routes,
    task_runs.routes,
    artifacts.routes,
    events.routes,
    assets.routes,
    variables.routes,
    limits.routes,
    cache.routes,
    deployments.routes,
    backfills.routes,
    workers.routes,
    flows.routes,
    history.routes,
    failures.routes,
    waiting.routes,
    stream.routes,
    meta.routes,
    retention.routes,
    monitoring.routes,
    journal.routes,
    store_calls.routes,
    results.routes,
)


def endpoints() -> list[Endpoint]:
    """Return every route there is: what is not among them is not served."""
    return [endpoint for routes in NOUNS for endpoint in routes.endpoints]
