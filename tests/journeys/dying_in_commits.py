"""Kills a flow at each boundary of its transaction, looks at what became visible, and resumes it.

Run as `python -m tests.journeys.dying_in_commits FOLDER`: one line of JSON for each boundary. One process imports
everything once and forks for each run. What dies counts the boundaries by wrapping what crosses them: every write to
the journal, every result written, the commit of the cache, the hooks.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAM = """
import os
from nadi import flow, task
from nadi.cache_policies import INPUTS
from nadi.transactions import transaction

def did(label):
    with open(os.environ["LEDGER"], "a") as ledger:
        ledger.write(label + "\\n")

@task(cache_policy=INPUTS)
def small(x):
    did("small")
    return x

@task(result_storage_key="large-{parameters[x]}")
def large(x):
    did("large")
    return str(x) * 20_000

@task
def effect():
    did("effect")

@effect.on_commit
def committed(transaction):
    did("commit")

@effect.on_rollback
def undone(transaction):
    did("undo")

@flow
def run(fails=False):
    with transaction(key="whole") as whole:
        small(1)
        large(2)
        effect()
        whole.stage("done")
        if fails and not os.path.exists(os.environ["LEDGER"] + ".resumed"):
            raise ValueError("no")
    return len(large(2))
"""


class Dying:
    """Counts boundaries, and ends the process with SIGKILL at one of them."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.name = ""

    def cross(self, name: str) -> None:
        self.count += 1
        if self.count == self.at:
            Path(os.environ["LEDGER"] + ".died").write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    def wrap(self, owner: Any, name: str, counts: Callable[..., bool] = lambda *_: True) -> None:
        inner = getattr(owner, name)

        def around(*args: Any, **kwargs: Any) -> Any:
            if not counts(*args):
                return inner(*args, **kwargs)
            self.cross(f"before {name}")
            value = inner(*args, **kwargs)
            self.cross(f"after {name}")
            return value

        setattr(owner, name, around)


def is_journal(descriptor: int, data: bytes) -> bool:
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    return "/journals/" in path and path.endswith(".log")


def in_child(action: Callable[[], object]) -> bool:
    """Do something in a forked process; `False` when it was killed."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return not os.WIFSIGNALED(status)


def main(folder: Path, fails: bool) -> None:
    import nadi
    from nadi.engine.loading import load_flow
    from nadi.engine.recording import close, recorder
    from nadi.engine.transactions import Transaction
    from nadi.model.runs import RunFilter
    from nadi.storage.recorder import JournalRecorder
    from nadi.storage.results import LocalResults
    from nadi.storage.sqlite.cache import SqliteCacheTable

    program = folder / "program.py"
    program.write_text(PROGRAM)
    os.environ["NADI_LOG_LEVEL"] = "CRITICAL"

    def begin(at: int) -> None:
        flow = load_flow(f"{program}:run")
        dying = Dying(at)
        dying.wrap(os, "write", is_journal)
        dying.wrap(SqliteCacheTable, "put")
        dying.wrap(LocalResults, "write")
        dying.wrap(LocalResults, "replace")
        dying.wrap(Transaction, "_call")
        flow(fails=fails, return_state=True)
        assert close() == ""

    def look(told: dict[str, Any], when: str) -> None:
        into = recorder()
        assert isinstance(into, JournalRecorder)
        into.look_for_leftovers()
        store = into.store()
        entries = {entry.key: into.fetch(entry.result) for entry in store.cache.entries()}
        named = {"whole": "done", "large-2": "2" * 20_000}
        told[when] = sorted(key if key in named else "small" for key in entries)
        assert all(entries[key] == named.get(key, 1) for key in entries), entries.keys()
        told["state"] = "".join(run.state_name for run in store.flow_runs(RunFilter(), limit=10))

    def finish(report: Path) -> None:
        told: dict[str, Any] = {}
        look(told, "after death")
        Path(os.environ["LEDGER"] + ".resumed").touch()
        for run in recorder().store().flow_runs(RunFilter(), limit=10):
            if not run.state.is_completed():
                told["value"] = nadi.resume(run.id)
        look(told, "after resume")
        assert close() == ""
        report.write_text(json.dumps(told))

    for at in itertools.count(1):
        home = folder / f"home-{at}"
        os.environ["NADI_HOME"], os.environ["LEDGER"] = str(home), f"{home}.ledger"
        report, died, ledger = (Path(f"{home}.{name}") for name in ("report", "ledger.died", "ledger"))
        survived = in_child(functools.partial(begin, at))
        assert in_child(functools.partial(finish, report))
        told = json.loads(report.read_text())
        told["at"] = died.read_text() if died.exists() else ""
        told["did"] = ledger.read_text().split() if ledger.exists() else []
        print(json.dumps(told), flush=True)
        if survived:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] == "fails")
