"""`python benchmarks/peers.py`: Nadi beside Prefect and DBOS, which it installs. See `side_by_side/`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # Started as a file, Python looks for modules beside it; the package is one folder up.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    runpy.run_module("benchmarks.side_by_side", run_name="__main__", alter_sys=True)
