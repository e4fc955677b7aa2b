"""Artifacts: tables, text, links, pictures and progress bars that a run shows to people.

All are recorded with the run that makes them, in flows and tasks of every executor, and cost one
appended record each. An artifact with a `key` is the newest of its name over all runs; a run
that is resumed makes again what its flow function makes, not what its finished tasks made.
The `a...` twins are for code written with `await`; nothing here blocks, so the plain names serve
in coroutines too, and what they return may be awaited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from os import PathLike
from typing import Any

import msgspec

from nadi.engine.artifacts import ArtifactId, make_artifact, make_picture, table_data
from nadi.engine.artifacts import checked_progress as _checked_progress
from nadi.engine.artifacts import update_progress as _update_progress
from nadi.engine.lookup_artifacts import newest_artifact, picture_bytes
from nadi.engine.pictures import picture_of
from nadi.exceptions import ValueRefused
from nadi.model.runs import Artifact as _Recorded
from nadi.model.runs import when

Table = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | Sequence[Sequence[Any]] | Any


def create_markdown_artifact(markdown: str, key: str | None = None, description: str | None = None) -> ArtifactId:
    """Show text in Markdown; returns the artifact's id. At most 1 MiB."""
    return make_artifact("markdown", str(markdown), key=key, description=description)


def create_table_artifact(table: Table, key: str | None = None, description: str | None = None) -> ArtifactId:
    """Show a table; returns the artifact's id.

    Takes a list of dicts (a row each), a dict of lists (a column each), a list of lists, or a data
    frame of pandas or polars. At most 1 MiB of JSON: show the head of a large one.
    """
    return make_artifact("table", table_data(table), key=key, description=description)


def create_link_artifact(
    link: str, link_text: str | None = None, key: str | None = None, description: str | None = None
) -> ArtifactId:
    """Show a link; returns the artifact's id."""
    return make_artifact("link", {"link": str(link), "text": link_text or ""}, key=key, description=description)


def create_image_artifact(
    image_url: str | None = None,
    key: str | None = None,
    description: str | None = None,
    *,
    image: str | PathLike[str] | bytes | Any = None,
) -> ArtifactId:
    """Show a picture; returns the artifact's id.

    Args:
        image_url: Address of a picture on the web, which is shown from there.
        key: Name under which later runs make it again.
        description: What people read beside it.
        image: The picture itself, kept with the run: the path of a file, bytes, a Matplotlib figure or a Pillow
            image. PNG, JPEG, GIF, WebP, BMP or SVG of at most 32 MiB; beyond 48 KiB it goes to result storage.
    """
    if (image_url is None) == (image is None):
        raise ValueRefused("create_image_artifact() takes either image_url= or image=.")
    if image is not None:
        return make_picture(picture_of(image), key=key, description=description)
    return make_artifact("image", {"url": str(image_url)}, key=key, description=description)


def create_progress_artifact(progress: float, key: str | None = None, description: str | None = None) -> ArtifactId:
    """Show a progress bar at `progress` per cent; returns the id for `update_progress_artifact`."""
    return make_artifact("progress", _checked_progress(progress), key=key, description=description)


def update_progress_artifact(artifact_id: Any, progress: float, description: str | None = None) -> ArtifactId:
    """Move a progress bar of this run to `progress` per cent; the description stays unless given."""
    return _update_progress(str(artifact_id), progress, description=description)


async def acreate_markdown_artifact(
    markdown: str, key: str | None = None, description: str | None = None
) -> ArtifactId:
    """The awaitable twin of `create_markdown_artifact`."""
    return create_markdown_artifact(markdown, key, description)


async def acreate_table_artifact(table: Table, key: str | None = None, description: str | None = None) -> ArtifactId:
    """The awaitable twin of `create_table_artifact`."""
    return create_table_artifact(table, key, description)


async def acreate_link_artifact(
    link: str, link_text: str | None = None, key: str | None = None, description: str | None = None
) -> ArtifactId:
    """The awaitable twin of `create_link_artifact`."""
    return create_link_artifact(link, link_text, key, description)


async def acreate_image_artifact(
    image_url: str | None = None, key: str | None = None, description: str | None = None, *, image: Any = None
) -> ArtifactId:
    """The awaitable twin of `create_image_artifact`."""
    return create_image_artifact(image_url, key, description, image=image)


async def acreate_progress_artifact(
    progress: float, key: str | None = None, description: str | None = None
) -> ArtifactId:
    """The awaitable twin of `create_progress_artifact`."""
    return create_progress_artifact(progress, key, description)


async def aupdate_progress_artifact(artifact_id: Any, progress: float, description: str | None = None) -> ArtifactId:
    """The awaitable twin of `update_progress_artifact`."""
    return update_progress_artifact(artifact_id, progress, description)


class Artifact:
    """A recorded artifact, to read."""

    def __init__(self, recorded: _Recorded) -> None:
        self.id: str = recorded.id
        self.key: str | None = recorded.key or None
        #: markdown, table, link, image or progress.
        self.type: str = recorded.kind
        self.description: str = recorded.description
        #: By type: the text; `{"columns", "rows"}`; `{"link", "text"}`; `{"url"}` or `{"media_type", ...}`; per cent.
        self.data: Any = msgspec.json.decode(recorded.data)
        self.flow_run_id: str = recorded.run
        self.task_run_id: str | None = recorded.task or None
        self.created: datetime | None = when(recorded.created)
        self.updated: datetime | None = when(recorded.updated)

    @classmethod
    def get(cls, key: str) -> Artifact | None:
        """Return the newest artifact of a key that is committed, whichever run made it; `None` when there is none.

        What this run appended a moment ago counts too.

        Raises:
            StoreUnavailable: the store cannot be reached; tasks in other processes have none.
        """
        found = newest_artifact(key)
        return cls(found) if found is not None else None

    @classmethod
    async def aget(cls, key: str) -> Artifact | None:
        """The awaitable twin of `get`."""
        return cls.get(key)

    def image(self) -> bytes:
        """Return the bytes of a picture that is kept with its run.

        Raises:
            MissingResult: it is not an image, is shown from the web, or its file is gone.
        """
        return picture_bytes(self.id, self.data)

    def __repr__(self) -> str:
        return f"<Artifact {self.type} {self.key or self.id}>"


__all__ = [
    "Artifact",
    "acreate_image_artifact",
    "acreate_link_artifact",
    "acreate_markdown_artifact",
    "acreate_progress_artifact",
    "acreate_table_artifact",
    "aupdate_progress_artifact",
    "create_image_artifact",
    "create_link_artifact",
    "create_markdown_artifact",
    "create_progress_artifact",
    "create_table_artifact",
    "update_progress_artifact",
]
