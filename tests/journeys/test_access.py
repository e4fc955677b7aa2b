"""From the first start of a server to a key that is removed: real processes, one home."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.journeys.places import Place


@contextmanager
def a_server(place: Place) -> Iterator[dict[str, Any]]:
    """What a server says of itself once it is ready."""
    process = place.start("-m", "nadi", "server", "--port", "0", "--json", "--no-services")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        yield json.loads(line)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def get(url: str, cookie: str = "") -> tuple[int, dict[str, str]]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def nadi(place: Place, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return place.run("-m", "nadi", *command, **environment)


def test_from_the_first_start_to_a_key_that_is_removed(place: Place) -> None:
    with a_server(place) as ready:
        url = ready["url"]
        token = (place.home / "token").read_text().strip()
        status, headers = get(ready["login"])
        cookie = headers["set-cookie"].partition(";")[0]
        again, _ = get(ready["login"])
        inside, _ = get(f"{url.rstrip('/')}/api/me", cookie)
        outside, _ = get(f"{url.rstrip('/')}/api/me")

        # On this machine commands need no key, also by way of the server.
        made = nadi(place, "users", "add", "ci", "--role", "viewer", "--keys-only", NADI_API_URL=url)
        key = nadi(place, "keys", "add", "reader", "--user", "ci", "--json", NADI_API_URL=url)
        with_key = {"NADI_API_URL": url, "NADI_API_KEY": json.loads(key.stdout)["key"]}
        reads = nadi(place, "runs", **with_key)
        manages = nadi(place, "users", "ls", **with_key)
        # The store is here, too: what is changed without the server counts at once.
        removed = nadi(place, "keys", "rm", json.loads(key.stdout)["about"]["id"])
        dead = nadi(place, "runs", **with_key)
        audit = nadi(place, "audit", "--json")

    assert (status, again, inside, outside) == (303, 401, 200, 401)
    assert made.returncode == 0, made.stderr
    assert (reads.returncode, manages.returncode, removed.returncode, dead.returncode) == (0, 3, 0, 3)
    assert "does not take the API key" in dead.stderr
    told = json.loads(audit.stdout)
    assert [(one["origin"], one["action"], one["who"]) for one in told if one["status"] < 400] == [
        ("cli", "remove_key", told[0]["who"]),
        ("127.0.0.1", "add_key", "owner"),
        ("127.0.0.1", "add_user", "owner"),
        ("127.0.0.1", "login_by_link", "owner"),
    ]
    assert token not in audit.stdout + json.dumps(ready)


def test_servers_of_one_home_that_start_at_once_know_each_other_s_owner(place: Place) -> None:
    with a_server(place) as first, a_server(place) as second:
        _, headers = get(first["login"])
        # The session is in the store, and the cookie's name tells the port.
        cookie = headers["set-cookie"].partition(";")[0].partition("=")[2]
        port = urlsplit(second["url"]).port
        status, _ = get(f"{second['url'].rstrip('/')}/api/me", f"nadi-{port}={cookie}")
        foreign, _ = get(second["login"].partition("?")[0] + "?" + urlsplit(first["login"]).query)

    assert status == 200
    assert foreign == 401
