"""The child of the process executor: runs parcels one after the other until its parent is gone.

Messages are length-prefixed frames on two pipes of its own, so that what user code prints
stays on standard output. The function that runs a parcel is named in the first frame: this
floor does not know the engine.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue

import msgspec


class Start(msgspec.Struct):
    """The first frame: how to become like the parent."""

    #: "module:function" that runs a parcel.
    runner: str
    sys_path: list[str]
    folder: str


def read_exactly(descriptor: int, count: int) -> bytes:
    """Read `count` bytes; fewer when the other side is gone."""
    parts: list[bytes] = []
    while count:
        part = os.read(descriptor, min(count, 1 << 20))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def read_frame(descriptor: int) -> bytes | None:
    """Read one frame; `None` when the other side is gone."""
    head = read_exactly(descriptor, 8)
    if len(head) < 8:
        return None
    length = int.from_bytes(head, "little")
    body = read_exactly(descriptor, length)
    return body if len(body) == length else None


def write_frame(descriptor: int, body: bytes) -> None:
    """Write one frame, whole."""
    view = memoryview(len(body).to_bytes(8, "little") + body)
    while view:
        view = view[os.write(descriptor, view) :]


def serve(commands: int, answers: int) -> None:
    """Run what comes from the parent until it is gone."""
    first = read_frame(commands)
    if first is None:
        return
    start = msgspec.msgpack.decode(first, type=Start)
    sys.path[:] = start.sys_path
    os.chdir(start.folder)
    module, _, name = start.runner.partition(":")
    run: Callable[[bytes, Callable[[str, bytes], None]], None] = getattr(importlib.import_module(module), name)
    parcels: SimpleQueue[bytes] = SimpleQueue()
    writing = threading.Lock()

    def listen() -> None:
        # The main thread is busy with user code; this one notices that the parent is gone, and ends the process.
        while (frame := read_frame(commands)) is not None:
            parcels.put(frame)
        os._exit(0)

    own = os.getpid()

    def send(kind: str, body: bytes) -> None:
        if os.getpid() != own:
            os._exit(0)  # the task forked and its copy came out here: the answer is its parent's to give
        try:
            with writing:
                write_frame(answers, kind.encode("ascii").ljust(8) + body)
        except BrokenPipeError:
            os._exit(0)  # the parent is gone, and so is everybody who could be told

    threading.Thread(target=listen, name="nadi-parent", daemon=True).start()
    send("ready", b"")
    while True:
        run(parcels.get(), send)
