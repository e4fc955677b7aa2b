"""How long the command line takes to answer, as a whole process."""

from __future__ import annotations

import os

from benchmarks.figures import Figure, Size, in_turn
from benchmarks.processes import bare_start, environment, run_seconds, user_python

STARTS = {Size.FULL: 9, Size.QUICK: 5, Size.TINY: 1}


def measure(size: Size) -> list[Figure]:
    env = environment(os.environ["NADI_HOME"])
    # What the installed script `nadi` does.
    command = [user_python(size), "-c", "import sys; from nadi.cli.main import main; sys.exit(main())", "--help"]
    run_seconds(command, env)  # compiled code is kept from here on
    ours, bare = in_turn(lambda: run_seconds(command, env), lambda: bare_start(env, size), STARTS[size])
    return [
        Figure(
            what="nadi --help, whole process",
            value=ours,
            unit="s",
            yardstick="whole process, python -c pass",
            beside=bare,
            budget=0.15,
        )
    ]
