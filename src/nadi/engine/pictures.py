"""Pictures: bytes and what kind of picture they are, from what a user has at hand."""

from __future__ import annotations

import io
import os
from typing import Any, NamedTuple

from nadi.exceptions import ValueRefused
from nadi.model.text import safe_repr

#: How a picture begins, and its media type.
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)


class Picture(NamedTuple):
    """A picture in memory."""

    media_type: str
    data: bytes


def picture_of(image: Any) -> Picture:
    """Return the picture that a path, bytes, a Matplotlib figure or a Pillow image is.

    Raises:
        ValueRefused: it is none of these, the file cannot be read, or the bytes are no picture.
    """
    if isinstance(image, bytes | bytearray | memoryview):
        data = bytes(image)
    elif isinstance(image, str | os.PathLike):
        data = _read(image)
    elif hasattr(image, "savefig"):
        data = _saved(image.savefig, "png")
    elif hasattr(image, "save"):
        data = _saved(image.save, "PNG")
    else:
        raise ValueRefused(
            "image takes the path of a file, bytes, a Matplotlib figure or a Pillow image,"
            f" not {safe_repr(image)[:200]}. A picture on the web goes by its address: image_url=..."
        )
    media_type = _media_type(data)
    if media_type is None:
        raise ValueRefused("image is no PNG, JPEG, GIF, WebP, BMP or SVG picture.")
    return Picture(media_type, data)


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ValueRefused(f"The picture {os.fspath(path)} cannot be read: {error.strerror or error}.") from None


def _saved(save: Any, format: str) -> bytes:
    buffer = io.BytesIO()
    save(buffer, format=format)
    return buffer.getvalue()


def _media_type(data: bytes) -> str | None:
    for beginning, media_type in _BEGINNINGS:
        if data.startswith(beginning):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    head = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (
        head.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in data[:4000].lower()
    ):
        return "image/svg+xml"
    return None
