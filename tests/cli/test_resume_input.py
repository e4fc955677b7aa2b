"""`nadi resume --input`, and what the other commands say of a paused run."""

from __future__ import annotations

import json

import pytest

from nadi.model.runs import RunFilter
from nadi.model.states import StateType
from tests.cli.conftest import Nadi
from tests.journeys.places import DID, Place, until

FLOWS = (
    DID
    + """
from datetime import date
from nadi import pause_flow_run, suspend_flow_run
from nadi.input import RunInput

class Approval(RunInput):
    \"\"\"Ship the release?\"\"\"
    approved: bool
    when: date
    places: list[str] = ["all"]
    again: bool = False

@task
def step(label):
    did(label)
    return label

@flow
def asks():
    step("before")
    answer = suspend_flow_run(wait_for_input=Approval, timeout=7200)
    return f"{answer.approved} {answer.when:%d.%m.} {step(','.join(answer.places))}"

@flow
def asks_at_length():
    return suspend_flow_run(Approval.with_initial_data(description="Ship it?\\nReally?"))

@flow
def counts():
    return suspend_flow_run(wait_for_input=int) + 1

@flow
def may_be_none():
    did(repr(suspend_flow_run(wait_for_input=int | None)))

@flow
def only_waits():
    suspend_flow_run()
    return "went on"

@flow
def blocks():
    return pause_flow_run(wait_for_input=int, timeout=None) + 1
"""
)


@pytest.fixture(autouse=True)
def flows(home: object, place: Place) -> None:
    place.script(FLOWS, "flows.py")


def suspended(place: Place, name: str) -> str:
    done = place.run("-m", "nadi", "run", f"flows.py:{name}")
    assert done.returncode == 0, done.stderr
    assert "Suspended" in done.stdout
    return place.newest().name


def test_a_suspended_run_tells_what_it_wants_when_it_gets_no_input(place: Place, nadi: Nadi) -> None:
    name = suspended(place, "asks")

    said = nadi("resume", name)

    assert said.status == 2
    assert said.err.splitlines() == [
        f"{name} waits for input.",
        "  Ship the release?",
        "  approved  true or false (bool)",
        "  when      a date (date or ISO 8601 text)",
        "  places    a list (list[str]) (may be left out)",
        "  again     true or false (bool) (default false)",
        f"Answer with: nadi resume {name} --input approved=... --input when=...",
    ]
    assert place.newest().state_type is StateType.PAUSED


def test_each_line_of_a_question_is_shown_as_one(place: Place, nadi: Nadi) -> None:
    name = suspended(place, "asks_at_length")

    said = nadi("resume", name)

    assert said.err.splitlines()[1:3] == ["  Ship it?", "  Really?"]


def test_an_input_from_the_command_line_is_read_by_the_type_that_is_asked_for(place: Place) -> None:
    name = suspended(place, "asks")

    done = place.run("-m", "nadi", "resume", name, "-i", "approved=yes", "-i", "when=2030-02-01", "-i", 'places=["x"]')

    assert done.returncode == 0, done.stderr
    assert place.did() == ["before", "x"]
    assert place.newest().state_type is StateType.COMPLETED


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--input", "approved=perhaps", "--input", "when=2030-01-01"], "approved: expected true or false (bool)"),
        (
            ["--input", "approved=yes", "--input", "when=soon"],
            "when: expected a date (date or ISO 8601 text), got 'soon'.",
        ),
        (["--input", "approved=yes"], "expected the field 'when', got only 'approved'. The run stays paused."),
        (
            ["--input", "aproved=yes"],
            "Pause 1 asks for nothing called 'aproved'. It asks for: approved, when, places, again.",
        ),
        (["--input", "approved"], "'approved' is not name=value"),
        (["--input-json", "{"], "it is not JSON"),
        (["--input-json", "7"], "expected a dict of the fields of Approval, got 7. The run stays paused."),
        (["--input", "approved=yes", "--input-json", "{}"], "Give --input or --input-json, not both."),
    ],
)
def test_a_wrong_input_is_one_sentence_and_the_run_stays_paused(
    place: Place, nadi: Nadi, options: list[str], sentence: str
) -> None:
    name = suspended(place, "asks")

    said = nadi("resume", name, *options)

    assert said.status == 2
    assert sentence in said.err
    assert (place.newest().state_type, place.newest().token) == (StateType.PAUSED, 1)


