"""One server process: its socket, its loop, and its orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import ssl
from collections.abc import Callable, Generator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from nadi.exceptions import CannotServe, SettingError
from nadi.server.configuration import Configuration
from nadi.server.connection import Connection

#: Seconds that requests have to end in when the server is asked to.
GRACE = 10.0
#: Connections at once, streams included; whoever comes then is told 503.
MOST_CONNECTIONS = 2_000
#: Bytes of the first line and the headers of a request.
LONGEST_HEAD = 32 * 1024
#: Seconds that a connection may be idle between two requests.
IDLE = 75
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class HttpServer(uvicorn.Server):
    """Serves an application until it is asked to stop; then lets its requests end and returns."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        tls: ssl.SSLContext | None = None,
        on_stop: Callable[[], None],
        grace: float = GRACE,
    ) -> None:
        """Make it.

        Args:
            app: What it serves.
            tls: `None` for plain HTTP.
            on_stop: Called when it is asked to end, from its loop: streams have to end then.
            grace: Seconds that requests have to end in.
        """
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # security.py believes a proxy where one is told of
            server_header=False,
            date_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=IDLE,
            timeout_graceful_shutdown=max(1, round(grace)),
            h11_max_incomplete_event_size=LONGEST_HEAD,
        )
        config.load()
        config.ssl = tls
        super().__init__(config)
        #: Called once it answers.
        self.on_ready: Callable[[], None] | None = None
        self._on_stop = on_stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked: asyncio.Event | None = None

    def stop(self) -> None:
        """Ask it to end; from any thread, or from a signal handler."""
        self.should_exit = True
        if self._loop is not None and self._asked is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._asked.set)

    async def main_loop(self) -> None:
        """Wait to be asked to stop. The one of uvicorn looks ten times a second, which an idle server need not."""
        self._loop, self._asked = asyncio.get_running_loop(), asyncio.Event()
        if self.on_ready is not None:
            self.on_ready()
        if not self.should_exit:
            await self._asked.wait()
        # Streams end now, with a hint to connect again; other requests have until the end of the grace.
        self._on_stop()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to `until_signalled`: after an orderly end, uvicorn would raise them once more."""
        yield


@contextlib.contextmanager
def until_signalled(server: HttpServer) -> Generator[None, None, None]:
    """Let SIGTERM and SIGINT ask the server to end; a second one lets it wait for nothing, a third one ends it."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        if server.should_exit:
            server.force_exit = True
            signal.signal(number, signal.SIG_DFL)
        server.stop()

    before = {number: signal.signal(number, on_signal) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def bound_socket(configuration: Configuration) -> socket.socket:
    """Return a socket that listens where the configuration says.

    Raises:
        SettingError: there is no such address here.
        CannotServe: the port is taken, or not allowed.
    """
    host, port = configuration.host, configuration.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise SettingError(f"There is no address for the host {host!r}. Check `--host`.") from None
    # `localhost` is both; who types it means the one that everything else on the machine takes it for.
    family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise SettingError(f"{host} is no address of this machine. Check `--host`.") from None
        raise CannotServe(_why_not(error, host, port)) from None
    listener.setblocking(False)
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken. Give another one with `--port`, or 0 for any free one."
    if error.errno == errno.EACCES:
        return f"Port {port} is not allowed to this user. Give one above 1023 with `--port`."
    return f"The server cannot listen on {host} port {port}: {error.strerror}."


def tls_context(configuration: Configuration) -> ssl.SSLContext | None:
    """Return what TLS needs; `None` where plain HTTP is wanted.

    Raises:
        CannotServe: certificate or key cannot be read or do not belong together.
    """
    if not configuration.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(configuration.certificate, configuration.certificate_key or None, password="")
    except (OSError, ValueError) as error:
        files = " and ".join(filter(None, (configuration.certificate, configuration.certificate_key)))
        raise CannotServe(f"The certificate of {files} cannot be used: {_told(error)}.") from None
    return context


def _told(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "").lower().replace("_", " ")
        return reason or "it is no PEM file, or its key needs a password"
    return getattr(error, "strerror", None) or str(error)


def url_of(configuration: Configuration, port: int) -> str:
    """Return the URL under which a person on this machine reaches the server."""
    host = configuration.host
    if host in ("0.0.0.0", "::", ""):
        host = "127.0.0.1" if host != "::" else "::1"
    scheme = "https" if configuration.certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{configuration.base_path}"
