"""Following runs of other processes at a real server, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.far_servers import FarPlace, ServerProcess
from tests.journeys.places import DID, Place, until
from tests.server.reading import Event, Reader

FLOW = (
    DID
    + """
import time
from nadi import get_run_logger

@task
def step(n):
    get_run_logger().info("line %d", n)

@flow
def lines(first: int, last: int, wait: int):
    for n in range(first, last):
        step(n)
        time.sleep(0.005)
    did("told")
    while wait and not os.path.exists("go"):
        time.sleep(0.01)

if __name__ == "__main__":
    lines(*map(int, sys.argv[1:4]))
"""
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(tmp_path / "server")
    made.place.script(FLOW)
    made.start()
    yield made
    made.stop()


def is_in(state: str) -> Callable[[Event], bool]:
    return lambda event: event.kind == "flow-runs" and event.items[0]["state"] == state


def has_lines_unless(all_told: bool) -> Callable[[Event], bool]:
    return lambda event: event.kind == "logs" or all_told


def lines_of(events: list[Event]) -> list[str]:
    told = [line["text"] for event in events if event.kind == "logs" for line in event.items]
    return [text for text in told if text.startswith("line ")]


def start_flow(place: Place, server: ServerProcess, last: int) -> tuple[subprocess.Popen[str], str]:
    """Start a flow that waits at its end; returns its process and run."""
    reader = Reader(server.port, server.key, "flow=lines")
    reader.next()
    process = place.start(place.folder / "pipeline.py", "0", str(last), "1")
    run = reader.next().items[0]["id"]
    reader.close()
    return process, run


@pytest.mark.parametrize("far", [False, True])
def test_a_flow_that_is_killed_is_seen_to_crash(server: ServerProcess, tmp_path: Path, far: bool) -> None:
    place: Place = FarPlace(tmp_path / "client", server) if far else server.place
    place.script(FLOW)
    process, run = start_flow(place, server, last=3)
    until(lambda: place.did() == ["told"])
    reader = Reader(server.port, server.key, f"run={run}")
    reader.next()

    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    events = reader.until(is_in("CRASHED"))

    assert "Its process ended without finishing it" in events[-1].items[0]["message"]
    reader.close()


def test_a_reader_misses_no_line_and_hears_none_twice_while_its_server_is_killed(server: ServerProcess) -> None:
    process, run = start_flow(server.place, server, last=400)
    reader = Reader(server.port, server.key, f"run={run}&logs=1&after=0")
    heard = lines_of(reader.until(lambda event: event.kind == "logs"))

    for _ in range(3):
        server.kill()
        while events := list(reader.blocks()):
            heard += lines_of(events)
        reader.close()
        server.start()
        reader = Reader(server.port, server.key, f"run={run}&logs=1", last=reader.id)
        heard += lines_of(reader.until(has_lines_unless(len(heard) == 400)))
    (server.place.folder / "go").touch()
    heard += lines_of(reader.until(is_in("COMPLETED")))
    process.communicate()

    assert heard == [f"line {n}" for n in range(400)]
    reader.close()
