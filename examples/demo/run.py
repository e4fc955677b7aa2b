"""What `make demo` runs: starts the flow of flow.py, kills it half-way, resumes it, and shows what became of it.

Everything is read back through the `nadi` command, as anybody could do it. The exit status is 0 only when the
run crashed, was resumed and completed, and nothing that had finished before the kill ran again.
"""

from __future__ import annotations

import csv
import json
import os
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from textwrap import fill
from threading import Thread
from typing import Any

from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from nadi.artifacts import Artifact

CHECKOUT = Path(__file__).parent.parent.parent
FLOW = "examples/demo/flow.py"
HOME = os.environ.get("NADI_HOME") or ".demo"
NADI = os.path.relpath(Path(sys.executable).parent / "nadi", CHECKOUT)

#: The data set of the second run.
AGAIN = '["wine"]'
#: The flow is killed once so many of its first 48 evaluations are recorded as finished.
HALF_WAY = 24
#: Seconds that any one step may take before the demo gives up.
PATIENCE = 300.0

INDENT = " " * 10
INTRODUCTION = """\
Which model suits which data? A flow fetches three data sets, checks them, tries
16 models on each, looks closer where the best is not good enough, and reports."""


class DemoFailed(Exception):
    """Something did not go the way the demo says it goes."""


def main() -> int:
    use_own_home()
    data = Path(HOME).absolute() / "data"
    write_data(data)
    print(INTRODUCTION)
    try:
        with file_server(data) as (url, answers):
            demonstrate(url, answers)
    except DemoFailed as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        return 1
    return 0


def demonstrate(url: str, answers: list[int]) -> None:
    title("Run", f"nadi run {FLOW} -p source={url}")
    older = {run["id"] for run in ask("runs", "--limit", "1000")}
    process, log = start("run", FLOW, "-p", f"source={url}")
    run = watch_until_half_way(process, log, older)
    process.kill()
    process.wait()
    say(f"The server refused one request (503); the task was retried, and {answers.count(200)} files are there.")
    before = ask("show", run)
    if taken := cached(before):
        say(f"{len(taken)} of 3 data sets were prepared by an earlier demo, and taken from the cache.")
    say(f"Killed half-way: kill -9 {process.pid}")

    title("Look", "nadi runs")
    if answers.count(503) != 1:
        raise DemoFailed(f"the server was to refuse one request and refused {answers.count(503)}.")
    name = before["run"]["name"]
    told = before["run"]["message"]
    if before["run"]["state"] != "CRASHED":
        raise DemoFailed(f"the killed run is {before['run']['state']}, not CRASHED. See `{command('show', run)}`.")
    say(f"{name} is {before['run']['state_name']}: {told}")
    say(f"{len(finished(before))} tasks are recorded as finished.")

    title("Resume", f"nadi resume {name}")
    process, log = start("resume", run)
    watch_until_it_ends(process, log, run)
    after = ask("show", run)
    if after["run"]["state"] != "COMPLETED":
        raise DemoFailed(f"the resumed run is {after['run']['state']}. See `{command('show', run)}`.")
    check_nothing_ran_twice(run, before, after)
    kept, total = len(finished(before)), len(finished(after))
    say(f"{kept} finished tasks were kept, the other {total - kept} ran. None ran twice.")

    title("Again", f"nadi run {FLOW} -p data={shlex.quote(AGAIN)} ...")
    show_what_was_cached(after, run_again(url))

    show_results(after)
    show_what_next(after)


# -- the flow, as a process that is watched from outside --


def command(*arguments: str) -> str:
    """Return what to type, from the checkout, to call `nadi` on the demo's home."""
    return f"NADI_HOME={shlex.quote(HOME)} {shlex.quote(NADI)} {shlex.join(arguments)}"


def use_own_home() -> None:
    """Work in the checkout with the demo's home, whatever store the caller's shell may name."""
    os.chdir(CHECKOUT)
    for name in [name for name in os.environ if name.startswith("NADI_")]:
        del os.environ[name]
    os.environ.update(NADI_HOME=HOME, NO_COLOR="1")


