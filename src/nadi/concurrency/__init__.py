"""Concurrency limits: how many runs, in however many processes, do something at once, or how often.

A limit has a name and slots. `nadi.concurrency.sync` and `nadi.concurrency.asyncio` take them:
`with concurrency("database"):` holds a slot while the body runs, `rate_limit("api")` waits for its turn.
"""

from nadi.engine.limits import list_limits, remove_limit, set_limit
from nadi.model.limits import Limit

__all__ = ["Limit", "list_limits", "remove_limit", "set_limit"]
