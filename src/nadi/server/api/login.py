"""Logging in and out, and who one is."""

from __future__ import annotations

import threading
import time
from typing import Annotated

import msgspec
from starlette.responses import RedirectResponse, Response

from nadi.engine.access import change_user, log_in
from nadi.engine.logins import LINK_TERM, network_of
from nadi.engine.passwords import MAX_LENGTH, check_new_password
from nadi.exceptions import CallError, NotAllowed, NotAuthenticated, TooManyTries
from nadi.model.access import OWNER, How, Permission, User
from nadi.server.auditing import changed_nothing, tell
from nadi.server.authentication import end_session, open_session
from nadi.server.routing import ANYONE, Call, Routes

routes = Routes("login")

#: Logins that are looked at at once; each takes a third of a second and a thread, of which the others want some too.
_AT_ONCE = threading.BoundedSemaphore(4)

Password = Annotated[str, msgspec.Meta(max_length=MAX_LENGTH)]


class Code(msgspec.Struct, frozen=True):
    """What a login link carries."""

    #: "" for the page that asks for name and password.
    code: Annotated[str, msgspec.Meta(max_length=200)] = ""
    #: Where the page leads after that; only the page reads it.
    next: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name and password of a user."""

    name: Annotated[str, msgspec.Meta(max_length=200)]
    password: Password


class Where(msgspec.Struct, frozen=True):
    """Where to log out."""

    #: In all browsers, and not in this one alone.
    everywhere: bool = False


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody's own password, and the one to take its place."""

    password: Password
    new_password: Password


class LinkShape(msgspec.Struct, frozen=True):
    """A login link."""

    #: Below the server's address, base path included.
    path: str
    #: Seconds until it is worth nothing.
    lasts: float


class MeShape(msgspec.Struct, frozen=True):
    """Who asks."""

    #: Name of the user; "owner" for the person whose server it is.
    name: str
    #: "install", "key" or "session".
    how: str
    permissions: list[str]


@routes.add(
    "GET",
    "/login",
    ANYONE,
    errors=(NotAuthenticated,),
    audit="login_by_link",
    gives="text/html",
    secret=True,
    also=(303, 304),
)
def open_link(call: Call, query: Code) -> Response:
    """Open a login link: the code is used up, the browser has a session, and is sent on to the start page.

    Without a code this is the page, which asks for name and password.
    """
    # Who only looks (HEAD) must not use the code up.
    if not query.code or call.request.method != "GET":
        changed_nothing(call.request)
        return call.context.pages.start.answer(call.request)
    if not call.context.codes.take(query.code, time.monotonic()):
        if "text/html" in call.request.headers.get("accept", ""):
            # The page says so to people, and takes the code out of the address.
            return Response(call.context.pages.start.content, 401, media_type="text/html")
        raise NotAuthenticated("This login link was used already, or is older than five minutes.")
    tell(call.request, who=OWNER)
    # The code is gone from the address, so it stands in no history, and nothing is led elsewhere with it.
    response = RedirectResponse(f"{call.context.configuration.base_path}/", 303, {"cache-control": "no-store"})
    open_session(call.context, call.request, response, None, call.now)
    return response


@routes.add(
    "POST",
    "/api/login",
    ANYONE,
    status=204,
    errors=(NotAuthenticated, TooManyTries),
    limit=16 << 10,
    audit="login",
    secret=True,
)
def log_in_by_password(call: Call, body: Credentials) -> Response:
    """Log in with name and password: the answer sets a session's cookie.

    An unknown name, a wrong password and a disabled user are told by the same answer, after the same time.
    """
    user = _checked(call, body.name, body.password)
    tell(call.request, who=user.name)
    response = Response(status_code=204)
    if not open_session(call.context, call.request, response, user, call.now):
        raise _wrong()
    return response


def _checked(call: Call, name: str, password: str) -> User:
    """Return the user whose password this is, and count the try where it is not."""
    address = network_of(call.request.client.host) if call.request.client else ""
    keys = (f"address {address}", f"name {name.strip().lower()}")
    wait = call.context.tries.take(keys, time.monotonic())
    if wait:
        raise TooManyTries(wait)
    if not _AT_ONCE.acquire(blocking=False):
        call.context.tries.give_back(keys, time.monotonic())
        raise TooManyTries(1.0)
    try:
        user = log_in(call.context.store.access, name.strip(), password)
    finally:
        _AT_ONCE.release()
    if user is None:
        # A name that nobody has may be a password in the wrong field: it is not kept.
        known = call.context.store.access.user(name.strip())
        tell(call.request, subject=known.name if known else "")
        raise _wrong()
    call.context.tries.give_back(keys, time.monotonic())
    return user


def _wrong() -> NotAuthenticated:
    return NotAuthenticated("Name and password do not belong together.")


@routes.add("POST", "/api/logout", Permission.READ, status=204, errors=(NotAllowed,), audit="logout", secret=True)
def log_out(call: Call, query: Where) -> Response:
    """Log out: the session of this browser ends, and its cookie is taken away; or all sessions one has."""
    response = Response(status_code=204)
    end_session(call.context, call.request, response)
    if query.everywhere:
        if call.principal.how is How.KEY:
            raise NotAllowed("Sessions are ended by a session or by the install token, and not by an API key.")
        name = call.principal.name
        call.context.store.access.remove_sessions(user="" if name == OWNER else name)
    return response


@routes.add(
    "POST",
    "/api/login-links",
    Permission.ADMIN,
    status=201,
    errors=(NotAllowed,),
    audit="make_login_link",
    secret=True,
)
def make_login_link(call: Call) -> LinkShape:
    """Make a login link for the person whose server it is. It works once, within five minutes.

    Only the install token is taken for this, which lies in the home folder of the server.
    """
    if call.principal.how is not How.INSTALL:
        raise NotAllowed("Login links are made with the install token, which lies in the home folder of the server.")
    code = call.context.codes.make(time.monotonic())
    return LinkShape(path=f"{call.context.configuration.base_path}/login?code={code}", lasts=LINK_TERM)


@routes.add("GET", "/api/me", Permission.READ)
def me(call: Call) -> MeShape:
    """Tell who asks, and what they may do."""
    return MeShape(call.principal.name, call.principal.how, sorted(call.principal.permissions))


@routes.add(
    "PUT",
    "/api/me/password",
    Permission.READ,
    status=204,
    errors=(NotAuthenticated, NotAllowed, TooManyTries, CallError),
    limit=16 << 10,
    audit="change_own_password",
    secret=True,
)
def change_own_password(call: Call, body: NewPassword) -> Response:
    """Change one's own password. All one's sessions end; this browser has a new one."""
    if call.principal.how is not How.SESSION or call.principal.name == OWNER:
        raise NotAllowed("Somebody who has logged in with name and password may change that password, and nobody else.")
    user = _checked(call, call.principal.name, body.password)
    check_new_password(body.new_password, user=user.name)
    user = change_user(call.context.store.access, user.name, password=body.new_password)
    response = Response(status_code=204)
    open_session(call.context, call.request, response, user, call.now)
    return response
