"""One connection, as uvicorn serves it, with bounds on how long its next request and its answers may take."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds within which a connection has to tell a whole request head, from its start or from the request before.
HEAD_WITHIN = 90.0
#: Seconds within which some of an answer has to be taken, where the most of it waits for its reader.
TAKEN_WITHIN = 60.0


class Connection(H11Protocol):
    """Ends connections that tell their request a byte at a time, or take no answer: they would be held for ever."""

    _overdue: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Start to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def handle_events(self) -> None:
        """Take in what came; a request that has begun is not waited for any more."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()

    def on_response_complete(self) -> None:
        """Start to wait for the next request."""
        super().on_response_complete()
        self._wait()

    def pause_writing(self) -> None:
        """Look from now on whether the answer is taken: what is not sent yet lies in memory."""
        super().pause_writing()
        self._go_on_looking(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Look no more: nearly all of it was taken."""
        self._stop_looking()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing."""
        self._forget()
        self._stop_looking()
        super().connection_lost(exc)

    def _go_on_looking(self, left: int) -> None:
        # Some progress will do: a slow line is no reason to end it.
        self._stop_looking()
        self._untaken = self.loop.call_later(TAKEN_WITHIN, self._look, left)

    def _look(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left < before:
            self._go_on_looking(left)
        else:
            self.transport.abort()

    def _stop_looking(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def _wait(self) -> None:
        self._forget()
        if not self.transport.is_closing():
            self._overdue = self.loop.call_later(HEAD_WITHIN, self.transport.close)

    def _forget(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
