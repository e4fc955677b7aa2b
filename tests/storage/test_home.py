from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from nadi.model.holders import Holder
from nadi.storage.home import Home, is_gone, process_start, this_holder


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)


def holder_of(process: subprocess.Popen[bytes]) -> Holder:
    return msgspec.structs.replace(this_holder("w"), pid=process.pid, started=process_start(process.pid))


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def test_making_the_object_touches_nothing(tmp_path: Path) -> None:
    Home(tmp_path / "home")

    assert list(tmp_path.iterdir()) == []


def test_folders_of_the_home_are_for_its_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    before = os.umask(0)
    try:
        home.ensure(home.journals / "writer")
    finally:
        os.umask(before)

    modes = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in (home.path, home.journals / "writer")}
    assert set(modes.values()) == {0o700}


def test_a_home_may_be_named_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    home = Home("~/x")

    assert home.path == tmp_path / "x"


def test_a_holder_is_read_back_from_its_text() -> None:
    holder = this_holder("writer-1")

    assert Holder.decode(holder.encode()) == holder


def test_a_living_process_is_not_gone() -> None:
    process = sleeper()

    gone = is_gone(holder_of(process), this_holder("me"))

    end(process)
    assert not gone


def test_a_process_that_ended_is_gone_also_while_nobody_has_waited_for_it() -> None:
    process = sleeper()
    holder = holder_of(process)

    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    as_zombie = is_gone(holder, this_holder("me"))
    end(process)

    assert as_zombie
    assert is_gone(holder, this_holder("me"))


def test_a_pid_that_another_process_has_now_is_not_the_holder() -> None:
    holder = msgspec.structs.replace(this_holder("w"), started=this_holder("w").started - 1)

    assert is_gone(holder, this_holder("me"))


@pytest.mark.parametrize("elsewhere", [{"boot": "another"}, {"namespace": "pid:[1]"}])
def test_nobody_is_called_dead_from_another_boot_or_pid_namespace(elsewhere: dict[str, str]) -> None:
    process = sleeper()
    holder = msgspec.structs.replace(holder_of(process), **elsewhere)
    end(process)

    assert not is_gone(holder, this_holder("me"))


@pytest.mark.parametrize("text", ["a worker of old", "w|h|²|1|b|n", "w|h|" + "9" * 5000 + "|1|b|n", ""])
def test_text_that_is_no_holder_is_never_called_dead(text: str) -> None:
    assert not is_gone(Holder.decode(text), this_holder("me"))
