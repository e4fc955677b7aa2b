"""A person at a browser: pages of a real server, opened, looked at and used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

from nadi.model.runs import FlowRun, RunFilter
from nadi.storage.sqlite import SqliteStore
from tests.server.serving import Served

CHECKOUT = Path(__file__).resolve().parents[2]
UI = CHECKOUT / "ui"
RECORDED = CHECKOUT / "tests" / "ui" / "recorded.py"

#: Milliseconds that something may take to be seen.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: What a browser itself logs when a request was refused; whoever expects that says so.
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


def chromium(playwright: Playwright) -> Browser:
    """Start the browser of this machine."""
    path = os.environ.get("NADI_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "The tests of the pages need Chromium: `make test` installs it, or NADI_CHROMIUM says where it is."
    return playwright.chromium.launch(executable_path=path, args=ARGUMENTS)


class Visit:
    """One person's browser at one server; `page` is its tab."""

    def __init__(self, browser: Browser, served: Served, *, width: int, height: int, theme: Any) -> None:
        self.served = served
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            timezone_id="Europe/Berlin",
            locale="en-GB",
            reduced_motion="reduce",
        )
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        #: What went wrong in the page, and what is expected to.
        self.problems: list[str] = []
        self.expected: set[str] = set()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        refused = REFUSED.search(message.text)
        if refused is None or refused.group(1) not in self.expected:
            self.problems.append(f"{message.type}: {message.text}")

    def log_in_as_owner(self) -> None:
        """Log in by a link, as the one whose server it is."""
        below = self.served.context.configuration.base_path
        link = self.served.client.post(f"{below}/api/login-links").json()["path"]
        self.page.goto(f"http://127.0.0.1:{self.served.port}{link}")

    def log_in_as(self, name: str, password: str) -> None:
        """Log in by name and password."""
        self.go("/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(lambda url: "/login" not in url)

    def go(self, path: str) -> None:
        """Open a path, as if it was typed."""
        self.page.goto(f"{self.served.url}{path}")

    def expect_refusal(self, *statuses: int) -> None:
        """Let these answers be no fault of the page."""
        self.expected |= {str(status) for status in statuses}

    def axe(self) -> list[str]:
        """Return what is not accessible in what is shown, each as one line."""
        self.page.evaluate((UI / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
        found = self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {one['help']} at {node['target']} {node['html'][:120]}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        wider: int = self.page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        return max(0, wider)

    def close(self) -> None:
        """End it, and say what went wrong in the page."""
        self.context.close()
        assert self.problems == [], "\n".join(self.problems)


class Recording:
    """A home with runs in it, which other processes add to."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._processes: list[subprocess.Popen[str]] = []

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NADI_")}
        return {**kept, "NADI_HOME": str(self.home), "PYTHONPATH": ""}

    def run(self, *flows: str) -> None:
        """Run flows of `recorded.py` one after the other, and wait for them."""
        self.start(*flows).communicate(timeout=50)

    def start(self, *flows: str) -> subprocess.Popen[str]:
        """Start flows of `recorded.py` in another process, which is ended with the test if it still runs."""
        process = subprocess.Popen(
            [sys.executable, str(RECORDED), *flows],
            env=self.environment(),
            cwd=self.home,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    def runs(self) -> list[FlowRun]:
        """Root runs, newest first."""
        store = SqliteStore(self.home / "nadi.db")
        try:
            return store.flow_runs(RunFilter(), limit=1000)
        finally:
            store.close()

    def newest(self, flow: str) -> FlowRun:
        """The newest run of a flow."""
        return next(run for run in self.runs() if run.flow == flow)

    def end(self) -> None:
        """End what still runs."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
