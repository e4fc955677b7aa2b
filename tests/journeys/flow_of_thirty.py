"""A flow of some thirty task runs, each of which says in a ledger that it ran: what the killing tests kill."""

from __future__ import annotations

import os
from collections.abc import Iterator

from nadi import flow, task


def did(label: str) -> None:
    """Write to the ledger, as an effect on the world that cannot be taken back."""
    ledger = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(ledger, f"{label}\n".encode())
    os.close(ledger)


def times_done(label: str) -> int:
    try:
        with open(os.environ["LEDGER"], encoding="utf-8") as ledger:
            return ledger.read().split("\n").count(label)
    except FileNotFoundError:
        return 0


@task(task_run_name="load-{n}")
def load(n: int) -> list[int]:
    did(f"load-{n}")
    return list(range(n))


@task(task_run_name="square-{where}-{x}")
def square(x: int, where: str) -> int:
    did(f"square-{where}-{x}")
    return x * x


@task(task_run_name="big-{n}")
def big(n: int) -> bytes:
    did(f"big-{n}")
    return bytes(range(256)) * n


@task(task_run_name="size")
def size(data: bytes) -> int:
    did("size")
    return len(data)


@task(retries=2, retry_delay_seconds=0, task_run_name="flaky-{key}")
def flaky(key: str) -> str:
    if times_done(f"try-{key}") == 0:
        did(f"try-{key}")
        raise ConnectionError("the first call never works")
    did(f"flaky-{key}")
    return key


@task(task_run_name="inner-{x}")
def inner(x: int) -> int:
    did(f"inner-{x}")
    return x + 1


@task(task_run_name="outer-{x}")
def outer(x: int) -> int:
    total = inner(x) + inner(x + 1)
    did(f"outer-{x}")
    return total


@task(task_run_name="stream-{n}")
def stream(n: int) -> Iterator[int]:
    for i in range(n):
        yield i * 10
    did(f"stream-{n}")


@task(task_run_name="step-{i}")
def step(total: int, i: int) -> int:
    did(f"step-{i}")
    return total * 3 + i


@flow
def part(numbers: list[int]) -> int:
    return sum(square.map(numbers, "part").result())


@flow
def thirty(n: int = 6) -> tuple[int, int, str, int, list[int], int]:
    numbers = load(n)
    squares = square.map(numbers, "top").result()
    total = part(numbers) + sum(squares)
    data = big(200)
    key = flaky("x")
    nested = outer(len(data))
    items = list(stream(3))
    for i in range(6):
        total = step(total, i)
    chain = step.submit(total, 100)
    chain = step.submit(chain, 101)
    chain = step.submit(chain, 102)
    return total, size(data), key, nested, items, chain.result()


if __name__ == "__main__":
    print(thirty())
