"""`nadi check` and `nadi doctor`."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from pathlib import Path

import pytest

from nadi.engine.checking import secrets_in
from tests.cli.conftest import Nadi
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved

GOOD = """
from nadi import flow

@flow
def report(day: str, rows: int = 10): raise SystemExit("a flow was run")

report("today")
"""


def findings(nadi: Nadi, *args: str) -> list[tuple[str, int, str]]:
    told = nadi("check", "--json", *args).json
    return [(os.path.basename(one["file"]), one["line"], one["kind"]) for one in told["findings"]]


def test_check_finds_flows_and_runs_none(nadi: Nadi, loads: None) -> None:
    Path("good.py").write_text(GOOD)

    said = nadi("check")

    assert said.status == 0
    assert "report  good.py:report(day, rows)" in said.out
    assert said.out.endswith("1 file, 1 flow: nothing to complain about.\n")


def test_check_tells_file_and_line_of_what_cannot_be_loaded_and_has_status_2(nadi: Nadi, loads: None) -> None:
    Path("broken.py").write_text("import nadi\ndef f(:\n")
    Path("raising.py").write_text("import nadi\n\n1 / 0\n")
    Path("unrelated.py").write_text("1 / 0  # loads no nadi, so it is not loaded either\n")

    assert findings(nadi) == [("broken.py", 2, "load"), ("raising.py", 3, "load")]
    assert nadi("check").status == 2


def test_check_loads_a_file_of_a_package_by_its_module_name(nadi: Nadi, loads: None) -> None:
    Path("pack").mkdir()
    Path("pack/__init__.py").touch()
    Path("pack/parts.py").write_text("rows = 3\n")
    Path("pack/flows.py").write_text("from nadi import flow\nfrom .parts import rows\n\n@flow\ndef f(): return rows\n")

    assert findings(nadi) == []
    assert [one["name"] for one in nadi("check", "--json").json["flows"]] == ["f"]


def test_check_tells_of_a_flow_that_could_not_be_resumed(nadi: Nadi, loads: None) -> None:
    Path("inner.py").write_text(
        "from nadi import flow\n\ndef make():\n    @flow\n    def f(): ...\n    return [f]\n\nx = make()\n"
    )
    Path("outer.py").write_text("from nadi import flow\n\nclass A:\n    @flow\n    def f(self): ...\n")

    assert findings(nadi) == []


def test_check_does_not_wait_for_a_pipe(nadi: Nadi, loads: None) -> None:
    os.mkfifo("pipe.py")

    said = nadi("check")

    assert (said.status, said.out) == (0, "0 files, 0 flows: nothing to complain about.\n")


def test_check_leaves_environments_and_hidden_folders_alone(nadi: Nadi, loads: None) -> None:
    for folder in ("my-env/lib", ".hidden", "__pycache__"):
        Path(folder).mkdir(parents=True)
        Path(folder, "bad.py").write_text("def f(:\n")
    Path("my-env/pyvenv.cfg").touch()

    assert findings(nadi) == []


@pytest.mark.parametrize(
    "code",
    [
        'password = "correct-horse-battery"',
        'connect(api_key="0123456789abcdef")',
        'settings = {"db_password": "hunter2hunter2"}',
        'os.environ["AUTH_TOKEN"] = "abcdefgh12345678"',
        'def f(secret="abcdefgh12345678"): ...',
        'key = "AKIAABCDEFGHIJKLMNOP"',
        'url = "postgresql://me:hunter22@host/db"',
        'x = """-----BEGIN RSA PRIVATE KEY-----"""',
    ],
)
def test_what_looks_like_a_secret_in_code_is_found_and_not_repeated(code: str) -> None:
    [found] = secrets_in(ast.parse(code), "flow.py")

    assert (found.kind, found.line) == ("secret", 1)
    assert not any(value in found.message for value in ("hunter2", "battery", "abcdef", "AKIAA"))


@pytest.mark.parametrize(
    "code",
    [
        'password = os.environ["PASSWORD"]',
        'password = ""',
        'password = "changeme-please"',
        'token = "<your token here>"',
        'secret = "short"',
        'api_key: str = "${API_KEY}"',
        'tokens_seen = "12345678abcdef"',
        'password_prompt = "Type your password, please"',
        'url = "postgresql://localhost/db"',
    ],
)
def test_what_only_stands_for_a_secret_is_let_pass(code: str) -> None:
    assert list(secrets_in(ast.parse(code), "flow.py")) == []


def test_doctor_makes_nothing_and_says_where_runs_will_be_kept(nadi: Nadi, home: Path) -> None:
    said = nadi("doctor")

    assert said.status == 0
    assert f"{home}, made by the first run" in said.out
    assert not home.exists()


def test_doctor_counts_what_the_store_has(nadi: Nadi, writer: Writer) -> None:
    writer.tell(flow_begun(an_id(1)), flow_moved(an_id(1), S.COMPLETED))

    signs = {sign["what"]: sign for sign in nadi("doctor", "--json").json}

    assert signs["store"]["health"] == "ok"
    assert "1 flow run, 0 task runs" in signs["store"]["told"]


def test_doctor_tells_which_extras_of_the_package_are_installed(nadi: Nadi) -> None:
    package = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    libraries = [one for several in package["optional-dependencies"].values() for one in several]

    signs = {sign["what"]: sign["told"] for sign in nadi("doctor", "--json").json}

    # Their modules, by the first word of the name; the tests have all of them.
    assert {re.split(r"[^a-z]", one)[0] for one in libraries} - set(signs["extras"].split(", ")) == set()


def test_doctor_tells_of_a_home_that_cannot_be_made(nadi: Nadi, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write_text("a file where a folder should be")

    for impossible in (home / "below", home.with_name("x" * 400)):
        monkeypatch.setenv("NADI_HOME", str(impossible))
        said = nadi("doctor")

        assert said.status == 3
        assert f"{impossible} cannot be made" in said.out


def test_doctor_has_status_3_where_runs_could_not_be_recorded(nadi: Nadi, home: Path) -> None:
    home.write_text("a file where a folder should be")

    said = nadi("doctor")

    assert said.status == 3
    assert f"{home} is not a folder" in said.out


def test_doctor_tells_of_a_journal_that_a_dead_process_left(nadi: Nadi, home: Path, writer: Writer) -> None:
    left = home / "journals" / "dead"
    left.mkdir(parents=True)

    signs = [sign for sign in nadi("doctor", "--json").json if sign["what"] == "journal"]

    assert [sign["health"] for sign in signs] == ["note"]
    assert str(left) in signs[0]["told"]


def test_doctor_says_when_others_may_look_into_the_home(nadi: Nadi, home: Path, writer: Writer) -> None:
    home.chmod(0o755)

    signs = {sign["what"]: sign for sign in nadi("doctor", "--json").json}

    assert f"chmod 700 {home}" in signs["permissions"]["told"]
