"""What holds for every request before anything else is looked at, stream and static files included.

- **Framing**: a body has one end, which nobody on the way could see elsewhere.
- **Host**: a name that this server goes by. A page of somebody else whose name was pointed at this address (DNS
  rebinding) comes with its own.
- **Origin and Sec-Fetch-Site**, which browsers set and pages cannot: whatever says that another site asks is refused
  on the whole API and on every method that changes something. There are no CORS headers, so no other page reads an
  answer either. (That a cookie alone is no proof is seen to where cookies are read, in `authentication.py`.)
- **Headers of every answer**: no scripts, styles or frames but our own, nothing guessed, nothing kept.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nadi.exceptions import NotAllowed, RequestRefused
from nadi.server.configuration import Configuration
from nadi.server.problems import answer_to

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

#: A name or IPv4 address, or an IPv6 address in brackets, and a port.
_HOST = re.compile(r"(?P<name>[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>\d{1,5}))?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

#: What paths begin with that lead to answers for programs, and to no page.
API = ("/api/", "/metrics")

#: Of pages: scripts, styles and pictures from here alone, none inline; no frames, no plugins.
PAGE_POLICY = (
    "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none';"
    " img-src 'self' data:"
)
#: Of answers of the API, should a browser show one as a page: nothing may run or load.
API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

#: What every answer bears, unless it says otherwise itself.
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

#: Keeps a refusal in the audit log.
OnRefusal = Callable[[Request, int], Awaitable[None]]


class Security:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, configuration: Configuration, on_refusal: OnRefusal) -> None:
        self._app = app
        self._configuration = configuration
        self._names = host_names(configuration)
        self._api = tuple(configuration.base_path + path for path in API)
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            return
        if self._configuration.behind_proxy:
            scope = as_told_by_proxy(scope)
        request = Request(scope)
        is_api = request.scope["path"].startswith(self._api)
        guarded = with_headers(send, is_api=is_api)
        try:
            check_framing(request)
            self.check_host(request)
            if is_api or request.method not in SAFE_METHODS:
                check_origin(request)
        except (RequestRefused, NotAllowed) as error:
            response = answer_to(error, what="")
            if request.method not in SAFE_METHODS:
                await self._on_refusal(request, response.status_code)
            if response.status_code == 400:  # where its end is, and what may follow, is not sure
                response.headers["connection"] = "close"
            await response(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)

    def check_host(self, request: Request) -> None:
        """Refuse a request for a name that is not ours.

        Raises:
            RequestRefused: it is not, or none can be read.
        """
        told = request.headers.getlist("host")
        found = _HOST.fullmatch(told[0]) if len(told) == 1 else None
        if found is None:
            raise RequestRefused("The request needs one header Host with a name and a port.", status=400)
        name = found["name"].lower().rstrip(".")
        if name in self._names or (not self._configuration.is_loopback and _is_address(name)):
            return
        raise RequestRefused(
            f"This server does not go by the name {name!r}. If it should, start it with `--host-name {name}`.",
            status=421,
        )


def host_names(configuration: Configuration) -> frozenset[str]:
    """Return the names that a server goes by, beside addresses where others than this machine may reach it."""
    host = configuration.host.lower()
    own = f"[{host}]" if ":" in host else host
    return _LOOPBACK | {own} | {name.lower().rstrip(".") for name in configuration.hosts}


def _is_address(name: str) -> bool:
    # A name can be pointed anywhere by whoever owns it; an address stands for itself.
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def check_framing(request: Request) -> None:
    """Refuse a request whose end a proxy before us may see in another place than we do (request smuggling).

    Raises:
        RequestRefused: it is one.
    """
    chunked, headers = "transfer-encoding" in request.headers, request.headers
    if chunked and ("content-length" in headers or request.scope.get("http_version") == "1.0"):
        raise RequestRefused("The request tells the end of its body in two ways; send one of them.", status=400)


def check_origin(request: Request) -> None:
    """Refuse what a page of another site asks for.

    Raises:
        NotAllowed: a browser says that it is one.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise NotAllowed("Another site asks for this (Sec-Fetch-Site), which is never allowed.")
    for origin in request.headers.getlist("origin"):
        if not is_own_origin(origin, request):
            raise NotAllowed("A page of another origin asks for this, which is never allowed.")


def is_own_origin(origin: str, request: Request) -> bool:
    """Whether a header `Origin` names the address under which this request came."""
    return origin.lower() == f"{request.scope['scheme']}://{request.headers.get('host', '')}".lower()


def as_told_by_proxy(scope: Scope) -> Scope:
    """Return a request as the proxy before us saw it: only what the nearest one adds is believed, the last entry."""
    told = {name: value.decode("latin-1") for name, value in scope["headers"]}
    scope = dict(scope)
    scheme = told.get(b"x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    if scheme in ("http", "https"):
        scope["scheme"] = scheme
    client = _without_port(told.get(b"x-forwarded-for", "").rpartition(",")[2].strip())
    if _is_address(client):
        scope["client"] = (client, 0)
    return scope


def _without_port(told: str) -> str:
    # Some proxies tell the port, too; an IPv6 address has brackets then.
    if told.startswith("["):
        return told[1:].partition("]")[0]
    return told.partition(":")[0] if told.count(":") == 1 else told


def with_headers(send: Send, *, is_api: bool) -> Send:
    """Return a `send` that adds our headers to the answer."""

    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("content-security-policy", API_POLICY if is_api else PAGE_POLICY)
            headers.setdefault("cache-control", "no-store" if is_api else "no-cache")
            headers.setdefault("date", formatdate(time.time(), usegmt=True))
        await send(message)

    return send_guarded
