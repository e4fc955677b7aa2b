"""Who is behind a request: the install token, an API key, or a browser's session."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from nadi.engine.credentials import digest_of, is_key, is_same, new_secret, parse_key
from nadi.exceptions import NotAllowed, NotAuthenticated, StoreUnavailable
from nadi.model.access import (
    ALLOWED,
    OWNER,
    How,
    Principal,
    Role,
    Session,
    User,
    permissions_of,
)
from nadi.server.context import Context

_log = logging.getLogger("nadi.server")

#: Seconds without a request after which a session is over, and after which it is over however busy it is.
IDLE_TERM = 12 * 3600.0
LONGEST_TERM = 7 * 86400.0
#: How exactly it is kept when a key or session was last used, in seconds.
USE_STEP = 60.0
#: Methods that change nothing.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def identify(context: Context, request: Request, now: float) -> Principal | None:
    """Return who sends a request; `None` when it bears no credentials at all. Blocks on the store: call it in a thread.

    Nothing is remembered between requests, so a removed key, a disabled user or a lowered role counts from the next
    request on. Credentials that are not valid are an error, never a reason to look for others.

    Raises:
        NotAuthenticated: the token, key or session is unknown, expired or not to be used.
        NotAllowed: a cookie alone came with a method that changes something; see `_check_origin`.
        StoreUnavailable: the store could not be asked.
    """
    headers = request.headers.getlist("authorization")
    if headers:
        return _of_header(context, headers, now)
    cookie = request.cookies.get(cookie_name(context, request))
    if not cookie:
        return None
    _check_origin(request)
    return _of_cookie(context, cookie, now)


def _of_header(context: Context, headers: list[str], now: float) -> Principal:
    scheme, _, given = headers[0].partition(" ")
    given = given.strip()
    if len(headers) > 1 or scheme.lower() != "bearer" or not given:
        raise NotAuthenticated("The header Authorization has to be one `Bearer KEY`.")
    if is_same(given, context.install_token):
        return Principal(name=OWNER, how=How.INSTALL, permissions=ALLOWED[Role.ADMIN])
    text = parse_key(given)
    kept = context.store.access.key(text.id) if text is not None else None
    if text is None or kept is None or not is_key(text, kept):
        raise NotAuthenticated("This is no API key of this server, or it was removed.")
    if kept.expires and kept.expires <= now:
        raise NotAuthenticated(f"The API key {kept.name!r} has expired.")
    user = _usable(context.store.access.user(kept.user))
    if now - kept.used >= USE_STEP:
        _try_to_note(lambda: context.store.access.note_use(kept.id, now))
    return Principal(name=user.name, how=How.KEY, permissions=permissions_of(user.role, kept.scopes), key=kept.id)


def _of_cookie(context: Context, cookie: str, now: float) -> Principal:
    session = context.store.access.session(digest_of(cookie))
    if session is None or now >= min(session.expires, session.used + IDLE_TERM):
        raise NotAuthenticated("The session is over.")
    user = _usable(context.store.access.user(session.user)) if session.user else None
    if now - session.used >= USE_STEP:
        _try_to_note(lambda: context.store.access.note_session(session.digest, now))
    if user is None:
        return Principal(name=OWNER, how=How.SESSION, permissions=ALLOWED[Role.ADMIN])
    return Principal(name=user.name, how=How.SESSION, permissions=ALLOWED[user.role])


def _usable(user: User | None) -> User:
    if user is None or user.disabled:
        raise NotAuthenticated("The user of this key or session was removed or disabled.")
    return user


def _check_origin(request: Request) -> None:
    """Want a browser's word for where a changing request comes from, where a cookie is all that speaks for it.

    SameSite=Strict keeps the cookie from requests of other sites. Another program on another port of this machine is
    the same site, though; that is told apart by Origin, which the server compares with its own address before this.
    """
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise NotAllowed("A page of another origin may not use the session of this one.")
    if request.headers.get("origin", "null") == "null" and "sec-fetch-site" not in request.headers:
        raise NotAllowed(
            "A session's cookie is taken for a change only from a page of this server (with the header Origin or"
            " Sec-Fetch-Site). Programs send `Authorization: Bearer KEY`."
        )


def _try_to_note(write: Callable[[], None]) -> None:
    try:
        write()
    except StoreUnavailable as error:
        # When it was last used is good to know, and no reason to keep somebody out who can read.
        _log.warning("When a key or session was last used cannot be kept: %s", error)


# -- sessions of browsers --


def open_session(context: Context, request: Request, response: Response, user: User | None, now: float) -> bool:
    """Open a session of a user, or of the owner for `None`, and set its cookie; an older one of this browser ends.

    Returns:
        `False` when the user was disabled, removed or given another password meanwhile; then there is no session.
    """
    secret = new_secret()
    session = Session(
        digest=digest_of(secret), user=user.name if user else "", created=now, expires=now + LONGEST_TERM, used=now
    )
    if not context.store.access.put_session(session, password=user.password if user else "", now=now):
        return False
    end_session(context, request, response)
    response.set_cookie(
        cookie_name(context, request),
        secret,
        max_age=int(LONGEST_TERM),
        path=context.configuration.base_path or "/",
        secure=_is_secure(request),
        httponly=True,
        samesite="strict",
    )
    return True


def end_session(context: Context, request: Request, response: Response) -> None:
    """End the session of this browser, and take its cookie away."""
    name = cookie_name(context, request)
    cookie = request.cookies.get(name)
    if cookie:
        context.store.access.remove_sessions(digest=digest_of(cookie))
        response.delete_cookie(
            name,
            path=context.configuration.base_path or "/",
            secure=_is_secure(request),
            httponly=True,
            samesite="strict",
        )


def cookie_name(context: Context, request: Request) -> str:
    """Return the name of the session's cookie.

    Over TLS the name's prefix makes browsers refuse it from anybody but this very host. Without, the port is part
    of it: browsers do not tell ports apart, and two servers on one machine would end each other's sessions.
    """
    if _is_secure(request):
        return "__Secure-nadi" if context.configuration.base_path else "__Host-nadi"
    server = request.scope.get("server")
    return f"nadi-{server[1] if server else context.configuration.port}"


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
