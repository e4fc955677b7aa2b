"""Other Pythons that tests start and kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nadi.model.holders import Holder
from nadi.storage.home import process_start, this_holder
from tests.journeys.places import CHECKOUT


@contextmanager
def other_process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start another Python, which sees this checkout and `sys.argv[1:]`, and kill it at the end."""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])}
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environ,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def first_line(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process says."""
    assert process.stdout is not None
    return process.stdout.readline()


def holder_of(process: subprocess.Popen[str]) -> Holder:
    """Return a process as the holder of runs."""
    here = this_holder("other")
    return Holder("other", here.host, process.pid, process_start(process.pid), here.boot, here.namespace)
