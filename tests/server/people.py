"""Users, keys and sessions for tests of a server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nadi.engine.credentials import digest_of, new_key_text, new_secret
from nadi.engine.passwords import Cost, hash_password
from nadi.model.access import ApiKey, Permission, Role, Session, User
from tests.server.serving import Answer, Client, Served

PASSWORD = "correct horse battery"
#: Cheap to compare with, so that tests are quick; a login that succeeds makes a dear one of it.
KEPT = hash_password(PASSWORD, Cost(16, 1, 1))


def add_user(server: Served, name: str = "ada", role: Role = Role.OPERATOR, **fields: Any) -> User:
    user = User(name=name, role=role, password=KEPT, created=time.time(), **fields)
    assert server.context.store.access.add_user(user)
    return user


def add_key(server: Served, user: str = "ada", *scopes: Permission, **fields: Any) -> str:
    """Make a key of a user, and return what a program sends."""
    text = new_key_text()
    key = ApiKey(id=text.id, name="for a test", user=user, digest=digest_of(text.secret), scopes=scopes, **fields)
    assert server.context.store.access.put_key(key)
    return str(text)


@dataclass(frozen=True)
class Browser:
    """Sends a session's cookie, and what a browser says of a page of the server itself."""

    client: Client
    cookie: str
    server: Served

    def request(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None) -> Answer:
        told = {"Cookie": f"nadi-{self.server.port}={self.cookie}", "Sec-Fetch-Site": "same-origin"}
        if method not in ("GET", "HEAD"):
            told["Origin"] = f"http://127.0.0.1:{self.server.port}"
        return self.client.request(method, path, headers={**told, **(headers or {})}, json=json)

    def is_in(self) -> bool:
        return self.request("GET", "/api/me").status == 200


def browser(server: Served, user: str = "ada", *, used: float = 0.0, lasts: float = 1000.0) -> Browser:
    """A browser that has logged in as a user ("" for the owner), without waiting for a login."""
    secret, now = new_secret(), time.time()
    session = Session(digest=digest_of(secret), user=user, created=now, expires=now + lasts, used=used or now)
    assert server.context.store.access.put_session(session, password=KEPT, now=0.0)
    return Browser(server.anonymous, secret, server)


def cookie_of(answer: Answer) -> tuple[str, str, set[str]]:
    """Name, value and attributes (lower case) of the cookie that an answer sets."""
    first, *rest = answer.headers["set-cookie"].split("; ")
    name, _, value = first.partition("=")
    return name, value, {one.lower() for one in rest}
