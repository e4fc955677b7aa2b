"""From a URL to a store, and where the default database goes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from nadi.exceptions import SettingError, StoreUnavailable
from nadi.storage.filesystems import network_filesystem, read_mountinfo
from nadi.storage.memory import MemoryStore
from nadi.storage.opening import default_database, open_store

MOUNTS = r"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
31 30 254:1 / /home/local rw,relatime - xfs /dev/vdb rw
32 22 0:30 / /mnt/my\040share rw - cifs //server/share rw
33 22 0:31 / /mnt/over rw - fuse.sshfs me@host: rw
34 22 0:32 / /mnt/over rw - tmpfs tmpfs rw
35 22 0:33 / /data/a rw master:1 propagate_from:2 - lustre mgs:/x rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/nadi", None),
        ("/home", "nfs4"),
        ("/home/ann/.nadi/nadi.db", "nfs4"),
        ("/home/local/ann", None),
        ("/homes/ann", None),
        ("/mnt/my share/runs", "cifs"),
        ("/mnt/over/x", None),
        ("/data/a/b", "lustre"),
    ],
)
def test_a_network_file_system_is_recognised_by_the_deepest_and_latest_mount(path: str, kind: str | None) -> None:
    assert network_filesystem(path, MOUNTS) == kind


def test_where_nothing_is_told_nothing_is_recognised() -> None:
    assert network_filesystem("/home/ann", "") is None


def test_the_mounts_of_this_machine_can_be_read() -> None:
    assert network_filesystem("/proc/self", read_mountinfo()) is None


def test_the_default_database_lies_in_the_home(tmp_path: Path) -> None:
    place = default_database(tmp_path, mountinfo="", environ={})

    assert place == (tmp_path / "nadi.db", "")


def test_a_home_on_the_network_has_its_database_on_this_machine_and_says_where() -> None:
    place = default_database("/home/ann/.nadi", mountinfo=MOUNTS, environ={"HOME": "/home/local/ann"})

    assert str(place.path).startswith("/home/local/ann/.local/state/nadi/nadi-")
    assert place.path.name == "nadi.db"
    assert "/home/ann/.nadi is on a network file system (nfs4)" in place.notice
    assert str(place.path) in place.notice
    assert "PostgreSQL" in place.notice
    assert "server" in place.notice


def test_two_homes_on_the_network_have_two_databases() -> None:
    environ = {"XDG_STATE_HOME": "/home/local/state"}

    ann = default_database("/home/ann/.nadi", mountinfo=MOUNTS, environ=environ)
    bob = default_database("/home/bob/.nadi", mountinfo=MOUNTS, environ=environ)

    assert ann.path != bob.path
    assert str(ann.path).startswith("/home/local/state/nadi/")


def test_where_all_of_the_users_folders_are_on_the_network_the_temporary_folder_serves() -> None:
    place = default_database("/home/ann/.nadi", mountinfo=MOUNTS, environ={"HOME": "/home/ann"})

    assert not str(place.path).startswith("/home/ann")


def test_memory_is_a_new_store_each_time(tmp_path: Path) -> None:
    one, two = open_store("memory://", home=tmp_path), open_store("memory://", home=tmp_path)

    assert isinstance(one, MemoryStore)
    assert one.id != two.id


def test_no_url_is_the_database_of_the_home_and_the_home_is_made_for_this_user_only(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"

    store = open_store("", home=home)

    store.close()
    assert store.url == f"sqlite:///{home / 'nadi.db'}"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "nadi.db").stat().st_mode) == 0o600


def test_three_slashes_lead_from_the_working_folder_and_four_from_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    relative, absolute = (
        open_store("sqlite:///runs.db", home="x"),
        open_store(f"sqlite:///{tmp_path}/runs.db", home="x"),
    )

    relative.close()
    absolute.close()
    assert relative.id == absolute.id
    assert (tmp_path / "runs.db").exists()


def test_the_folder_of_a_named_database_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"folder of the database .* does not exist"):
        open_store(f"sqlite:///{tmp_path}/missing/runs.db", home=tmp_path)


@pytest.mark.parametrize(
    "url", ["mysql://ann:secret@host/db", "runs.db", "sqlite://", "sqlite:///", "sqlite://runs.db"]
)
def test_another_url_is_an_error_that_names_what_is_supported_and_no_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError) as raised:
        open_store(url, home=tmp_path)

    assert "sqlite:///" in str(raised.value)
    assert "memory://" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreUnavailable, match="NADI_HOME"):
        open_store("", home=tmp_path / "file" / "home")
