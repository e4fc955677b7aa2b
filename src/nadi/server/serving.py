"""`nadi server`, from its options to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

import msgspec

from nadi._version import __version__
from nadi.engine.logs import configure
from nadi.engine.recording import clock
from nadi.server.checking import check_options, check_reach
from nadi.server.configuration import Configuration
from nadi.server.running import MOST_CONNECTIONS, bound_socket, tls_context, until_signalled, url_of
from nadi.server.starting import closing_context, make_context, make_server
from nadi.storage.home import Home, this_holder
from nadi.storage.opening import open_store
from nadi.storage.recorder import own_results
from nadi.storage.settings import Settings

_log = logging.getLogger("nadi.server")


class Ready(msgspec.Struct, frozen=True):
    """What is told once a server answers; the form of `nadi server --json`."""

    url: str
    #: Opens a session of the person whose server it is, once, within five minutes.
    login: str
    port: int
    #: Where it records, without credentials.
    store: str
    version: str
    #: What to be warned of; "" for nothing.
    warning: str


def allow_many_connections() -> None:
    """Let this process have as many open files as the machine allows it; each connection is one."""
    try:
        import resource  # not on Windows, which needs no such thing
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MOST_CONNECTIONS
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
            )


def serve(configuration: Configuration, settings: Settings, *, on_ready: Callable[[Ready], None]) -> None:
    """Serve until SIGTERM or SIGINT; then let requests end, and return.

    Args:
        configuration: How.
        settings: Which home and store.
        on_ready: Called once it answers.

    Raises:
        SettingError: it cannot be meant so: unknown host, or others could reach it unprotected.
        CannotServe: port or certificate cannot be used.
        StoreUnavailable, StoreTooNew: the store or the home cannot be used.
    """
    check_options(configuration)
    tls, home = tls_context(configuration), Home(settings.home)
    with (
        bound_socket(configuration) as listener,
        contextlib.closing(open_store(settings.database_url, home=home.path)) as store,
    ):
        warning = check_reach(configuration, store)
        # From here on it is this process's own business how much it opens and logs.
        allow_many_connections()
        configure(settings.log_level, console=True, log_format=configuration.log_format or settings.log_format)
        logging.getLogger("uvicorn").setLevel(logging.ERROR)  # what strangers send is no news
        results, holder = own_results(settings, home), this_holder(clock.new_id())
        context = make_context(store, home, results, configuration, holder, now=time.time())
        server = make_server(context, tls)
        port = listener.getsockname()[1]

        def tell() -> None:
            url = url_of(configuration, port)
            login = f"{url}/login?code={context.codes.make(time.monotonic())}"
            on_ready(Ready(url, login, port, store.url, __version__, warning))

        server.on_ready = tell
        with closing_context(context), until_signalled(server):
            asyncio.run(server.serve([listener]))
