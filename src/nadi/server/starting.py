"""What a server is made of, and how it is taken apart again."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from nadi.engine.clock import Clock
from nadi.model.holders import Holder
from nadi.server.app import make_app
from nadi.server.configuration import Configuration
from nadi.server.context import Context
from nadi.server.feed import Feed
from nadi.server.running import HttpServer
from nadi.server.static import Pages
from nadi.services.backfills import Backfiller
from nadi.services.reaper import Reaper
from nadi.services.retention import Retention
from nadi.services.running import Service, Services
from nadi.services.scheduler import Scheduler
from nadi.storage.contract import Store
from nadi.storage.home import Home
from nadi.storage.install_token import ensure_install_token
from nadi.storage.results import ResultStorage

#: Seconds that services have to end what they are doing.
SERVICE_GRACE = 10.0


def make_context(
    store: Store,
    home: Home,
    results: ResultStorage,
    configuration: Configuration,
    holder: Holder,
    *,
    now: float,
) -> Context:
    """Return what routes get, over a store that is open; `closing_context` lets go of it, and not of the store.

    Raises:
        StoreUnavailable: the install token cannot be made.
    """
    context = Context(
        store=store,
        home=home,
        results=results,
        configuration=configuration,
        holder=holder,
        feed=Feed(store),
        pages=Pages(configuration.base_path),
        started=now,
        install_token=ensure_install_token(home),
    )
    if configuration.services:
        context.services = Services(own_services(context))
    return context


def own_services(context: Context) -> list[Service]:
    """Return what a server does beside answering. Any number of servers may do so on one store."""
    store, results, clock = context.store, context.results, Clock()
    return [
        Scheduler(store, results, context.holder, clock=clock),
        Backfiller(store, results, clock=clock),
        Reaper(store, context.home, context.holder),
        Retention(store, results),
        context.launcher,
    ]


@contextmanager
def closing_context(context: Context) -> Iterator[None]:
    """Start the services, and at the end of the body let go of all that belongs to the context."""
    context.services.start()
    try:
        yield
    finally:
        context.feed.close()
        context.services.stop(SERVICE_GRACE)
        context.threads.shutdown()


def make_server(context: Context, tls: ssl.SSLContext | None = None) -> HttpServer:
    """Return a server; `server.run([bound_socket(configuration)])` serves until `server.stop()`."""
    return HttpServer(make_app(context), tls=tls, on_stop=context.feed.close)
