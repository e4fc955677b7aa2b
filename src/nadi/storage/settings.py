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
from nadi.storage.leasing import SHORTEST_TERM, TERM

if TYPE_CHECKING:
    from pathlib import Path


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set from outside; each is described in docs/reference/settings.md."""

    home: str = "~/.nadi"
    #: "" for the SQLite database in the home.
    database_url: str = ""
    #: A Nadi server to record at and to ask, in place of a database; "" for none.
    api_url: str = ""
    #: Key for that server; "" takes the token of this home where the server is on this machine.
    api_key: str = ""
    #: "" for the results folder in the home.
    results_url: str = ""
    #: Seconds that a run waits at its end for a store that is away.
    wait_for_store: float = 10.0
    #: Bytes that the journal of a process may hold undelivered; then appending waits for the store.
    journal_limit: int = JOURNAL_LIMIT
    #: Seconds of silence after which other machines may take this process for gone.
    lease_term: float = TERM
    #: Log lines below this level are neither shown nor recorded.
    log_level: str = "INFO"
    #: Names of standard loggers whose records become log lines of the run, separated by commas.
    extra_loggers: str = ""
    #: Whether log lines of runs are also written to standard error.
    log_to_console: bool = True
    #: How log lines look there: text, or json for one object a line.
    log_format: str = "text"
    #: Whether flows and tasks make OpenTelemetry spans.
    traces: bool = False

    @property
    def store_url(self) -> str:
        """Where runs are recorded: a server before a database; "" for the database in the home."""
        return self.api_url or self.database_url

    def __repr__(self) -> str:
        told = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name != "api_key")
        return f"Settings({', '.join(told)})"


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
    if environ.get(VARIABLES["database_url"]) and not environ.get(VARIABLES["api_url"]):
        found.pop("api_url", None)  # the environment comes first, also where it names a database and a file a server
    for name, value in found.items():
        if name not in VARIABLES:
            known = ", ".join(sorted(VARIABLES))
            raise SettingError(f"{origin[name]} sets {name!r}, which is no setting of Nadi. Known are: {known}.")
        try:
            kind = type(getattr(Settings(), name))
            found[name] = msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError as error:
            told = "something" if name == "api_key" else repr(value)
            raise SettingError(f"{origin[name]} sets {name} to {told}, which cannot be used: {error}.") from None
    settings = msgspec.convert(found, Settings)
    if not settings.lease_term >= SHORTEST_TERM:
        told = f"{settings.lease_term!r}; expected {SHORTEST_TERM:g} or more"
        raise SettingError(f"{origin['lease_term']} sets lease_term to {told}.")
    if settings.log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        raise SettingError(
            f"{origin['log_level']} sets log_level to {settings.log_level!r};"
            " expected DEBUG, INFO, WARNING, ERROR or CRITICAL."
        )
    if settings.log_format not in ("text", "json"):
        raise SettingError(f"{origin['log_format']} sets log_format to {settings.log_format!r}; expected text or json.")
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
    # Deployments stand there too; they are no settings.
    settings = {key: value for key, value in table.items() if key not in ("deployments", "defaults")}
    return {str(key).replace("-", "_"): value for key, value in settings.items()}
