"""The work, done by DBOS: a flow is a workflow and a task a step; what runs beside others is a workflow of its own."""

# DBOS is installed apart from the tools that check types, so its decorators are untyped to them.
# mypy: disable-error-code="untyped-decorator, no-any-return"

from __future__ import annotations

import json
import os
import signal
import sys
import time

from dbos import DBOS, SetWorkflowID

took: dict[str, object] = {}
DBOS(
    config={
        "name": "bench",
        "system_database_url": os.environ["DBOS_URL"],
        "log_level": "ERROR",
        "enable_otlp": False,
        "application_version": "1",
    }
)


@DBOS.step()
def same(x: int) -> int:
    return x


@DBOS.step()
def noted(number: int) -> int:
    with open(os.environ["LEDGER"], "a", encoding="ascii") as ledger:
        ledger.write(f"{number}\n")
    if number == int(os.environ.get("KILL_AT", "-1")):
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@DBOS.workflow()
def hello() -> int:
    return same(0)


@DBOS.workflow()
def calls(n: int) -> None:
    begin = time.perf_counter()
    for x in range(n):
        same(x)
    took["seconds"] = time.perf_counter() - begin


@DBOS.workflow()
def child(x: int) -> int:
    return same(x)


@DBOS.workflow()
def submits(n: int) -> None:
    begin = time.perf_counter()
    for x in range(n):
        DBOS.start_workflow(child, x).get_result()
    took["seconds"] = time.perf_counter() - begin


@DBOS.workflow()
def mapped(n: int) -> None:
    begin = time.perf_counter()
    results = [handle.get_result() for handle in [DBOS.start_workflow(child, x) for x in range(n)]]
    took["seconds"] = time.perf_counter() - begin
    assert results == list(range(n))


@DBOS.workflow()
def slow(n: int) -> None:
    for number in range(n):
        noted(number)


WORK = {"hello": hello, "calls": calls, "submits": submits, "map": mapped}


if __name__ == "__main__":
    DBOS.launch()  # takes up by itself what a killed process left
    if sys.argv[1] == "slow":
        with SetWorkflowID("slow"):
            slow(int(sys.argv[2]))
    elif sys.argv[1] == "go_on":
        DBOS.retrieve_workflow("slow").get_result()
    else:
        WORK[sys.argv[1]](*map(int, sys.argv[2:]))
    DBOS.destroy()
    print(json.dumps(took), flush=True)
