"""Runs flows in forked processes and kills them: at the n-th write to their journal, or after some time.

One process imports everything once and forks for each run, which makes a killed run cheap. Nothing
of this is known to the product: `os.write` is replaced in the process that is going to die.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

CHECKOUT = Path(__file__).parents[2]

#: (n, "before" | "torn" | "after"): die at the n-th write; (seconds, "time"): be killed after so long.
Kill = tuple[float, str]


class Job(msgspec.Struct):
    """One run that is killed several times, and each time resumed."""

    home: str
    #: Entrypoint of the flow.
    flow: str
    kills: list[Kill]
    parameters: dict[str, Any] = {}


class Outcome(msgspec.Struct):
    """What became of a job."""

    value: Any
    #: How many processes were killed; a kill beyond the last write never happens.
    killed: int
    #: How often each label was written to the ledger.
    ledger: dict[str, int]
    #: Labels of tasks that were recorded as finished before a resume and ran again in it.
    repeated: list[str]
    #: Writes to the journal by the process that ended the run.
    writes: int
    #: What the processes wrote to standard error.
    errors: str


class Killer:
    """A warm process that takes jobs."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.killer"],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": f"{CHECKOUT / 'src'}:{CHECKOUT}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, job: Job) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(job).decode() + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        return msgspec.json.decode(answer, type=Outcome)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


# -- in the process that dies --


class Dying:
    """Counts the writes to journals, and kills the process at one of them."""

    def __init__(self, at: float, how: str) -> None:
        self.count = 0
        self.at, self.how = at, how
        self._write = os.write
        self._journals: dict[int, bool] = {}

    def write(self, descriptor: int, data: bytes) -> int:
        if not self._is_journal(descriptor):
            return self._write(descriptor, data)
        self.count += 1
        if self.how == "time" or self.count != self.at:
            return self._write(descriptor, data)
        if self.how == "torn":
            self._write(descriptor, data[: len(data) // 2])
        elif self.how == "after":
            self._write(descriptor, data)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")

    def _is_journal(self, descriptor: int) -> bool:
        # Descriptors are used again for other files, so only those known to be journals are looked up but once.
        if not self._journals.get(descriptor):
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            self._journals[descriptor] = "/journals/" in path and path.endswith(".log")
        return self._journals[descriptor]


def run_or_resume(job: Job, report: int) -> None:
    import nadi
    from nadi.engine.loading import load_flow
    from nadi.engine.recording import close, recorder
    from nadi.model.runs import RunFilter
    from nadi.storage.recorder import JournalRecorder

    into = recorder()
    assert isinstance(into, JournalRecorder)
    into.look_for_leftovers()
    store = into.store()
    runs = store.flow_runs(RunFilter(), limit=10)
    finished: list[str] = []
    if not runs:
        os.write(report, json.dumps({"finished": finished}).encode() + b"\n")
        value = load_flow(job.flow)(**job.parameters)
    else:
        [run] = runs
        finished = [task.name for task in store.task_runs(run.id, limit=10_000) if task.state_type.value == "COMPLETED"]
        os.write(report, json.dumps({"finished": finished}).encode() + b"\n")
        if run.state_type.value == "COMPLETED":
            assert run.result is not None
            value = into.fetch(run.result)
        else:
            assert run.state_type.value == "CRASHED", run
            value = nadi.resume(run.id)
    message = close()
    assert not message, message
    os.write(report, json.dumps({"value": value}).encode() + b"\n")


def child(job: Job, kill: Kill | None, report: int, errors: str) -> None:
    descriptor = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 2)
    os.dup2(descriptor, 1)
    os.environ["NADI_HOME"] = job.home
    os.environ["LEDGER"] = f"{job.home}.ledger"
    os.environ["NADI_LOG_LEVEL"] = "CRITICAL"
    dying = Dying(*(kill or (0, "time")))
    os.write = dying.write  # type: ignore[assignment]
    status = 1
    try:
        run_or_resume(job, report)
        os.write(report, json.dumps({"writes": dying.count}).encode() + b"\n")
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)


# -- in the warm process --


def ledger(job: Job) -> Counter[str]:
    try:
        return Counter(Path(f"{job.home}.ledger").read_text().split())
    except FileNotFoundError:
        return Counter()


def stage(job: Job, kill: Kill | None) -> tuple[bool, dict[str, Any]]:
    """Run or resume once; returns whether the process was killed, and what it reported."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        child(job, kill, write, f"{job.home}.stderr")
    os.close(write)
    if kill is not None and kill[1] == "time":
        time.sleep(kill[0])
        os.kill(pid, signal.SIGKILL)
    told: dict[str, Any] = {}
    with os.fdopen(read) as lines:
        for line in lines:
            told |= json.loads(line)
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status)
    if not killed and status != 0:
        told["value"] = Path(f"{job.home}.stderr").read_text()
    return killed, told


def do(job: Job) -> Outcome:
    killed, repeated = 0, list[str]()
    told: dict[str, Any] = {}
    for kill in [*job.kills, None]:
        before = ledger(job)
        was_killed, told = stage(job, kill)
        after = ledger(job)
        repeated += [name for name in told.get("finished", []) if after[name] > before[name]]
        killed += was_killed
        if not was_killed:
            break
    errors = Path(f"{job.home}.stderr").read_text()
    return Outcome(told.get("value"), killed, dict(ledger(job)), repeated, told.get("writes", 0), errors)


def main() -> None:
    import nadi.engine.recording
    import nadi.engine.resuming
    import nadi.executors.processes  # noqa: F401  # imported once, before the forks

    for line in sys.stdin:
        outcome = do(msgspec.json.decode(line, type=Job))
        print(msgspec.json.encode(outcome).decode(), flush=True)


if __name__ == "__main__":
    main()
