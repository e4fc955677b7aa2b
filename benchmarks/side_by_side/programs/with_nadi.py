"""The work, done by Nadi."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable

import nadi
from nadi import flow, task

took: dict[str, object] = {}


@task
def same(x: int, y: int = 0) -> int:
    return x


@task
def noted(number: int) -> int:
    with open(os.environ["LEDGER"], "a", encoding="ascii") as ledger:
        ledger.write(f"{number}\n")
    if number == int(os.environ.get("KILL_AT", "-1")):
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@flow
def hello() -> int:
    return same(0)


@flow
def calls(n: int) -> None:
    begin = time.perf_counter()
    for x in range(n):
        same(x)
    took["seconds"] = time.perf_counter() - begin


@flow
def submits(n: int) -> None:
    begin = time.perf_counter()
    for x in range(n):
        same.submit(x).result()
    took["seconds"] = time.perf_counter() - begin


@flow(name="map")
def mapped(n: int) -> None:
    begin = time.perf_counter()
    results = same.map(range(n)).result()
    took["seconds"] = time.perf_counter() - begin
    assert results == list(range(n))


@flow
def layers(width: int, deep: int) -> None:
    begin = time.perf_counter()
    above = [same.submit(x) for x in range(width)]
    for _ in range(deep - 1):
        above = [same.submit(above[x], above[(x + 1) % width]) for x in range(width)]
    results = [future.result() for future in above]
    took["seconds"] = time.perf_counter() - begin
    assert results == list(range(width))


@flow
def slow(n: int) -> None:
    for number in range(n):
        noted(number)


def go_on() -> None:
    nadi.resume(sys.argv[2])


WORK: dict[str, Callable[..., object]] = {
    "hello": hello,
    "calls": calls,
    "submits": submits,
    "map": mapped,
    "layers": layers,
    "slow": slow,
}


if __name__ == "__main__":
    if sys.argv[1] == "go_on":
        go_on()
    else:
        WORK[sys.argv[1]](*map(int, sys.argv[2:]))
    print(json.dumps(took), flush=True)
