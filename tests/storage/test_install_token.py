"""The token of a home: made once, readable by its user alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nadi.exceptions import StoreUnavailable
from nadi.storage.home import Home
from nadi.storage.install_token import PREFIX, ensure_install_token, read_install_token


def test_the_first_start_makes_a_token_that_the_next_one_finds(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert read_install_token(home) == ""

    made = ensure_install_token(home)

    assert made.startswith(PREFIX)
    assert len(made) == len(PREFIX) + 52
    assert ensure_install_token(home) == read_install_token(home) == made


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_only_its_user_may_read_the_token(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    ensure_install_token(home)
    assert stat.S_IMODE(home.token.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700

    home.token.chmod(0o644)
    ensure_install_token(home)

    assert stat.S_IMODE(home.token.stat().st_mode) == 0o600


def test_two_homes_have_two_tokens(tmp_path: Path) -> None:
    assert ensure_install_token(Home(tmp_path / "a")) != ensure_install_token(Home(tmp_path / "b"))


def test_servers_that_start_at_once_agree_and_leave_nothing_beside(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from nadi.storage.home import Home\n"
        "from nadi.storage.install_token import ensure_install_token\n"
        "sys.stdin.readline()\n"
        "print(ensure_install_token(Home(sys.argv[1])))\n"
    )
    home = tmp_path / "home"
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]

    for process in starting:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = {process.communicate()[0].strip() for process in starting}

    assert told == {read_install_token(Home(home))}
    assert [path.name for path in home.iterdir()] == ["token"]


def test_a_file_that_is_no_token_is_told_and_never_taken(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.token.write_text("")

    with pytest.raises(StoreUnavailable, match="Remove it"):
        ensure_install_token(home)
