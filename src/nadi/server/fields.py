"""Types of what requests bear: each with its bounds, so that what no store could hold never reaches one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

#: Names, texts to search for, keys: longer ones match nothing.
Text = Annotated[str, Meta(max_length=500, description="At most 500 characters.")]
#: A moment, with its time zone.
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339, with a time zone.")]
#: Where to go on in what is kept by id: the `next` of the page before.
Cursor = Annotated[str, Meta(max_length=64, description="The `next` of the page before.")]
#: Of a run, a task run.
Id = Annotated[str, Meta(max_length=64, description="An id.")]
#: Where to go on in what is numbered.
Number = Annotated[int, Meta(ge=0)]
#: How many to give.
UpTo200 = Annotated[int, Meta(ge=1, le=200)]
UpTo1000 = Annotated[int, Meta(ge=1, le=1000)]
UpTo5000 = Annotated[int, Meta(ge=1, le=5000)]

#: How many points to draw.
Points = Annotated[int, Meta(ge=4, le=5000)]


def seconds(moment: datetime | None) -> float:
    """Return a moment as Unix seconds; 0 for none."""
    return moment.timestamp() if moment is not None else 0.0
