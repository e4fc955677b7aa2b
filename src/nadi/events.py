"""Events: say that something happened, for people and for what listens."""

from nadi.engine.events import emit_event
from nadi.model.events import Event

__all__ = ["Event", "emit_event"]
