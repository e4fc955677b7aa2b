"""Metrics: numbers over steps that a run logs, drawn as curves and compared over runs."""

from __future__ import annotations

from nadi.engine.metrics import log_metric, log_metrics

__all__ = ["log_metric", "log_metrics"]
