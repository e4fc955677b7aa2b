"""What stands in the way of a server, or in its place: each a few lines over a socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Line:
    """A way to a server on which answers can be lost: the server has done what was asked, and nobody hears of it."""

    def __init__(self, port: int) -> None:
        self._server = port
        #: How many of the next answers are lost.
        self.losing = 0
        #: Which answers are lost all the time, again and again from the start; none when empty.
        self.pattern: list[bool] = []
        self._answers = 0
        self._counting = threading.Lock()
        self.lost = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, name="line", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._server)) as far:
            back = threading.Thread(target=self._back, args=(far, near), daemon=True)
            back.start()
            _pump(near, far, lambda: False)
            back.join()

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        _pump(far, near, self._loses)

    def _loses(self) -> bool:
        with self._counting:
            self._answers += 1
            loses = self.pattern[self._answers % len(self.pattern)] if self.pattern else self.losing > 0
            self.losing = max(0, self.losing - 1)
            self.lost += loses
            return loses


def _pump(source: socket.socket, target: socket.socket, loses: Callable[[], bool]) -> None:
    try:
        while (data := source.recv(1 << 16)) and not loses():
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):  # or the other direction would wait for ever
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Other:
    """A server that answers everything with one answer, and remembers what it was asked."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        asked = self.asked = list[str]()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked.append(self.requestline)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), name="other", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[Other]:
    """Answer everything so; underscores in the names of headers stand for hyphens."""
    other = Other(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        yield other
    finally:
        other.close()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port
