"""From method and path to a route: by whole parts of the path as they were sent, each decoded once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from nadi.exceptions import RequestRefused
from nadi.server.routing import Endpoint

_REST = ":path}"


@dataclass
class _Node:
    words: dict[str, _Node] = field(default_factory=dict)
    #: What follows where any part may stand.
    part: _Node | None = None
    #: Routes that end here by method, and those that take all the rest of the path.
    here: dict[str, Endpoint] = field(default_factory=dict)
    rest: dict[str, Endpoint] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A route for a request, and the parts of its path by name, as text."""

    endpoint: Endpoint
    parts: dict[str, str]


class Table:
    """All routes that there are. A path is one of theirs exactly, or it is none: nothing is trimmed or joined."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._root = _Node()
        for endpoint in endpoints:
            self._add(endpoint)

    def _add(self, endpoint: Endpoint) -> None:
        node, words = self._root, endpoint.path.strip("/").split("/")
        takes_rest = words[-1].endswith(_REST)
        for word in words[:-1] if takes_rest else words:
            if word.startswith("{"):
                node.part = node.part or _Node()
                node = node.part
            else:
                node = node.words.setdefault(word, _Node())
        methods = node.rest if takes_rest else node.here
        if endpoint.method in methods:
            raise ValueError(f"Two routes are {endpoint.method} {endpoint.path}.")
        methods[endpoint.method] = endpoint

    def find(self, method: str, path: bytes) -> Found | None:
        """Return the route of a request; `None` when there is none at this path.

        Args:
            method: As it was sent.
            path: As it was sent, below the base path, with `%` codes.

        Raises:
            RequestRefused: there is something at this path, but not for this method; or a part is no text.
        """
        words = path.split(b"/")
        if words[0] or len(words) < 2:
            return None
        methods, values = self._walk(self._root, words[1:], [])
        if not methods:
            return None
        endpoint = methods.get(method)
        if endpoint is None and method == "HEAD":
            get = methods.get("GET")
            endpoint = None if get is None or get.is_stream else get
        if endpoint is None:
            raise NoSuchMethod(method, allowed(methods))
        return Found(endpoint, dict(zip(_names(endpoint), values, strict=True)))

    def _walk(self, node: _Node, words: list[bytes], values: list[str]) -> tuple[dict[str, Endpoint], list[str]]:
        if not words:
            return node.here, values
        word, others = words[0], words[1:]
        # A word stands before a part of any text; no route has both a word and a part that would fit further down.
        known = node.words.get(word.decode("ascii", "replace"))
        if known is not None:
            methods, found = self._walk(known, others, values)
            if methods:
                return methods, found
        if node.part is not None and word:
            methods, found = self._walk(node.part, others, [*values, _text(word)])
            if methods:
                return methods, found
        if node.rest and word:
            return node.rest, [*values, "/".join(map(_text, words))]
        return {}, []


class NoSuchMethod(RequestRefused):
    """There is something at a path, but not for this method."""

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"This path takes {allowed}, and not {method[:20]}.", status=405)
        self.allowed = allowed


def allowed(methods: dict[str, Endpoint]) -> str:
    """Return the methods that a path takes, as the header `Allow` tells them."""
    told = set(methods)
    if "GET" in methods and not methods["GET"].is_stream:
        told.add("HEAD")
    return ", ".join(sorted(told))


def _names(endpoint: Endpoint) -> list[str]:
    words = endpoint.path.split("/")
    return [word[1:-1].removesuffix(":path") for word in words if word.startswith("{")]


def _text(word: bytes) -> str:
    try:
        text = unquote_to_bytes(word).decode()
    except UnicodeDecodeError:
        raise RequestRefused("The path holds bytes that are no UTF-8 text.", status=404) from None
    if "\0" in text:
        raise RequestRefused("The path holds a NUL character, which no name has.", status=404)
    return text