def start(*arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a `nadi` command, with its output in a file."""
    log = Path(HOME) / f"{arguments[0]}.log"
    with open(log, "wb") as output:
        process = subprocess.Popen([NADI, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    return process, log


def ask(*arguments: str) -> Any:
    """Return what a `nadi` command answers with --json."""
    done = subprocess.run([NADI, *arguments, "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DemoFailed(f"`{command(*arguments)}` ended with status {done.returncode}: {done.stderr.strip()}")
    if arguments[0] == "logs":
        return [json.loads(line) for line in done.stdout.splitlines()]
    return json.loads(done.stdout)


def watch_until_half_way(process: subprocess.Popen[bytes], log: Path, older: set[str]) -> str:
    """Watch the recorded progress from outside; returns the run's id once half of the evaluations are finished."""
    run = ""
    with progress_line() as tell:
        for _ in until_patience_ends(process, "half of the evaluations were finished"):
            if process.poll() is not None:
                raise DemoFailed(f"the flow ended before it could be killed. It printed:\n{tail(log)}")
            if not run:
                newer = [one["id"] for one in ask("runs", "--limit", "10") if one["id"] not in older]
                run = newer[0] if newer else ""
                continue
            done = Counter(task["task"] for task in finished(ask("show", run)).values())
            tell(f"Fetched {done['fetch']} of 3, prepared {done['prepare']} of 3, evaluated {done['evaluate']} of 48.")
            if done["evaluate"] >= HALF_WAY:
                return run
    raise AssertionError("not reached")


def watch_until_it_ends(process: subprocess.Popen[bytes], log: Path, run: str) -> None:
    with progress_line() as tell:
        for _ in until_patience_ends(process, "the resumed run had ended"):
            if process.poll() is not None:
                break
            tell(f"{len(finished(ask('show', run)))} tasks finished.")
        tell("")
    if process.returncode != 0:
        raise DemoFailed(f"the resumed run ended with status {process.returncode}. It printed:\n{tail(log)}")


def run_again(url: str) -> Any:
    """Run the flow once more, with one data set; returns what `nadi show` says of it."""
    arguments = ["run", FLOW, "-p", f"source={url}", "-p", f"data={AGAIN}", "-p", "good_enough=0", "--json"]
    done = subprocess.run([NADI, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DemoFailed(f"the second run ended with status {done.returncode}: {done.stderr.strip()}")
    return ask("show", json.loads(done.stdout)["id"])


def until_patience_ends(process: subprocess.Popen[bytes], what: str) -> Iterator[None]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
    process.kill()
    raise DemoFailed(f"{PATIENCE:g} s were not enough until {what}.")


# -- what the records say --


def finished(shown: Any) -> dict[str, Any]:
    return {task["id"]: task for task in shown["tasks"] if task["state"] == "COMPLETED"}


def cached(shown: Any) -> list[Any]:
    return [task for task in shown["tasks"] if task["state_name"] == "Cached"]


def check_nothing_ran_twice(run: str, before: Any, after: Any) -> None:
    """Refuse a resumed run in which a task that had finished ran again, under its old record or under a new one."""
    now = {task["id"]: task for task in after["tasks"]}
    # Its change number may grow: that it was kept is told, too.
    touched = [task["name"] for id, task in finished(before).items() if now[id] | {"change": task["change"]} != task]
    if touched:
        raise DemoFailed(f"these had finished and changed: {', '.join(touched)}.")
    names = Counter(task["name"] for task in after["tasks"])
    # What the tasks themselves said: each evaluation prints one line when it is done.
    printed = Counter(now[line["task"]]["name"] for line in ask("logs", run) if line["text"].startswith("accuracy "))
    if twice := [name for name in names if names[name] > 1 or printed[name] > 1]:
        raise DemoFailed(f"these ran twice: {', '.join(twice)}.")


def show_what_was_cached(first: Any, again: Any) -> None:
    """Refuse a second run that prepared its table again; say where it was taken from."""
    taken = cached(again)
    if [task["task"] for task in taken] != ["prepare"]:
        raise DemoFailed(f"the second run took {len(taken)} results from the cache, not that of its one preparation.")
    who = "the first run" if first["run"]["id"] in taken[0]["message"] else "an earlier demo"
    say(f"{taken[0]['name']} is {taken[0]['state_name']}: {who} had done it, so it was not computed again.")


def show_results(shown: Any) -> None:
    table = next(one["data"] for one in shown["artifacts"] if one["key"] == "results")
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    best: dict[str, Any] = {}
    for row in rows:
        best[row["data"]] = max(best.get(row["data"], row), row, key=lambda one: float(one["accuracy"]))
    title("Result", f"the best of {len(rows)} evaluations, 5 folds each")
    for name, row in best.items():
        say(f"{name:<14} {row['accuracy']:.3f}  {row['model']}, {row['setting']}={row['value']:g}")


def show_what_next(shown: Any) -> None:
    name = shown["run"]["name"]
    picture = save_picture("confusion-digits")
    title("Recorded", f"in {Path(HOME) / 'nadi.db'}")
    values = sum(metric["count"] for metric in shown["metrics"])
    say(f"{len(shown['tasks'])} task runs, {values} metric values, {len(shown['artifacts'])} artifacts")
    say(f"one of them is a picture: {picture}")
    title("Type next", "")
    again = ["run", FLOW, "-p", f"source={Path(HOME) / 'data'}"]
    for arguments in (["show", name], ["logs", name], ["why", name], ["graph", name], again):
        print(command(*arguments))
    title("Open", "all of it in a browser, until Ctrl-C")
    print(command("server", "--open"))


def save_picture(key: str) -> Path:
    """Write an image artifact to a file, for a browser to open."""
    image = Artifact.get(key)
    assert image is not None
    path = Path(HOME) / f"{key}.svg"
    path.write_bytes(image.image())
    return path


# -- the data, and a server that is not always there --


def write_data(folder: Path) -> None:
    """Write scikit-learn's bundled data sets as CSV files, the class in the last column."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, load in {"breast-cancer": load_breast_cancer, "digits": load_digits, "wine": load_wine}.items():
        found = load()
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*found.feature_names, "class"])
            for row, kind in zip(found.data.tolist(), found.target, strict=True):
                writer.writerow([*row, found.target_names[kind]])


@contextmanager
def file_server(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Serve a folder on this machine, refusing the first request; yields the URL and the list of answers given."""
    answers: list[int] = []
    number = count(1)

    class Flaky(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            if next(number) == 1:
                self.send_error(503, "Try again")
            else:
                super().do_GET()

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            answers.append(int(code))

        def log_error(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Flaky, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# -- telling --


def title(what: str, detail: str) -> None:
    print(f"\n{what:<10}{detail}".rstrip(), flush=True)


def say(text: str) -> None:
    print(fill(text, 80, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False), flush=True)


@contextmanager
def progress_line() -> Iterator[Any]:
    """Yield a function that rewrites one line on a terminal; elsewhere only the last text is printed."""
    last = ""
    terminal = sys.stdout.isatty()

    def tell(text: str) -> None:
        nonlocal last
        last = text
        if terminal:
            print(f"\r{INDENT}{text}\x1b[K", end="", flush=True)

    try:
        yield tell
    finally:
        if terminal and last:
            print("\r\x1b[K", end="")
        if last:
            say(last)


def tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


if __name__ == "__main__":
    sys.exit(main())
