"""Whether code may be forked: judged in a process that imported it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROBE = """
import os
{code}
from nadi.workers.processes.forking import why_not_fork
print(why_not_fork(()))
"""

FINE = [
    "import json",
    "import numpy; numpy.ones((500, 500)) @ numpy.ones((500, 500))",
    "import pandas",
    "log = open(os.devnull, 'a')",
]
NOT_FINE = {
    "import threading as t, time; t.Thread(target=time.sleep, args=(9,), daemon=True, name='mine').start()": (
        "importing it left 1 thread running (mine)"
    ),
    "import _thread, time; _thread.start_new_thread(time.sleep, (9,))": "left 1 thread running",
    "import socket; held = socket.create_server(('127.0.0.1', 0))": "importing it opened a connection",
    "import tempfile; held = tempfile.NamedTemporaryFile()": "to read and write it",
    "import polars; polars.DataFrame({'a': [1, 2]}).lazy().collect()": "a library that it imports left",
}


def why(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(code=code)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.mark.parametrize("code", FINE)
def test_code_that_leaves_nothing_behind_may_be_forked(code: str) -> None:
    assert why(code) == ""


@pytest.mark.parametrize("code", NOT_FINE)
def test_code_that_leaves_threads_or_connections_behind_may_not_be_forked(code: str) -> None:
    assert NOT_FINE[code] in why(code)
