"""The web UI: all files of `server/static`, built from `ui/`, read once and served by name from a table.

No path is ever made from a request, so nothing else can be reached. None of them holds anything of the store. The UI is
one page, which shows what its path says; so it is also the answer at the paths of its places.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import html
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from nadi.exceptions import RequestRefused
from nadi.server.compression import SMALLEST, takes_gzip

#: The one page, and what its build has where the base path belongs.
START = "index.html"
BASE = b'<base href="/" />'

#: What the paths begin with at which the page shows something. `ui/src/lib/paths.ts` has the same ones.
PLACES = frozenset({b"audit", b"compare", b"flows", b"keys", b"login", b"runs", b"settings", b"storage", b"users"})

#: Files below this have a hash of their content in their names, and never change.
LASTING = "/assets/"

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


@dataclass(frozen=True)
class Page:
    """One file, as it is sent."""

    content: bytes
    kind: str
    etag: str
    #: Whether it is the same for ever.
    lasts: bool

    @functools.cached_property
    def compressed(self) -> bytes:
        """The file in less bytes; empty where it would not be less."""
        smaller = gzip.compress(self.content, 9, mtime=0) if len(self.content) >= SMALLEST else b""
        return smaller if len(smaller) < len(self.content) else b""

    def answer(self, request: Request, status: int = 200) -> Response:
        """Return the answer to a request for it.

        Raises:
            RequestRefused: it is asked for by another method than GET or HEAD.
        """
        if request.method not in ("GET", "HEAD"):
            raise RequestRefused(f"This is a file, which takes GET, and not {request.method[:20]}.", status=405)
        kept = "public, max-age=31536000, immutable" if self.lasts else "no-cache"
        headers = {"etag": self.etag, "vary": "Accept-Encoding", "cache-control": kept}
        known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
        if status == 200 and (self.etag in known or "*" in known):
            return Response(status_code=304, headers=headers)
        if takes_gzip(request.headers.get("accept-encoding", "")) and self.compressed:
            headers["content-encoding"] = "gzip"
            return Response(self.compressed, status, headers, media_type=self.kind)
        return Response(self.content, status, headers, media_type=self.kind)


class Pages:
    """The files by the path under which each is served."""

    def __init__(self, base_path: str = "", folder: Traversable | None = None) -> None:
        """Read all files; the page leads to the others, and to its own places, below `base_path`.

        Args:
            base_path: Where a proxy has the server.
            folder: Another build than the one of the package.
        """
        self._pages: dict[bytes, Page] = {}
        self._add(folder or files("nadi.server") / "static", "/", base_path)
        #: The page itself.
        self.start = self._pages[b"/"]

    def __len__(self) -> int:
        return len(self._pages)

    def find(self, path: bytes) -> Page | None:
        """Return the file at a path below the base path; `None` where there is none."""
        return self._pages.get(path)

    def _add(self, folder: Traversable, path: str, base_path: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                self._add(entry, f"{path}{entry.name}/", base_path)
                continue
            name = path if entry.name == START else f"{path}{entry.name}"
            self._pages[name.encode()] = _page(entry, name, base_path)


def is_place(path: bytes) -> bool:
    """Whether the page shows something at a path below the base path."""
    return path == b"/" or path[1:].split(b"/", 1)[0] in PLACES


def takes_pages(request: Request) -> bool:
    """Whether a person asks, by a browser, for something to look at."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")


def _page(file: Traversable, name: str, base_path: str) -> Page:
    content = file.read_bytes()
    if file.name == START:
        content = content.replace(BASE, b'<base href="%b/" />' % html.escape(base_path).encode(), 1)
    return Page(
        content=content,
        kind=KINDS.get(file.name.rpartition(".")[2], "application/octet-stream"),
        etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        lasts=name.startswith(LASTING),
    )
