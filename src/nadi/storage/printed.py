"""Files of the home that take what processes print: read at their end, cut where they grow too large."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from nadi.model.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

#: How much of a file is shown, and how much is left of one that is cut.
MOST_SHOWN = 16 * 1024
#: How many bytes a file may have before its beginning is cut off, so that no process fills the disk.
MOST_PRINTED = 1 << 20


def end_of(path: Path) -> str | None:
    """Return the last that a process printed; `None` when there is no such file."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MOST_SHOWN))
            text = file.read(MOST_SHOWN).decode("utf-8", "replace")
    except OSError:
        return None
    # The first line may have been cut in two.
    return text.partition("\n")[2] if size > MOST_SHOWN else text


def cut(path: Path) -> None:
    """Cut off all but the end of a file to which somebody may be writing."""
    with contextlib.suppress(OSError), open(path, "rb+") as file:
        file.seek(-MOST_SHOWN, os.SEEK_END)
        end = file.read(MOST_SHOWN)
        file.truncate(0)
        file.seek(0)
        file.write(b"What was printed before is cut off.\n" + end)


def last_line(printed: str | None) -> str:
    """Return the last line of what a process printed that is not empty, for people."""
    lines = [line for line in (printed or "").splitlines() if line.strip()]
    return one_line(lines[-1].strip(), 500) if lines else "it printed nothing."


def keep_newest(folder: Path, most: int, *, but: set[str]) -> None:
    """Remove the oldest files of a folder, so that at most so many are left.

    Args:
        folder: The folder.
        most: How many.
        but: Names of files that stay, beside those.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        found = [(entry.stat(follow_symlinks=False), entry) for entry in entries if entry.name not in but]
        files = sorted((told.st_mtime, entry.path) for told, entry in found if stat.S_ISREG(told.st_mode))
        for _, path in files[: max(0, len(files) - most)]:
            with contextlib.suppress(OSError):
                os.unlink(path)
