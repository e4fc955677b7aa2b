"""Whether a process that has imported the user's code may be forked: what a fork would copy must still work there.

A fork copies the forking thread alone. What other threads were doing, which locks they held, and what the other end of
a connection thinks of two processes that use it, is not copied in any sense that holds.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import threading
from collections.abc import Collection

from nadi.model.text import plural

#: What the libraries of OpenBLAS call the function that tells how many threads they have.
_COUNTS = ("openblas_get_num_threads", "scipy_openblas_get_num_threads64_", "openblas_get_num_threads64_")
#: Names of threads of libraries that know of forks, and get on without them: that of jemalloc, which Arrow brings.
_SURVIVING = frozenset({"jemalloc_bg_thd"})
#: A mapped library of OpenBLAS: that of NumPy and SciPy wheels, or of the system.
_OPENBLAS = re.compile(r"/lib(?:scipy_)?openblas[^/]*\.so[^/ ]*$")


def why_not_fork(own: Collection[int]) -> str:
    """Say why this process must not be forked, as the rest of a sentence that begins with "as"; "" when it may be.

    Args:
        own: Descriptors of ours, of which the forked process knows what to do with them.
    """
    if not sys.platform.startswith("linux"):
        return f"processes are not forked on {sys.platform}"
    if not hasattr(os, "pidfd_open"):
        return "this Python knows no handles of processes"
    return _threads() or _gpu() or _native_threads() or _open_files(own)


def _threads() -> str:
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    unknown = len(sys._current_frames()) - 1 - len(others)
    if others:
        return f"importing it left {plural(len(others), 'thread')} running ({', '.join(sorted(others)[:3])})"
    return f"importing it left {plural(unknown, 'thread')} running" if unknown > 0 else ""


def _gpu() -> str:
    for path in _targets().values():
        if path.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri/")):
            return f"importing it opened the device {path}"
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    is_initialized = getattr(cuda, "is_initialized", None)
    return "importing it initialised CUDA" if is_initialized is not None and is_initialized() else ""


def _native_threads() -> str:
    """Threads that Python does not know; those of OpenBLAS end before a fork and begin anew after it, too."""
    try:
        names = [_thread_name(thread) for thread in os.listdir("/proc/self/task")]
    except OSError:
        return "its threads cannot be counted"
    count = sum(name not in _SURVIVING for name in names) - len(sys._current_frames())
    if count <= 0 or count <= _openblas_threads():
        return ""
    return f"a library that it imports left {plural(count, 'thread')} running"


def _thread_name(thread: str) -> str:
    with open(f"/proc/self/task/{thread}/comm", encoding="utf-8", errors="replace") as file:
        return file.read().strip()


def _openblas_threads() -> int:
    import ctypes  # 2 ms, and only where a library has threads

    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        paths = {line.rstrip().split(maxsplit=5)[-1] for line in file if _OPENBLAS.search(line.rstrip())}
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):
            library = ctypes.CDLL(path)
            counts = (getattr(library, name, None) for name in _COUNTS)
            total += sum(count() - 1 for count in counts if count is not None)
    return total


def _open_files(own: Collection[int]) -> str:
    """Connections, and files that are read and written such as databases: two processes cannot share them."""
    for descriptor, target in _targets().items():
        if descriptor <= 2 or descriptor in own:
            continue
        with contextlib.suppress(OSError):
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISSOCK(mode):
                return "importing it opened a connection"
            if stat.S_ISREG(mode) and _is_read_and_written(descriptor):
                return f"importing it opened the file {target} to read and write it"
    return ""


def _is_read_and_written(descriptor: int) -> bool:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR


def _targets() -> dict[int, str]:
    """Return what each open descriptor leads to."""
    found = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return found


def reseed() -> None:
    """Give a forked process chances of its own, where libraries that are loaded would repeat those of its parent."""
    import random

    random.seed()
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and "numpy.random" in sys.modules:
        numpy.random.seed()
    if torch is not None and hasattr(torch, "manual_seed"):
        torch.manual_seed(random.getrandbits(63))
