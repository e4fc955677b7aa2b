"""The command line in this process, on a home of its own, and in processes of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nadi.cli.main import main
from nadi.storage.opening import open_store
from tests.journeys.places import Place
from tests.storage.telling import Writer


class Said(NamedTuple):
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Nadi = Callable[..., Said]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that nothing was recorded in, and a working folder beside it."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("NADI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NADI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(folder)
    return tmp_path / "home"


@pytest.fixture
def nadi(home: Path, capsys: pytest.CaptureFixture[str]) -> Nadi:
    """Call a command that reads, in this process."""

    def call(*args: str) -> Said:
        capsys.readouterr()
        status = main(args)
        told = capsys.readouterr()
        return Said(status, told.out, told.err)

    return call


@pytest.fixture
def writer(home: Path) -> Iterator[Writer]:
    """Somebody who tells the store of the home what happened."""
    store = open_store("", home=home)
    yield Writer(store)
    store.close()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For tests that load user code here: what they loaded is forgotten."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in set(sys.modules) - before:
        if not name.startswith("nadi."):
            del sys.modules[name]
