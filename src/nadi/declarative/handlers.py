"""State handlers as Prefect 1 has them: functions `(object, old_state, new_state)`, and helpers that make them."""

from __future__ import annotations

from nadi.engine.state_handlers import Handler, callback_factory

__all__ = ["Handler", "callback_factory"]
