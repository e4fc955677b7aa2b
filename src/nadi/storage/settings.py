"""Settings: few, each with a default that works. Environment first, then `[tool.nadi]`, then the default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from nadi.exceptions import SettingError
from nadi.storage.filesystems import as_path
from nadi.storage.home import working_folder
from nadi.storage.journal import JOURNAL_LIMIT

if TYPE_CHECKING:
    from pathlib import Path


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set from outside; each is described in docs/reference/settings.md."""

    home: str = "~/.nadi"
    #: "" for the SQLite database in the home.
    database_url: str = ""
    #: "" for the results folder in the home.
    results_url: str = ""
    #: Seconds that a run waits at its end for a store that is away.
    wait_for_store: float = 10.0
    #: Bytes that the journal of a process may hold undelivered; then appending waits for the store.
    journal_limit: int = JOURNAL_LIMIT
    #: Log lines below this level are neither shown nor recorded.
    log_level: str = "INFO"
    #: Names of standard loggers whose records become log lines of the run, separated by commas.
    extra_loggers: str = ""
    #: Whether log lines of runs are also written to standard error.
    log_to_console: bool = True


#: Name of each setting in the environment.
VARIABLES = {name: f"NADI_{name.upper()}" for name in Settings.__struct_fields__}


def read_settings(environ: Mapping[str, str] = os.environ, folder: Path | None = None) -> Settings:
    """Read the settings in force in `folder` (default: the working folder).

    Raises:
        SettingError: a value cannot be used; the sentence says which one, where it stands and what is expected.
    """
    found: dict[str, object] = dict(_from_pyproject(folder or as_path(working_folder())))
    origin = dict.fromkeys(found, "[tool.nadi] in pyproject.toml")
    for name, variable in VARIABLES.items():
        if environ.get(variable):
            found[name], origin[name] = environ[variable], f"the environment variable {variable}"
    for name, value in found.items():
        if name not in VARIABLES:
            known = ", ".join(sorted(VARIABLES))
            raise SettingError(f"{origin[name]} sets {name!r}, which is no setting of Nadi. Known are: {known}.")
        try:
            kind = type(getattr(Settings(), name))
            found[name] = msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError as error:
            raise SettingError(f"{origin[name]} sets {name} to {value!r}, which cannot be used: {error}.") from None
    settings = msgspec.convert(found, Settings)
    if settings.log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        raise SettingError(
            f"{origin['log_level']} sets log_level to {settings.log_level!r};"
            " expected DEBUG, INFO, WARNING, ERROR or CRITICAL."
        )
    return settings


def _from_pyproject(folder: Path) -> dict[str, object]:
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    if "[tool.nadi" not in text:
        return {}
    import tomllib  # only here: most folders have no settings, and the module costs 5 ms

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{folder / 'pyproject.toml'} is not valid TOML: {error}.") from None
    table = document.get("tool", {}).get("nadi", {})
    return {str(key).replace("-", "_"): value for key, value in table.items()}
