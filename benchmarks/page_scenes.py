"""Who takes part when pages are measured: the process of the large run, a server, and a browser that looks at it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import msgspec
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.figures import Figure
from benchmarks.large_run import Done, Made, Order
from benchmarks.processes import ROOT, fresh_home
from benchmarks.streaming import Server
from tests.ui.browsing import chromium

#: Put into each page before anything else runs there.
PROBES = ROOT / "benchmarks" / "probes.js"

WINDOW = {"width": 1440, "height": 900}


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    #: Task runs and log lines of the large run.
    task_runs: int = 10_000
    lines: int = 100_000
    #: How often each part and page is opened.
    times: int = 5
    #: Changes a second while a page is moved or left open, and seconds that each thing is moved.
    pace: int = 500
    moving: float = 10.0
    #: Commits that a page is watched for, of each kind.
    marks: int = 50
    #: How long a page is left open, and seconds between two looks at it.
    minutes: float = 10.0
    every: float = 30.0
    #: Task runs in the store on which each page is painted.
    stored: int = 1_000_000


class Sample(msgspec.Struct, frozen=True):
    """What a page held at one moment, after all garbage was collected."""

    #: Since the first look.
    seconds: float
    heap_bytes: int
    nodes: int


class Teller:
    """The process of the large run: see `benchmarks/large_run.py`."""

    def __init__(self, env: dict[str, str], extent: Extent) -> None:
        size = ["--task-runs", str(extent.task_runs), "--lines", str(extent.lines)]
        command = [sys.executable, "-m", "benchmarks.large_run", *size]
        self._process = subprocess.Popen(command, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.made = msgspec.json.decode(self._answer(), type=Made)

    def order(self, order: Order) -> Done:
        """Have something done; returns when it is."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._answer(), type=Done)

    @contextmanager
    def changing(self, pace: int, *, grows: bool) -> Iterator[list[Figure]]:
        """The run changes meanwhile; afterwards the list tells how fast it did."""
        told: list[Figure] = []
        self.order(Order(pace=pace, grows=grows))
        yield told
        done = self.order(Order(pace=0))
        told.append(Figure(what="changes a second meanwhile", value=done.changes / done.seconds, unit=""))

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(30)

    def _answer(self) -> bytes:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of the large run ended with {self._process.wait(30)}")
        return answer


class Place:
    """A browser at a server."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self._browser, self._server = browser, server

    @contextmanager
    def tab(self, *, height: int = WINDOW["height"], is_known: bool = True) -> Iterator[Page]:
        """A tab of a browser that has loaded nothing yet.

        Args:
            height: Pixels of its window.
            is_known: Whether somebody is logged in.
        """
        context = self._browser.new_context(
            viewport={"width": WINDOW["width"], "height": height},
            extra_http_headers=self._server.headers if is_known else {},
        )
        context.add_init_script(path=PROBES)
        try:
            yield context.new_page()
        finally:
            context.close()

    def go(self, page: Page, path: str) -> None:
        """Go to a path; returns when its document has begun to come."""
        page.goto(f"http://127.0.0.1:{self._server.port}{path}", wait_until="commit")


@contextmanager
def at_server(env: dict[str, str]) -> Iterator[Place]:
    """A server of a home, and a browser."""
    with ExitStack() as stack:
        server = Server(env)
        stack.callback(server.stop)
        browser = chromium(stack.enter_context(sync_playwright()))
        stack.callback(browser.close)
        yield Place(browser, server)


class Scene(msgspec.Struct, frozen=True):
    """The large run, its process, and where it is looked at."""

    place: Place
    teller: Teller
    extent: Extent

    @property
    def run(self) -> str:
        return f"/runs/{self.teller.made.run}"


@contextmanager
def large_run(extent: Extent) -> Iterator[Scene]:
    """The large run in a home of its own, with a server and a browser."""
    with fresh_home() as env, closing(Teller(env, extent)) as teller, at_server(env) as place:
        yield Scene(place, teller, extent)
