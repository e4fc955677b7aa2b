"""Flows made from a seed: tasks, maps, retries, nested tasks, subflows, submitted chains, files, in any nesting."""

from __future__ import annotations

import random
from typing import Any

from nadi import flow, task
from tests.journeys.flow_of_thirty import did, times_done

#: ["seq", label], ["map", label, n], ["sub", label, [...]] and so on; what JSON can hold.
Step = list[Any]


def a_program(rng: random.Random, depth: int = 0, path: str = "p") -> list[Step]:
    """Return a random program of a few steps; labels are unique in it."""
    steps: list[Step] = []
    for n in range(rng.randint(1, 4 if depth else 6)):
        label = f"{path}.{n}"
        kind = rng.choice(
            ["seq", "seq", "map", "retry", "nested", "chain", "big", "caught", *(["sub"] if depth < 2 else [])]
        )
        if kind == "sub":
            steps.append([kind, label, a_program(rng, depth + 1, label), rng.random() < 0.5])
        else:
            steps.append([kind, label, rng.randint(1, 4)])
    return steps


@task(task_run_name="{label}")
def plain(x: int, label: str) -> int:
    did(label)
    return (x * 31 + len(label)) % 1_000_003


@task(task_run_name="{label}", retries=2, retry_delay_seconds=0)
def retried(x: int, label: str) -> int:
    if times_done(f"try-{label}") == 0:
        did(f"try-{label}")
        raise ConnectionError("the first call never works")
    did(label)
    return x + 1


@task(task_run_name="{label}")
def nested(x: int, label: str, n: int) -> int:
    for i in range(n):
        x = plain(x, f"{label}-{i}")
    did(label)
    return x


@task(task_run_name="{label}")
def big(x: int, label: str) -> list[int]:
    did(label)
    return [x] * 20_000


@task(task_run_name="{label}")
def broken(label: str) -> None:
    did(label)
    raise ValueError(label)


@flow
def program(steps: list[Any], x: int = 1) -> int:
    for kind, label, size, *more in steps:
        if kind == "seq":
            x = plain(x, label)
        elif kind == "map":
            x = sum(plain.map([x + i for i in range(size)], [f"{label}-{i}" for i in range(size)]).result())
        elif kind == "retry":
            x = retried(x, label)
        elif kind == "nested":
            x = nested.submit(x, label, size).result()
        elif kind == "chain":
            future = plain.submit(x, f"{label}-first")
            for i in range(size):
                future = plain.submit(future, f"{label}-{i}")
            x = future.result()
        elif kind == "big":
            x = sum(big(x, label)) % 1_000_003
        elif kind == "caught":
            x += len(str(broken(label, return_state=True).message))
        elif more[0]:
            x = program.submit(size, x).result()
        else:
            x = program(size, x)
    return x
