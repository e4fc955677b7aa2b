"""What was wrong, in one sentence and with the right status, and never a traceback of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Nadi
from tests.journeys.places import Place
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved

FLOW = """
from nadi import flow

@flow
def report(day: str, rows: int = 10): return rows
"""

FILES = {
    "good.py": FLOW,
    "two.py": FLOW + FLOW.replace("report", "other"),
    "broken.py": "def f(:\n",
    "raising.py": "import nadi\n1 / 0\n",
    "empty.py": "x = 1\n",
}

WRONG = [
    ("", "Usage: nadi", 2),
    ("rnus", "There is no command 'rnus'. Did you mean 'runs'?", 2),
    ("run", "Missing argument 'FLOW'.", 2),
    ("run nofile.py", "There is no file nofile.py", 2),
    ("run godo.py", "Did you mean 'good.py'?", 2),
    ("run no.such.module:f", "There is no module 'no'", 2),
    ("run broken.py", "syntax error in", 2),
    ("run raising.py", "ZeroDivisionError at", 2),
    ("run empty.py", "empty.py has no flow.", 2),
    ("run two.py", "two.py has 2 flows: report, other.", 2),
    ("run good.py:reprot", "Did you mean 'report'?", 2),
    ("run good.py", "report() is missing 'day'", 2),
    ("run good.py -p day=1 -p row=2", "report() has no parameter 'row'", 2),
    ("run good.py -p day=1 -p rows=many", "rows: expected", 2),
    ("run good.py -p day", "'day' is not name=value", 2),
    ("run good.py -p day=1 -p day=2", "day is given twice", 2),
    ("run good.py --executor nowhere", "'nowhere' is not one of", 2),
    ("run good.py --nam x", "No such option '--nam'", 2),
    ("show", "Missing argument 'RUN'.", 2),
    ("show nobody", "No run matches 'nobody'", 2),
    ("logs done-deed --level loud", "'loud' is not one of", 2),
    ("logs done-deed --task nothing", "run done-deed has no task 'nothing'", 2),
    ("runs --since yesterday", "'yesterday' is no length of time", 2),
    ("runs --state broken", "'broken' is not one of", 2),
    ("runs --limit 0", "0 is not in the range", 2),
    ("resume nobody", "No run matches 'nobody'", 2),
    ("resume done-deed", "finished as Completed", 2),
    ("cancel done-deed", "finished as Completed", 2),
    ("graph nobody", "No run matches 'nobody'", 2),
    ("graph good.py:nothing", "good.py has no flow 'nothing'", 2),
    ("graph done-deed -o no/such/folder.svg", "cannot be written", 2),
    ("check nowhere", "'nowhere' does not exist", 2),
    ("show \udcff", "is not UTF-8 text", 2),
    ("run good.py --name \udcff", "is not UTF-8 text", 2),
    ("run \udcff.py", "There is no file", 2),
    ("completion tcsh", "'tcsh' is not one of", 2),
]


@pytest.fixture
def files(home: Path, writer: Writer, loads: None) -> None:
    for name, text in FILES.items():
        Path(name).write_text(text)
    writer.tell(flow_begun(an_id(1), name="done-deed"), flow_moved(an_id(1), S.COMPLETED))


@pytest.mark.parametrize(("call", "sentence", "status"), WRONG)
def test_a_wrong_call_gets_its_sentence_and_status(
    nadi: Nadi, files: None, call: str, sentence: str, status: int
) -> None:
    said = nadi(*call.split())

    assert sentence in said.err + (said.out if not call else "")
    assert said.status == status
    assert "nadi/cli" not in said.err
    assert "nadi/engine" not in said.err
    assert said.out == "" or not call


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("NADI_DATABASE_URL", "mysql://me:hush@host/db", "There is no store for the database URL 'mysql://host/db'"),
        ("NADI_WAIT_FOR_STORE", "long", "the environment variable NADI_WAIT_FOR_STORE sets wait_for_store to 'long'"),
        ("NADI_LOG_LEVEL", "loud", "log_level"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    nadi: Nadi, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)

    said = nadi("runs")

    assert said.status == 2
    assert sentence in said.err
    assert "hush" not in said.err


def test_code_that_raises_while_it_is_loaded_is_shown_with_the_users_frames_only(place: Place) -> None:
    place.script("import nadi\n\ndef helper():\n    return [][1]\n\nhelper()\n", "raising.py")

    told = place.run("-m", "nadi", "run", "raising.py")

    assert told.returncode == 2
    assert "return [][1]" in told.stderr
    assert "nadi/engine" not in told.stderr
    assert told.stderr.splitlines()[-1].startswith("Error: raising.py could not be loaded: IndexError at")


def test_a_run_goes_on_without_a_store_and_says_where_its_records_are(place: Place) -> None:
    place.script("from nadi import flow\n\n@flow\ndef f(): return 1\n")
    place.home.mkdir()
    (place.home / "nadi.db").write_text("this is no database, whatever its name says")

    told = place.run("-m", "nadi", "run", "pipeline.py", "--wait-for-store", "0")
    asked = place.run("-m", "nadi", "runs")

    assert told.returncode == 0
    assert "Completed" in told.stdout
    assert "are not in the store yet" in told.stderr.splitlines()[-1]
    assert asked.returncode == 3
