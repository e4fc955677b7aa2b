"""`python -m benchmarks.seeding`: fill a store with as much history as years of use leave, the same for the same seed.

Runs are told by records through `Store.apply`, so what a store keeps beside them is kept as it is for real runs. One
run, the same in every store, stands for what a run page shows: a hundred task runs, logs, metrics, artifacts,
subflows. Another one has 5,000 task runs.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

import msgspec

from nadi.model.assets import AssetRef
from nadi.model.ids import uuid7
from nadi.model.records import (
    AnyRecord,
    ArtifactMade,
    AssetMaterialized,
    CallKey,
    EventEmitted,
    FlowRunBegun,
    FlowRunMoved,
    LogLine,
    MetricLogged,
    TaskRunBegun,
    TaskRunMoved,
)
from nadi.model.sources import RunSource
from nadi.model.states import StateType
from nadi.storage.contract import Batch, Store
from nadi.storage.opening import store_in_force
from nadi.storage.settings import read_settings

#: Records of one batch, as a busy writer delivers them.
BATCH = 5_000
#: Seconds over which the runs are spread.
SPAN = 90 * 86_400.0
#: Task runs of the largest run.
LARGEST = 5_000
FLOWS = tuple(f"{kind}-{what}" for kind in ("etl", "train", "score", "report") for what in ("users", "orders", "ads"))
#: An asset that was made many times.
ASSET = "s3://lake/etl-users"
TASKS = ("extract", "clean", "join", "train", "evaluate", "publish")
_STATES = {
    StateType.COMPLETED: 880,
    StateType.FAILED: 70,
    StateType.CRASHED: 25,
    StateType.CANCELLED: 25,
}
_SOURCE = msgspec.json.encode(
    RunSource(
        entrypoint="/home/ada/flows/pipeline.py:pipeline",
        working_folder="/home/ada/flows",
        sys_path=("/home/ada/flows", "/usr/lib/python3.12", "/home/ada/.venv/lib/python3.12/site-packages"),
        interpreter="/home/ada/.venv/bin/python",
        python_version="3.12.4",
        host="workstation",
        command_line=("python", "pipeline.py"),
        source_file="/home/ada/flows/pipeline.py",
        source="def step(x: int) -> int:\n    return x + 1\n\n\n" * 40,
        packages={f"package-{n}": f"{n}.1.2" for n in range(80)},
    )
)


class Seeded(msgspec.Struct, frozen=True):
    """What there is to look at in a seeded store."""

    task_runs: int
    flow_runs: int
    #: The run that stands for a run page, and one with very many task runs.
    typical: str
    largest: str
    #: A task run of the typical one that logged something, and an artifact of it.
    task_run: str
    artifact: str
    #: A run from the middle of history, and when it was made.
    middle: str
    middle_at: float
    #: A tag that few runs bear.
    rare_tag: str


class Seeding:
    """Tells a store of runs.

    Args:
        store: Which store; other writers may use it too.
        task_runs: How many task runs to make; of flow runs there are a tenth.
        seed: Decides everything.
        until: Unix seconds; the newest run was made at this time.
    """

    def __init__(self, store: Store, *, task_runs: int, seed: int = 1, until: float) -> None:
        self._store, self._random = store, random.Random(seed)
        self._task_runs, self._flow_runs, self._until = task_runs, task_runs // 10, until
        self._batch: list[AnyRecord] = []
        self._writer = f"seeding-{task_runs}-{seed}"
        self._told = store.watermark(self._writer)
        self._most = min(LARGEST, task_runs // 2)
        self._tasks_made = 0
        self._last_task = ""
        self._middle = ("", 0.0)

    def run(self) -> Seeded:
        """Tell everything, and return what there is."""
        rest = self._flow_runs - 2
        of_others = max(0, self._task_runs - self._most - 100)
        largest = self._largest()
        for n in range(rest):
            wanted = of_others * (n + 1) // rest - self._tasks_made
            self._run_of_many(n, self._until - SPAN * (rest - n) / rest, tasks=wanted)
        typical, task_run, artifact = self._typical()
        self._deliver()
        return Seeded(
            task_runs=self._task_runs,
            flow_runs=self._flow_runs,
            typical=typical,
            largest=largest,
            task_run=task_run,
            artifact=artifact,
            middle=self._middle[0],
            middle_at=self._middle[1],
            rare_tag="incident-7",
        )

    # -- runs --

    def _run_of_many(self, n: int, at: float, *, tasks: int) -> None:
        random = self._random
        root, flow = self._id(at), random.choice(FLOWS)
        if n == self._flow_runs // 2:
            self._middle = (root, at)
        still_open = n >= self._flow_runs - 22
        state = StateType.RUNNING if still_open else random.choices(list(_STATES), list(_STATES.values()))[0]
        self._begin(root, flow, at, tags=self._tags(n), parameters=self._parameters(n))
        took = random.expovariate(1 / 60.0)
        for each in range(tasks):
            failed = state is StateType.FAILED and each == tasks - 1
            self._task(root, at + took * each / tasks, each, StateType.FAILED if failed else StateType.COMPLETED)
        self._tasks_made += tasks
        if random.random() < 0.1:
            self._logs(root, at, 20)
        if random.random() < 0.1:
            self._metrics(root, at, ("loss", "accuracy"), 10)
        if random.random() < 0.05:
            self._artifact(root, at, f"report-{flow}")
        if random.random() < 0.02:
            self._event(root, at)
            self._asset(root, at, f"s3://lake/{flow}")
        if not still_open:
            self._end(root, at + took, state)

    def _typical(self) -> tuple[str, str, str]:
        at = self._until
        root = self._id(at)
        self._begin(root, "etl-users", at, tags=("prod",), parameters=b'{"rows": 1000, "model": "tree"}')
        first = ""
        for n in range(100):
            task = self._task(root, at + n, n, StateType.FAILED if n % 25 == 24 else StateType.COMPLETED)
            first = first or task
        for n in range(3):
            below = self._id(at + 1)
            call = CallKey(root, "child:pipeline.py", b"code", b"inputs", 0, n, 200 + n)
            self._tell(
                FlowRunBegun(
                    root, 1, at, below, "child", f"child-{n}", 1, StateType.RUNNING, "Running", parent=root, call=call
                ),
                FlowRunMoved(root, 1, at + 5, below, 1, StateType.RUNNING, StateType.COMPLETED, "Completed"),
            )
        self._logs(root, at, 300)
        self._logs(root, at, 20, task=first)
        self._metrics(root, at, ("loss", "accuracy", "lr"), 300)
        artifact = self._artifact(root, at, "report", cells=50)
        for _ in range(4):
            self._artifact(root, at, "table")
        self._event(root, at)
        self._asset(root, at, ASSET)
        self._end(root, at + 120.0, StateType.FAILED)
        return root, first, artifact

    def _largest(self) -> str:
        at = self._until - SPAN / 3
        root = self._id(at)
        self._begin(root, "train-ads", at, tags=("prod", "gpu"), parameters=b'{"rows": 5}')
        for n in range(self._most):
            self._task(root, at + n / 100, n, StateType.COMPLETED)
        self._logs(root, at, self._most)
        self._end(root, at + self._most / 100, StateType.COMPLETED)
        return root

    # -- what a run tells --

    def _begin(self, root: str, flow: str, at: float, *, tags: tuple[str, ...], parameters: bytes) -> None:
        name = f"{self._random.choice(('quiet', 'brisk', 'amber'))}-{self._random.randrange(10_000)}"
        self._tell(
            FlowRunBegun(
                *(root, 1, at, root, flow, name, 1, StateType.RUNNING, "Running"),
                tags=tags,
                parameters=parameters,
                source=_SOURCE,
                holder="nobody",
            )
        )

    def _end(self, root: str, at: float, state: StateType) -> None:
        message = "" if state is StateType.COMPLETED else "ValueError: no rows"
        self._tell(FlowRunMoved(root, 1, at, root, 1, StateType.RUNNING, state, state.value.capitalize(), message))

    def _task(self, root: str, at: float, n: int, state: StateType) -> str:
        task = self._id(at)
        name = TASKS[n % len(TASKS)]
        call = CallKey(root, f"{name}:pipeline.py", b"0123456789abcdef", b"fedcba9876543210", 0, n, n)
        upstream = (self._last_task,) if n % len(TASKS) else ()
        self._last_task = task
        self._tell(
            TaskRunBegun(
                root, 1, at, task, root, name, f"{name}-{n}", call, 1, StateType.RUNNING, tags=(), upstream=upstream
            ),
            TaskRunMoved(root, 1, at + self._random.random(), task, 1, StateType.RUNNING, state),
        )
        return task

    def _logs(self, root: str, at: float, lines: int, *, task: str = "") -> None:
        for n in range(lines):
            level = 30 if n % 20 == 19 else 20
            self._tell(LogLine(root, 1, at + n / 10, root, task, level, "nadi.user", f"step {n}: 1,000 rows read"))

    def _metrics(self, root: str, at: float, keys: tuple[str, ...], steps: int) -> None:
        for step in range(steps):
            for key in keys:
                self._tell(MetricLogged(root, 1, at + step, root, "", key, self._random.random(), step))

    def _artifact(self, root: str, at: float, key: str, *, cells: int = 5) -> str:
        artifact = self._id(at)
        rows = msgspec.json.encode([{"name": f"row {n}", "value": n} for n in range(cells)])
        self._tell(ArtifactMade(root, 1, at, artifact, root, "", key, "table", "", rows))
        return artifact

    def _event(self, root: str, at: float) -> None:
        self._tell(EventEmitted(root, 1, at, self._id(at), root, "", "model.promoted", at, {"nadi.resource.id": "m"}))

    def _asset(self, root: str, at: float, key: str) -> None:
        upstream = (AssetRef("s3://lake/raw"),)
        self._tell(AssetMaterialized(root, 1, at, self._id(at), root, "", key, True, upstream=upstream))

    def _tags(self, n: int) -> tuple[str, ...]:
        tags = ["prod"] if self._random.random() < 0.6 else ["test"]
        tags += ["gpu"] if self._random.random() < 0.2 else []
        tags += [f"team-{self._random.randrange(10)}"]
        tags += [f"incident-{n // (self._flow_runs // 10 or 1)}"] if n % 97 == 0 else []
        return tuple(tags)

    def _parameters(self, n: int) -> bytes:
        values = {
            "rows": self._random.choice((100, 1000, 10_000)),
            "model": self._random.choice(("tree", "linear", "net")),
            "day": f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}",
            "number": n,
        }
        return msgspec.json.encode(values)

    def _id(self, at: float) -> str:
        return uuid7(at, self._random.getrandbits(62))

    # -- telling --

    def _tell(self, *records: AnyRecord) -> None:
        self._batch += records
        if len(self._batch) >= BATCH:
            self._deliver()

    def _deliver(self) -> None:
        if self._batch:
            done = self._store.apply(Batch(self._writer, self._told + 1, self._batch))
            assert not done.refused, done.refused[0]
            self._told, self._batch = done.watermark, []


def seed(store: Store, *, task_runs: int, seed: int = 1, until: float) -> Seeded:
    """Fill a store, and return what there is to look at.

    Args:
        store: An empty store.
        task_runs: How many task runs to make; of flow runs there are a tenth.
        seed: Decides everything but the times.
        until: Unix seconds at which the newest run was made.
    """
    return Seeding(store, task_runs=task_runs, seed=seed, until=until).run()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeding", description=__doc__)
    parser.add_argument("--task-runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    store = store_in_force(read_settings())
    begin = time.time()
    seeded = seed(store, task_runs=asked.task_runs, seed=asked.seed, until=begin)
    store.close()
    sys.stdout.buffer.write(msgspec.json.encode(seeded) + b"\n")
    print(f"{asked.task_runs:,} task runs in {time.time() - begin:.0f} s into {store.url}", file=sys.stderr)


if __name__ == "__main__":
    main()
