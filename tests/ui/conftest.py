"""A browser, a real server over a home, and flows that other processes run in that home."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, sync_playwright

from nadi.server.static import Pages
from nadi.storage.sqlite import SqliteStore
from tests.server.serving import Served, serving
from tests.ui.browsing import Recording, Visit, chromium


class Open(Protocol):
    """Opens a browser at the server: as the owner unless told otherwise. It is closed with the test."""

    def __call__(self, path: str = "/", *, as_owner: bool = True, width: int = 1280, theme: str = "light") -> Visit: ...


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = chromium(playwright)
        yield started
        started.close()


@pytest.fixture(scope="session")
def recorded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which flows of every kind were run once: not to be changed."""
    home = tmp_path_factory.mktemp("recorded") / "home"
    home.mkdir()
    recording = Recording(home)
    recording.run("training", "importing", "importing", "daily:1", "daily:2", "hostile", "training")
    recording.run("crash")
    recording.end()
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of the test. A test of runs that exist has this take them from `recorded_home`."""
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture
def filled(home: Path, recorded_home: Path) -> Path:
    """The home of the test, with runs of every kind in it."""
    shutil.copytree(recorded_home, home, dirs_exist_ok=True)
    return home


@pytest.fixture
def recording(home: Path) -> Iterator[Recording]:
    made = Recording(home)
    yield made
    made.end()


@pytest.fixture
def served(home: Path) -> Iterator[Served]:
    """A server over the home of the test; ask for `filled` before it where there are to be runs."""
    store = SqliteStore(home / "nadi.db")
    with serving(store, home, services=True) as server:
        if build := os.environ.get("NADI_UI_BUILD"):
            server.context.pages = Pages(folder=Path(build))
        yield server
    store.close()


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[Open]:
    visits: list[Visit] = []

    def open_at(path: str = "/", *, as_owner: bool = True, width: int = 1280, theme: Any = "light") -> Visit:
        made = Visit(browser, served, width=width, height=800, theme=theme)
        visits.append(made)
        if as_owner:
            made.log_in_as_owner()
            if path != "/":
                made.go(path)
        return made

    yield open_at
    for made in visits:
        made.close()


@pytest.fixture
def people(served: Served) -> dict[str, str]:
    """Users named after their roles, and the password of all of them."""
    password = "a long enough password"
    for role in ("viewer", "operator", "admin"):
        answer = served.client.post("/api/users", {"name": role, "role": role, "password": password})
        assert answer.status == 201, answer.body
    return dict.fromkeys(("viewer", "operator", "admin"), password)
