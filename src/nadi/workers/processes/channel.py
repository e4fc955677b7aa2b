"""Messages and open files between the processes of one worker, over a pair of sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Sequence

import msgspec

from nadi.model.deployments import Resources
from nadi.model.work import WhenCutOff

_LENGTH = struct.Struct("<I")
#: Bytes of a message at most: more than any of ours has.
LONGEST = 16 << 20
#: Descriptors that come with one message at most.
MOST_FILES = 4


class Message(msgspec.Struct, frozen=True, tag=True):
    """What goes over a channel."""


# -- from the worker to a warm process --


class Load(Message, frozen=True, kw_only=True):
    """The first message: what to import."""

    entrypoint: str
    #: Modules of Nadi's that every run needs, by name, to have them loaded once.
    modules: tuple[str, ...] = ()


class Run(Message, frozen=True, kw_only=True):
    """Begin a run. With it comes the channel between its process and the worker."""

    run: str
    token: int
    output: str
    executor: str = ""
    resources: Resources = Resources()
    when_cut_off: WhenCutOff = WhenCutOff.CONTINUE
    lease_term: float = 0.0


class Retire(Message, frozen=True):
    """Begin no more, and end with the last run."""


# -- from a warm process to the worker --


class SeenFile(msgspec.Struct, frozen=True):
    """A file of the user's that was imported, as it was then."""

    path: str
    modified: int
    size: int
    inode: int


class Loaded(Message, frozen=True, kw_only=True):
    """All is imported, and runs may come."""

    #: Why it does not fork, and can begin one run only; "" where it does.
    why_not_fork: str
    files: tuple[SeenFile, ...]


class NotLoaded(Message, frozen=True):
    """The flow cannot be imported."""

    why: str


class Forked(Message, frozen=True):
    """A run has its process."""

    run: str
    pid: int


class ChildEnded(Message, frozen=True):
    """A forked process has ended, and what was left of its group with it; status as `subprocess` has it."""

    run: str
    status: int


# -- between the process of a run and the worker --


class RunClaimed(Message, frozen=True):
    """The process has claimed its run."""

    holder: str
    token: int


class RunOver(Message, frozen=True):
    """The process has seen its run through, and ends."""

    #: Whether the store has all of it.
    is_delivered: bool


class Renewed(Message, frozen=True):
    """The worker has renewed the lease of the process."""

    #: Monotonic seconds of this machine.
    at: float


AnyMessage = Load | Run | Retire | Loaded | NotLoaded | Forked | ChildEnded | RunClaimed | RunOver | Renewed
_decode = msgspec.msgpack.Decoder(AnyMessage).decode
_encode = msgspec.msgpack.Encoder().encode


class Channel:
    """One end of a pair of sockets. Whole messages come and go, in order."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    @classmethod
    def pair(cls) -> tuple[Channel, socket.socket]:
        """Return one end for this process, and the other one to be handed on."""
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls(here), there

    @classmethod
    def inherited(cls, descriptor: int) -> Channel:
        """Return the end that this process was started with."""
        os.set_inheritable(descriptor, False)
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self._end.fileno()

    def send(self, message: Message, files: Sequence[int] = (), *, wait: bool = True) -> bool:
        """Send a message, with descriptors of open files.

        Args:
            message: What to send.
            files: Descriptors; they stay open here.
            wait: Whether to wait while the other end takes nothing; else the message is dropped then.

        Returns:
            `False` when the other end is closed, or takes nothing.
        """
        text = _encode(message)
        data = _LENGTH.pack(len(text)) + text
        flags = 0 if wait else socket.MSG_DONTWAIT
        try:
            sent = socket.send_fds(self._end, [data], list(files), flags) if files else self._end.send(data, flags)
            if sent < len(data):
                self._end.sendall(data[sent:])
        except OSError:
            return False
        return True

    def receive(self) -> tuple[AnyMessage | None, list[int]]:
        """Wait for a message, and return it with the descriptors that came; `None` when the other end is closed."""
        files: list[int] = []
        try:
            head, files, _, _ = socket.recv_fds(self._end, _LENGTH.size, MOST_FILES)
            head += self._exactly(_LENGTH.size - len(head)) if head else b""
            (length,) = _LENGTH.unpack(head) if len(head) == _LENGTH.size else (LONGEST + 1,)
            if length > LONGEST:
                return None, self._closed(files)
            for descriptor in files:
                os.set_inheritable(descriptor, False)
            return _decode(self._exactly(length)), files
        except (OSError, EOFError, msgspec.DecodeError):
            return None, self._closed(files)

    def close(self) -> None:
        """Close this end; the other one learns it."""
        self._end.close()

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size > 0:
            part = self._end.recv(size)
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _closed(self, files: list[int]) -> list[int]:
        for descriptor in files:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        return []


def seen(path: str) -> SeenFile | None:
    """Return a file as it is now; `None` when it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return SeenFile(path, found.st_mtime_ns, found.st_size, found.st_ino)
