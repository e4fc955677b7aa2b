"""Reading a stream of server-sent events, as programs do."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

#: Seconds that a test waits for the next event.
PATIENCE = 20.0


class Event:
    """One event, or a sign of life."""

    def __init__(self, lines: list[str]) -> None:
        fields: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            fields.setdefault(name, []).append(value)
        self.id = fields.get("id", [""])[-1]
        self.kind = fields.get("event", [""])[-1]
        self.retry = fields.get("retry", [""])[-1]
        self.data: Any = json.loads("\n".join(fields["data"])) if "data" in fields else None

    @property
    def items(self) -> list[Any]:
        found: list[Any] = self.data["items"]
        return found


class Reader:
    """Reads a stream, event by event."""

    def __init__(self, port: int, token: str, query: str = "", *, last: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        told = {"Authorization": f"Bearer {token}"}
        if last:
            told["Last-Event-ID"] = last
        self.connection.request("GET", f"/api/stream?{query}", headers=told)
        self.response = self.connection.getresponse()
        self.id = last

    def blocks(self) -> Iterator[Event]:
        """Yield everything that comes, signs of life too, until the stream ends."""
        lines: list[str] = []
        while line := self._line():
            text = line.decode().rstrip("\n")
            if text:
                lines.append(text)
            elif lines:
                event = Event(lines)
                self.id = event.id or self.id
                yield event
                lines = []

    def _line(self) -> bytes:
        try:
            return self.response.readline()
        except (OSError, http.client.HTTPException):  # the server was killed; what it had begun to tell does not count
            return b""

    def next(self) -> Event:
        """Return the next event that has data."""
        return next(event for event in self.blocks() if event.data is not None)

    def until(self, condition: Callable[[Event], bool]) -> list[Event]:
        """Return all events up to the one for which something is so."""
        events = [self.next()]
        while not condition(events[-1]):
            events.append(self.next())
        return events

    def close(self) -> None:
        self.connection.close()
