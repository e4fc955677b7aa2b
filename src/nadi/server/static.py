"""Pages, scripts and styles: all files of `server/static`, read once and served by name from a table.

No path is ever made from a request, so nothing else can be reached. None of them holds anything of the store.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from nadi.exceptions import RequestRefused
from nadi.server.compression import SMALLEST, takes_gzip

#: The page at the root, and the other pages, which go by their names without `.html`.
START = "index.html"

#: Media type by ending; told here, since what machines know of endings differs.
KINDS = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "ico": "image/x-icon",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One file, as it is sent."""

    content: bytes
    compressed: bytes
    kind: str
    etag: str

    def answer(self, request: Request) -> Response:
        """Return the answer to a request for it.

        Raises:
            RequestRefused: it is asked for by another method than GET or HEAD.
        """
        if request.method not in ("GET", "HEAD"):
            raise RequestRefused(f"This is a file, which takes GET, and not {request.method[:20]}.", status=405)
        headers = {"etag": self.etag, "vary": "Accept-Encoding", "cache-control": "no-cache"}
        known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
        if self.etag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        if self.compressed and takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(self.compressed, headers={**headers, "content-encoding": "gzip"}, media_type=self.kind)
        return Response(self.content, headers=headers, media_type=self.kind)


class Pages:
    """The files by the path under which each is served."""

    def __init__(self) -> None:
        self._pages: dict[bytes, Page] = {}
        self._add(files("nadi.server") / "static", "/")

    def __len__(self) -> int:
        return len(self._pages)

    def find(self, path: bytes) -> Page | None:
        """Return the file at a path below the base path; `None` where there is none."""
        return self._pages.get(path)

    def _add(self, folder: Traversable, path: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                self._add(entry, f"{path}{entry.name}/")
            else:
                self._pages[name_of(path, entry.name).encode()] = read_page(entry)


@functools.cache
def page_named(name: str) -> Page:
    """Return one page, such as `login.html`, for a route that decides whether to show it."""
    return read_page(files("nadi.server") / "static" / name)


def name_of(folder: str, name: str) -> str:
    """Return the path of a file: pages go without their ending, the first one by its folder's path."""
    return folder if name == START else f"{folder}{name.removesuffix('.html')}"


def read_page(file: Traversable) -> Page:
    """Read a file and make what is sent of it."""
    content = file.read_bytes()
    smaller = gzip.compress(content, 9, mtime=0) if len(content) >= SMALLEST else b""
    return Page(
        content=content,
        compressed=smaller if len(smaller) < len(content) else b"",
        kind=KINDS.get(file.name.rpartition(".")[2], "application/octet-stream"),
        etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
    )
