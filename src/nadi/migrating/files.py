"""Rewriting files and folders: what would change is shown first, and a file is written whole or not at all."""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nadi.engine.checking import python_files
from nadi.exceptions import CallError


@dataclass(frozen=True)
class Left:
    """Something in a file that was left for a person."""

    line: int
    message: str


@dataclass
class Migrated:
    """What became, or would become, of one file."""

    path: Path
    before: bytes = b""
    after: bytes = b""
    left: list[Left] = field(default_factory=list)
    #: The same with the lines of the file as it is once written.
    left_after: list[Left] = field(default_factory=list)
    #: Why the file was not looked at; "" when it was.
    skipped: str = ""

    @property
    def changes(self) -> bool:
        """Whether it is to be written."""
        return self.before != self.after

    def diff(self) -> str:
        """Return the changes as a unified diff."""
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in difflib.unified_diff(
                _lines(self.before), _lines(self.after), f"a/{self.path}", f"b/{self.path}"
            )
        )

    def write(self) -> None:
        """Put the rewritten file in the place of the old one, at once and with its mode.

        Raises:
            OSError: it cannot be written; the file is as it was.
        """
        place = self.path.resolve()  # a link stays a link
        scratch = place.with_name(f".{place.name}.{os.getpid()}.nadi")
        mode = place.stat().st_mode & 0o7777
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self.after)
                os.chmod(scratch, mode)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, place)
        except BaseException:
            os.unlink(scratch)
            raise


def migrate(path: Path) -> Iterator[Migrated]:
    """Yield what is to become of each Python file that speaks of Prefect: of one file, or below a folder.

    Nothing is written. Hidden folders and environments are passed over.

    Raises:
        CallError: libcst is not installed.
    """
    rewriting = _rewriting()
    for file in python_files(path):
        migrated = _migrated(file, rewriting)
        if migrated.changes or migrated.left or migrated.skipped:
            yield migrated


def _migrated(file: Path, rewriting: Any) -> Migrated:
    try:
        before = file.read_bytes()
    except OSError as error:
        return Migrated(file, skipped=f"It cannot be read: {error.strerror}.")
    if b"prefect" not in before:
        return Migrated(file)
    if file.suffix == ".ipynb":
        return Migrated(
            file, skipped="It is a notebook: save it as a Python file (jupyter nbconvert --to script) first."
        )
    try:
        rewritten = rewriting.rewrite(before)
    except SyntaxError as error:
        return Migrated(file, skipped=f"It cannot be read as Python: {str(error).rstrip('.')}.")
    except RecursionError:
        return Migrated(file, skipped="Its expressions are nested too deep to be read.")
    left = [Left(note.line, note.message) for note in rewritten.notes]
    migrated = Migrated(file, before, rewritten.code, left)
    if left:
        found_again = [Left(note.line, note.message) for note in rewriting.rewrite(rewritten.code).notes]
        migrated.left_after = sorted(_moved(migrated, found_again), key=lambda one: one.line)
    return migrated


def _moved(migrated: Migrated, found_again: list[Left]) -> Iterator[Left]:
    """What is left, each with its line in the rewritten file: where it is found again, else where its line went."""
    matcher = difflib.SequenceMatcher(None, _lines(migrated.before), _lines(migrated.after), autojunk=False)
    went = {
        old: new + min(old - start, max(0, end - new - 1))
        for _, start, stop, new, end in matcher.get_opcodes()
        for old in range(start, stop)
    }
    for left in migrated.left:
        again = next((one for one in found_again if one.message == left.message), None)
        if again is not None:
            found_again.remove(again)
        yield again or Left(went.get(left.line - 1, left.line - 1) + 1, left.message)


def _rewriting() -> Any:
    # The one place where libcst is loaded: it belongs to an extra.
    try:
        return importlib.import_module("nadi.migrating.rewriting")
    except ModuleNotFoundError as error:
        if error.name != "libcst":
            raise
        raise CallError(
            "`nadi migrate` needs libcst, which is not installed. Install it with: pip install 'nadi[migrate]'"
        ) from None


def _lines(code: bytes) -> list[str]:
    return code.decode("utf-8", "replace").splitlines(keepends=True)
