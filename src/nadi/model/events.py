"""Events: something happened to something, at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

#: The labels under one of which a resource bears its id; the second is Prefect's.
ID_LABELS = ("nadi.resource.id", "prefect.resource.id")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to something."""

    id: str
    #: What happened, such as `"model.promoted"`; dots make families.
    event: str
    #: When it happened, UTC.
    occurred: datetime
    #: Labels of what it happened to; `resource_id` is one of them.
    resource: dict[str, str]
    #: Labels of what else takes part in it.
    related: tuple[dict[str, str], ...] = ()
    #: What else is to be known of it: a JSON object.
    payload: dict[str, Any] = {}
    #: Id of the event that this one follows.
    follows: str | None = None
    #: The root run, flow run and task run that emitted it; "" outside of any.
    root: str = ""
    flow_run_id: str = ""
    task_run_id: str = ""
    #: Number of the store's change that brought it; 0 before it is there.
    seq: int = 0

    @property
    def resource_id(self) -> str:
        """Id of what it happened to."""
        return id_of(self.resource)


def id_of(resource: Mapping[str, str]) -> str:
    """Return the id among the labels of a resource; "" when there is none."""
    return next((resource[label] for label in ID_LABELS if resource.get(label)), "")
