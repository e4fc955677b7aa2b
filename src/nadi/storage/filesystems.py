"""Which file systems a SQLite database must not lie on: those that other machines write to as well.

File locks do not hold there, or not surely, and memory shared between processes does not reach
from one machine to the other; databases have been damaged that way.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NETWORK = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"}
    | {"ocfs2", "orangefs", "pvfs2", "smb2", "smb3", "smbfs", "virtiofs"}
    | {"fuse.beegfs", "fuse.blobfuse2", "fuse.ceph", "fuse.ceph-fuse", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs"}
    | {"fuse.goofys", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
)


def network_filesystem(path: str | os.PathLike[str], mountinfo: str) -> str | None:
    """Return the type of the network file system that `path` lies on, such as "nfs4"; `None` when it is a local one.

    Args:
        path: A file or folder; it need not exist.
        mountinfo: The text of `/proc/self/mountinfo`; "" where there is none, and then nothing is recognised.
    """
    wanted = os.path.realpath(path)
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        mount, _, source = line.partition(" - ")
        fields = mount.split(" ")
        if len(fields) < 5 or not source:
            continue
        # Spaces and the like stand as octal escapes; of two mounts on one place, the later one is seen.
        place = fields[4].encode("latin-1", "backslashreplace").decode("unicode_escape").rstrip("/")
        if len(place) >= best and (wanted == place or wanted.startswith(place + "/")):
            best, kind = len(place), source.split(" ")[0]
    return kind if kind in _NETWORK else None


def read_mountinfo() -> str:
    """Return what this process sees mounted; "" where the system does not tell."""
    try:
        return as_path("/proc/self/mountinfo").read_text(encoding="latin-1")
    except OSError:
        return ""


def as_path(path: str | os.PathLike[str]) -> Path:
    """Return a Path. Loads pathlib, whose 4 ms a program that only marks functions as tasks does not pay."""
    from pathlib import Path

    return Path(path)
