"""Metrics: numbers over steps, logged by a run."""

from __future__ import annotations

import logging
import math
from typing import Any

from nadi.engine.scope import scope_of
from nadi.exceptions import ValueRefused
from nadi.model.records import MetricLogged
from nadi.model.secrets import mask
from nadi.model.text import safe_repr

#: The most characters of a metric's name.
LONGEST_NAME = 200

_log = logging.getLogger("nadi.runs")


def log_metric(key: str, value: Any, step: int | None = None) -> None:
    """Record one value of a metric of the flow run or task run that calls this.

    Args:
        key: Name of the metric, such as `"val/accuracy"`.
        value: A number: int, float, bool, or a scalar of NumPy, PyTorch and the like. NaN and infinity have no place
            on a chart: they are not recorded, and the run's log says so.
        step: Where on the curve it is; default is one more than the last value that this very run logged
            without a step under this key, from 0.

    Raises:
        ContextError: called outside of a flow or task.
        ValueRefused: key, value or step cannot be used.
    """
    scope = scope_of("log_metric()")
    if not isinstance(key, str) or not key.strip() or len(key) > LONGEST_NAME or not key.isprintable():
        raise ValueRefused(
            f"A metric's name is text of 1 to {LONGEST_NAME} printable characters, not {safe_repr(key)[:200]}."
        )
    number = _number(key, value)
    if step is None:
        step = scope.next_step(key)
    elif isinstance(step, bool) or not hasattr(step, "__index__") or abs(step.__index__()) >= 1 << 63:
        raise ValueRefused(f"The step of metric {key!r} is a whole number of 64 bits, not {safe_repr(step)}.")
    if not math.isfinite(number):
        _log.warning("Metric %s is %s at step %d: not recorded.", key, number, step)
        return
    session = scope.session
    task = "" if scope.is_flow else scope.id
    session.append(
        MetricLogged(
            session.root, session.token, session.now(), scope.flow_run, task, mask(key), number, step.__index__()
        )
    )


def log_metrics(metrics: dict[str, Any], step: int | None = None) -> None:
    """Record one value of each of several metrics; see `log_metric`."""
    for key, value in metrics.items():
        log_metric(key, value, step)


def _number(key: str, value: Any) -> float:
    if not isinstance(value, int | float) and callable(getattr(value, "item", None)):
        try:
            value = value.item()
        except (TypeError, ValueError, RuntimeError):
            pass  # more than one number: refused below
    try:
        if not isinstance(value, str | bytes) and hasattr(value, "__float__"):
            return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        pass
    raise ValueRefused(f"The value of metric {key!r} must be one number, not {safe_repr(value)[:200]}.")
