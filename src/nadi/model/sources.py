"""What a run records about the code it runs and the place where it runs."""

from __future__ import annotations

import msgspec


class RunSource(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Code and environment of a run, as far as they are needed to load it again or to explain a difference."""

    #: `path/to/file.py:flow` or `package.module:flow`; None where the flow cannot be loaded again.
    entrypoint: str | None = None
    #: Why there is no entrypoint, as one sentence; empty when there is one.
    not_loadable: str = ""
    working_folder: str = ""
    sys_path: tuple[str, ...] = ()
    #: Path of the Python executable.
    interpreter: str = ""
    python_version: str = ""
    host: str = ""
    command_line: tuple[str, ...] = ()
    #: File that defines the flow; None in a notebook or `python -c`.
    source_file: str | None = None
    #: Text of that file when the run started, at most the first MiB.
    source: str | None = None
    #: True when the file is longer than `source`.
    source_cut: bool = False
    #: Commit that the file's git working tree is at; None outside of git.
    git_commit: str | None = None
    #: True when the working tree differs from that commit; None when this was not found out.
    git_dirty: bool | None = None
    #: Installed distributions and their versions, by name; empty until looked up.
    packages: dict[str, str] = {}
