"""New files that are complete or not there: written beside under another name, flushed, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nadi.exceptions import CallError
from nadi.storage.locks import FileLock


@contextmanager
def written_beside(file: Path) -> Iterator[Path]:
    """Give the path of an empty file, mode 0600, that becomes `file` when the block ends well.

    Whoever is killed in between leaves a hidden file `.NAME.unfinished`, which the next one that writes `file` removes.

    Raises:
        CallError: `file` is there already, its folder is not, or somebody else is writing it.
    """
    file = file.absolute()
    _check_free(file)
    unfinished = file.with_name(f".{file.name}.unfinished")
    lock = FileLock(file.with_name(f".{file.name}.lock"))
    try:
        taken = lock.try_acquire() and lock.is_in_place
    except OSError as error:
        raise CallError(f"{file} cannot be written: {error.strerror}. Name a file in another folder.") from error
    try:
        if not taken:
            raise CallError(f"Another process is writing {file}. Wait for it, or name another file.")
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            yield unfinished
            flush(unfinished)
            _check_free(file)
            unfinished.rename(file)
            flush(file.parent)
        finally:
            unfinished.unlink(missing_ok=True)
    finally:
        if taken:
            lock.remove()
        else:
            lock.release()


def flush(path: Path) -> None:
    """Return when a file, or the names in a folder, are on disk."""
    if path.is_dir() and os.name != "posix":
        return  # Windows opens no folders, and keeps names by itself
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_free(file: Path) -> None:
    if os.path.lexists(file):
        raise CallError(f"{file} is there already, and no backup takes the place of a file. Name another one.")
    if not file.parent.is_dir():
        raise CallError(f"The folder {file.parent} is not there. Make it, or name a file in another folder.")
