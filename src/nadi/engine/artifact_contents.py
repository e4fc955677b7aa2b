"""What is in an artifact, as a file that somebody saves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from nadi.engine.lookup_artifacts import picture_bytes
from nadi.model.results import ResultRef
from nadi.model.runs import Artifact

#: Ending of the file of each kind of picture; others are only bytes.
_PICTURES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/svg+xml": "svg",
}


class Content(NamedTuple):
    """A file."""

    #: Letters, digits, dashes and one dot: it may stand in a header, and names no folder.
    file_name: str
    data: bytes


def content_of(artifact: Artifact, fetch: Callable[[ResultRef], Any]) -> Content:
    """Return what is in an artifact: text as it was written, the bytes of a picture, all else as JSON.

    Args:
        artifact: The artifact.
        fetch: Reads a kept value; what is read of an artifact is plain bytes.

    Raises:
        MissingResult: a picture's bytes are not kept, or cannot be read.
    """
    stem = "".join(char for char in artifact.key or artifact.id if char.isascii() and (char.isalnum() or char == "-"))
    stem = stem[:80] or "artifact"
    data = msgspec.json.decode(artifact.data) if artifact.data else None
    if artifact.kind == "markdown" and isinstance(data, str):
        return Content(f"{stem}.md", data.encode())
    if artifact.kind == "image" and isinstance(data, dict) and ("base64" in data or "kept" in data):
        ending = _PICTURES.get(str(data.get("media_type")), "bin")
        return Content(f"{stem}.{ending}", picture_bytes(artifact.id, data, fetch))
    return Content(f"{stem}.json", artifact.data or b"null")
