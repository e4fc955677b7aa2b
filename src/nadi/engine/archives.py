"""Archives of code: downloaded with their digest, and unpacked so that nothing gets out of its folder."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from nadi.exceptions import LoadError
from nadi.model.text import human_bytes, one_line

if TYPE_CHECKING:
    from typing import IO

#: Bytes of an archive at most, of what is in it, and how many files.
MOST_BYTES = 2 << 30
MOST_UNPACKED = 8 << 30
MOST_FILES = 200_000
#: Seconds without a byte after which a download is given up.
PATIENCE = 60.0


def download(url: str, file: Path) -> str:
    """Copy what is at a URL into a file and return its SHA-256, in hexadecimal.

    Raises:
        LoadError: it is not there, or too large.
    """
    from urllib.error import URLError
    from urllib.request import urlopen  # 30 ms, and only needed for archives

    digest, size = hashlib.sha256(), 0
    try:
        with urlopen(url, timeout=PATIENCE) as source, open(file, "wb") as target:  # the caller checks the scheme
            while piece := source.read(1 << 20):
                size += len(piece)
                if size > MOST_BYTES:
                    raise LoadError(f"The archive {url} has more than {human_bytes(MOST_BYTES)}.")
                digest.update(piece)
                target.write(piece)
    except URLError as error:
        raise LoadError(f"The archive {url} cannot be fetched: {one_line(str(error.reason), 300)}.") from None
    except (OSError, ValueError) as error:
        raise LoadError(f"The archive {url} cannot be fetched: {one_line(str(error), 300)}.") from None
    return digest.hexdigest()


def unpack(file: Path, folder: Path, shown: str) -> None:
    """Unpack an archive into an empty folder. Links, devices and names that lead out of it are refused.

    Raises:
        LoadError: it is no archive, or holds what it may not.
    """
    try:
        if zipfile.is_zipfile(file):
            _unpack_zip(file, folder, shown)
        else:
            _unpack_tar(file, folder, shown)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        told = one_line(str(error), 300) or type(error).__name__
        raise LoadError(f"The archive {shown} cannot be unpacked: {told.rstrip('.')}.") from None


def _unpack_tar(file: Path, folder: Path, shown: str) -> None:
    with tarfile.open(file) as archive:
        room = _Room(shown)
        # One by one, so that a file of endless zeros is noticed before it fills the disk.
        for member in archive:
            room.take(member.size)
            if member.isdir():
                _target(folder, member.name, shown).mkdir(parents=True, exist_ok=True)
            elif member.isfile():
                content = archive.extractfile(member)
                assert content is not None
                with content:
                    _write(content, _target(folder, member.name, shown), executable=bool(member.mode & 0o100))
            else:
                raise LoadError(f"The archive {shown} holds {member.name!r}, which is neither a file nor a folder.")


def _unpack_zip(file: Path, folder: Path, shown: str) -> None:
    with zipfile.ZipFile(file) as archive:
        room = _Room(shown)
        for member in archive.infolist():
            room.take(member.file_size)
            mode = member.external_attr >> 16
            target = _target(folder, member.filename, shown)
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            elif mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise LoadError(f"The archive {shown} holds {member.filename!r}, which is neither a file nor a folder.")
            else:
                with archive.open(member) as content:
                    _write(content, target, executable=bool(mode & 0o100))


class _Room:
    """Counts what is unpacked."""

    def __init__(self, shown: str) -> None:
        self._shown, self._files, self._bytes = shown, 0, 0

    def take(self, size: int) -> None:
        self._files += 1
        self._bytes += size
        if self._files > MOST_FILES or self._bytes > MOST_UNPACKED:
            raise LoadError(
                f"The archive {self._shown} holds more than {MOST_FILES:,} files or {human_bytes(MOST_UNPACKED)}."
            )


def _target(folder: Path, name: str, shown: str) -> Path:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
        raise LoadError(f"The archive {shown} holds {name!r}, which leads out of its folder.")
    return folder.joinpath(*parts)


def _write(content: IO[bytes], target: Path, *, executable: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # No file is written twice, so that none is written through another one.
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755 if executable else 0o644)
    with open(descriptor, "wb") as out:
        while piece := content.read(1 << 20):
            out.write(piece)
