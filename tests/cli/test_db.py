"""`nadi db`: status, upgrade, backup, restore, copy, as a person types them."""

from __future__ import annotations

import stat
from pathlib import Path

import apsw
import pytest

from nadi.storage.home import this_holder
from nadi.storage.schema import SCHEMA_VERSION, Dialect, migration_names
from nadi.storage.sqlite import SqliteStore
from tests.cli.conftest import Nadi
from tests.postgres import server
from tests.storage.old_databases import old_database
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved


def record(home: Path, *runs: int) -> None:
    home.mkdir(exist_ok=True)
    store = SqliteStore(home / "nadi.db")
    for n in runs:
        Writer(store, f"writer-{n}").tell(flow_begun(an_id(n)), flow_moved(an_id(n), S.COMPLETED))
    store.close()


def names(nadi: Nadi) -> list[str]:
    return sorted(run["id"] for run in nadi("runs", "--json").json)


def test_the_status_of_a_home_without_a_database_says_so_and_makes_nothing(nadi: Nadi, home: Path) -> None:
    said = nadi("db", "status")

    assert said.status == 0
    assert "there is no database yet; the first run makes it" in said.out
    assert not home.exists()


def test_the_status_tells_schema_rows_and_size(nadi: Nadi, home: Path) -> None:
    record(home, 1, 2)

    said, told = nadi("db", "status"), nadi("db", "status", "--json").json

    assert f"schema    {SCHEMA_VERSION}, up to date" in said.out
    assert "flow_run 2" in said.out
    assert (told["schema"], told["program_schema"], told["pending"]) == (SCHEMA_VERSION, SCHEMA_VERSION, [])
    assert told["rows"]["flow_run"] == 2
    assert told["size_bytes"] > 0


def test_an_upgrade_tells_what_it_ran(nadi: Nadi, home: Path) -> None:
    home.mkdir()
    old_database(home / "nadi.db", 5)
    before = nadi("db", "status")

    first, second = nadi("db", "upgrade"), nadi("db", "upgrade")

    pending = ", ".join(migration_names(Dialect.SQLITE, after=5))
    assert f"pending: {pending}" in before.out
    assert f"ran {pending}." in first.out
    assert "is up to date" in second.out


def test_an_upgrade_beside_live_runs_says_whose_and_goes_on_when_told(nadi: Nadi, home: Path) -> None:
    home.mkdir()
    old_database(home / "nadi.db", 5, holder=this_holder("live").encode())

    refused = nadi("db", "upgrade")
    read = nadi("runs")
    done = nadi("db", "upgrade", "--now")

    assert (refused.status, read.status, done.status) == (3, 3, 0)
    assert "there are live runs: run-3 (process" in refused.err
    assert "nadi db upgrade --now" in read.err
    assert nadi("db", "status", "--json").json["schema"] == SCHEMA_VERSION


def test_a_database_that_accepts_no_program_as_old_as_this_one_ends_with_status_3(nadi: Nadi, home: Path) -> None:
    record(home, 1)
    connection = apsw.Connection(str(home / "nadi.db"))
    connection.execute("UPDATE meta SET schema_version = 99, oldest_writer = 98")
    connection.close()

    status, upgrade = nadi("db", "status"), nadi("db", "upgrade", "--now")

    assert (status.status, upgrade.status) == (3, 3)
    assert "schema    99, newer than this program" in status.out
    assert "Upgrade with `pip install -U nadi`" in status.err
    assert "Upgrade with `pip install -U nadi`" in upgrade.err


def test_a_backup_is_made_and_restored(nadi: Nadi, home: Path) -> None:
    record(home, 1)
    backup = nadi("db", "backup", "nadi-backup.db")
    record(home, 2)

    refused = nadi("db", "restore", "nadi-backup.db")
    restored = nadi("db", "restore", "nadi-backup.db", "--replace")

    file = Path("nadi-backup.db").absolute()
    assert backup.status == 0
    assert f"to {file}:" in backup.out
    assert f"Result files are not in the backup; they lie in {home / 'results'}." in backup.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert refused.status == 2
    assert "holds 2 flow runs. With --replace" in refused.err
    assert "The database that was there is kept as" in restored.out
    assert names(nadi) == [an_id(1)]


def test_a_backup_is_restored_into_a_home_that_is_not_there(
    nadi: Nadi, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record(home, 1)
    nadi("db", "backup", "nadi-backup.db")
    monkeypatch.setenv("NADI_HOME", str(tmp_path / "other"))

    restored = nadi("db", "restore", "nadi-backup.db")

    assert restored.status == 0
    assert names(nadi) == [an_id(1)]
    assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o700


def test_what_cannot_be_backed_up_is_told_in_one_sentence(nadi: Nadi, home: Path) -> None:
    nothing = nadi("db", "backup", "nadi-backup.db")
    record(home, 1)
    nowhere = nadi("db", "backup", "no/such/folder/backup.db")
    onto_itself = nadi("db", "backup", str(home / "nadi.db"))

    assert (nothing.status, nowhere.status, onto_itself.status) == (3, 2, 2)
    assert "and so nothing to back up" in nothing.err
    assert "The folder" in nowhere.err
    assert "is there already" in onto_itself.err
    assert names(nadi) == [an_id(1)]


@pytest.mark.parametrize("command", [("status",), ("upgrade",), ("backup", "x.db"), ("restore", "x.db")])
def test_a_store_without_a_database_is_told_so(
    nadi: Nadi, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NADI_DATABASE_URL", "memory://")

    said = nadi("db", *command)

    assert said.status == 2
    assert "keeps no database" in said.err


def test_the_database_of_a_far_server_is_looked_after_there(nadi: Nadi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NADI_API_URL", "http://someone:secret@nadi.example.com")

    said = nadi("db", "status")

    assert said.status == 2
    assert "Runs are recorded by the server http://nadi.example.com, which keeps the database." in said.err


def test_a_home_grows_up_to_postgresql(nadi: Nadi, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    record(home, 1, 2)
    url = server().empty(tmp_path)

    copied = nadi("db", "copy", str(home / "nadi.db"), url)
    again = nadi("db", "copy", str(home / "nadi.db"), url)
    monkeypatch.setenv("NADI_DATABASE_URL", url)
    status = nadi("db", "status", "--json")
    backup = nadi("db", "backup", "nadi.dump")
    restored = nadi("db", "restore", "nadi.dump", "--replace")

    assert (copied.status, again.status, backup.status, restored.status) == (0, 2, 0, 0)
    assert "Result files are not copied" in copied.out
    assert "has been copied" in again.err
    assert status.json["rows"]["flow_run"] == 2
    assert "Restored" in restored.out
    assert "2 flow runs" in restored.out
    assert names(nadi) == [an_id(1), an_id(2)]
    assert "secret" not in copied.out + again.err + status.out + backup.out + restored.out