def test_a_plain_value_is_given_by_name_or_as_json(place: Place) -> None:
    first = suspended(place, "counts")
    second = suspended(place, "counts")

    by_name = place.run("-m", "nadi", "resume", first, "--input", "value=4")
    as_json = place.run("-m", "nadi", "resume", second, "--input-json", "4")

    assert (by_name.returncode, as_json.returncode) == (0, 0), by_name.stderr + as_json.stderr


def test_null_is_an_answer_where_it_is_asked_for(place: Place) -> None:
    name = suspended(place, "may_be_none")

    done = place.run("-m", "nadi", "resume", name, "--input-json", "null")

    assert done.returncode == 0, done.stderr
    assert place.did() == ["None"]


def test_a_run_that_waits_for_no_input_is_simply_resumed(place: Place, nadi: Nadi) -> None:
    name = suspended(place, "only_waits")

    refused = nadi("resume", name, "--input", "a=1")
    done = place.run("-m", "nadi", "resume", name)

    assert (refused.status, "asks for no input" in refused.err) == (2, True)
    assert done.returncode == 0, done.stderr


def test_a_blocked_run_is_answered_and_goes_on_in_its_own_process(place: Place, nadi: Nadi) -> None:
    process = place.start("-m", "nadi", "run", "flows.py:blocks", "--json")
    until(lambda: (place.home / "nadi.db").exists() and bool(_paused(place)))

    unasked = nadi("resume", _paused(place))
    said = nadi("resume", _paused(place), "--input", "value=41")
    out, err = process.communicate(timeout=30)

    assert (unasked.status, "waits for input" in unasked.err) == (2, True)
    assert (said.status, "goes on in its own process" in said.out) == (0, True)
    assert process.returncode == 0, err
    assert json.loads(out)["state"] == "COMPLETED"


def _paused(place: Place) -> str:
    store = place.store()
    try:
        found = store.flow_runs(RunFilter(states=(StateType.PAUSED,)), limit=1)
        return found[0].name if found else ""
    finally:
        store.close()


def test_why_says_what_a_suspended_run_waits_for_until_when_and_how_to_answer(place: Place, nadi: Nadi) -> None:
    name = suspended(place, "asks")

    said = nadi("why", name)

    assert "It has been paused for" in said.out
    assert "No process has it: it is suspended." in said.out
    assert "Pause 1 waits for input (approved: true or false (bool), when: a date" in said.out
    assert "for 2 h more." in said.out or "for 1 h 59 min" in said.out
    assert f"Answer it with: nadi resume {name} --input approved=... --input when=..." in said.out


def test_why_says_when_a_suspended_run_was_answered_and_is_ready(place: Place, nadi: Nadi) -> None:
    name = suspended(place, "counts")
    place.run("-c", f"import nadi; nadi.resume_flow_run({name!r}, 4)")

    said = nadi("why", name)

    assert "Pause 1 was answered" in said.out
    assert "it is ready to go on" in said.out
    assert f"nadi resume {name} continues it" in said.out


def test_an_answer_to_a_run_that_was_answered_and_not_continued_says_so(place: Place, nadi: Nadi) -> None:
    name = suspended(place, "counts")
    place.run("-c", f"import nadi; nadi.resume_flow_run({name!r}, 4)")

    said = nadi("resume", name, "--input", "value=5")

    assert said.status == 2
    assert f"Pause 1 of run {name} has been answered already by" in said.err
    assert "Continue the run without an input." in said.err


def test_lists_and_details_show_a_suspended_run_as_such(place: Place, nadi: Nadi) -> None:
    name = suspended(place, "counts")

    listed, shown = nadi("runs"), nadi("show", name)

    assert "Suspended" in listed.out
    assert "It waits for input (value)." in shown.out
    assert f"nadi why {name}" in shown.out


def test_a_cancel_of_a_suspended_run_works_at_once(place: Place, nadi: Nadi) -> None:
    name = suspended(place, "counts")

    said = nadi("cancel", name)

    assert said.status == 0
    assert place.newest().state_type is StateType.CANCELLED
