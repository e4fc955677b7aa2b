"""The machine: what it is, and how busy others keep it while we measure."""

from __future__ import annotations

import os
import platform
import resource
import time
from pathlib import Path

import apsw


def describe() -> dict[str, object]:
    """Return what a reader of the figures has to know of the machine."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


class OthersShare:
    """Measures, from its making on, how much of the processors others than this process and its children took."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self._busy, self._own = _busy_seconds(), _own_seconds()

    def percent(self) -> float | None:
        """Return the share in percent of one core (200 is two cores); `None` where the system does not tell.

        Children count as own once they have ended, so ask after that.
        """
        busy = _busy_seconds()
        if busy is None or self._busy is None:
            return None
        seconds = time.perf_counter() - self._begin
        return max(0.0, (busy - self._busy) - (_own_seconds() - self._own)) / seconds * 100


def _busy_seconds() -> float | None:
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    except OSError:
        return None
    # user nice system idle iowait irq softirq steal; what guests took is in user already
    busy = sum(int(field) for place, field in enumerate(fields[:8]) if place not in (3, 4))
    return busy / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def resident_bytes() -> int:
    """Return how much memory this process holds now."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return peak_bytes()
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """Return the most memory that this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024
