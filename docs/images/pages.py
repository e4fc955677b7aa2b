"""Takes pictures of the web UI: of the runs of `make demo`, and of a run with ten thousand tasks.

To renew them: `make demo`, then `.venv/bin/python docs/images/pages.py`. With `--all FOLDER` every page is taken, light
and dark, wide and narrow, for looking at; what the documentation shows is left as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

CHECKOUT = Path(__file__).parent.parent.parent
IMAGES = Path(__file__).parent
sys.path.insert(0, str(CHECKOUT))

from tests.ui.browsing import RECORDED, chromium  # noqa: E402  # only beside the checkout

WIDE, NARROW = (1280, 800), (390, 844)
PARTS = ("timeline", "graph", "tasks", "logs", "artifacts", "metrics", "attempts", "why")
PLACES = ("/", "/runs", "/flows", "/flows/compare-models", "/users", "/keys", "/audit", "/storage", "/settings")

#: Milliseconds after the last request until what is drawn stands still.
STILL = 700


def main() -> int:
    """Take the pictures; returns the exit status."""
    everything = Path(sys.argv[2]) if sys.argv[1:2] == ["--all"] and len(sys.argv) == 3 else None
    source = Path(os.environ.get("NADI_HOME", CHECKOUT / ".demo"))
    if not (source / "nadi.db").exists():
        print(f"{source} has no runs. Run `make demo` first.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(source, home)
        environment = {**os.environ, "NADI_HOME": str(home)}
        subprocess.run([sys.executable, str(RECORDED), "wide"], env=environment, check=True, capture_output=True)
        server = subprocess.Popen(
            [sys.executable, "-m", "nadi", "server", "--port", "0", "--json"], env=environment, stdout=subprocess.PIPE
        )
        try:
            assert server.stdout is not None
            ready = json.loads(server.stdout.readline())
            with sync_playwright() as playwright:
                browser = chromium(playwright)
                take(browser, ready["url"], (home / "token").read_text().strip(), everything)
                browser.close()
        finally:
            server.terminate()
            server.wait()
    return 0


def take(browser: Browser, url: str, token: str, everything: Path | None) -> None:
    """Take the pictures of the documentation, or those of every page."""
    ask = browser.new_context(extra_http_headers={"Authorization": f"Bearer {token}"}).request
    runs = ask.get(f"{url}/api/flow-runs?limit=50").json()["runs"]
    demo = next(run for run in runs if run["flow"] == "compare-models" and run["attempt"] > 1)
    wide = next(run for run in runs if run["flow"] == "wide")
    if everything is None:
        for name, path, size, theme in (
            ("run-timeline-light", f"/runs/{demo['id']}/timeline", WIDE, "light"),
            ("run-timeline-dark", f"/runs/{demo['id']}/timeline", WIDE, "dark"),
            ("run-graph", f"/runs/{demo['id']}/graph", WIDE, "light"),
            ("home", "/?range=24h", WIDE, "dark"),
            ("run-narrow", f"/runs/{demo['id']}/tasks", NARROW, "light"),
        ):
            picture(browser, url, token, path, size, theme, IMAGES / f"{name}.png")
        return
    everything.mkdir(parents=True, exist_ok=True)
    paths = [*PLACES, *(f"/runs/{run['id']}/{part}" for run in (demo, wide) for part in PARTS)]
    paths.append(f"/compare?run={demo['id']}&run={wide['id']}")
    for path in paths:
        for size, theme in ((WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")):
            name = path.strip("/").replace(demo["id"], "demo").replace(wide["id"], "wide").replace("/", "-")
            name = f"{name.split('?')[0] or 'home'}-{size[0]}-{theme}.png"
            picture(browser, url, token, path, size, theme, everything / name)


def picture(browser: Browser, url: str, token: str, path: str, size: tuple[int, int], theme: Any, target: Path) -> None:
    """Take one picture."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=theme,
        reduced_motion="reduce",
        locale="en-GB",
        extra_http_headers={"Authorization": f"Bearer {token}"},
    )
    page = context.new_page()
    page.goto(url + path)
    page.get_by_role("heading", level=1).first.wait_for()
    page.wait_for_timeout(STILL)
    page.screenshot(path=target)
    context.close()
    print(target)


if __name__ == "__main__":
    sys.exit(main())
