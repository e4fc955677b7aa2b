"""`nadi runs`, `show`, `logs`, `why` and `graph`, on runs that are in the store."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from nadi.model.runs import Request
from nadi.model.sources import RunSource
from nadi.model.states import StateType
from nadi.storage.home import this_holder
from tests.cli.conftest import Nadi
from tests.storage.telling import (
    T0,
    S,
    Writer,
    a_call,
    an_id,
    artifact_made,
    flow_begun,
    flow_moved,
    log_line,
    metric_logged,
    task_begun,
    task_moved,
)

READING = ["runs", "show brisk-otter", "logs brisk-otter", "why brisk-otter", "graph brisk-otter"]


@pytest.fixture
def failed_run(writer: Writer) -> str:
    """A run with a map of three of which one failed, and what came after it did not run."""
    run = an_id(1)
    source = msgspec.json.encode(RunSource(entrypoint="flow.py:nightly"))
    told_first = flow_begun(run, name="brisk-otter", parameters=b'{"rows":1000}', tags=("nightly",), source=source)
    writer.tell(told_first)
    for index in range(3):
        task = an_id(10 + index)
        call = a_call(run, index)
        writer.tell(task_begun(run, task, task="fit", name=f"fit-{index}", map_index=index, call=call))
        writer.tell(log_line(run, f"fitting {index}", task=task))
        if index == 1:
            writer.tell(task_moved(run, task, S.FAILED, state_name="Failed", message="ValueError: bad row"))
        else:
            writer.tell(task_moved(run, task, S.COMPLETED, state_name="Completed"))
    pick = an_id(20)
    writer.tell(task_begun(run, pick, task="pick", name="pick-3", state=S.PENDING, upstream=(an_id(10), an_id(11))))
    told = "pick-3 did not run because its upstream fit-1 ended Failed: ValueError: bad row. Wrap the argument in x."
    writer.tell(task_moved(run, pick, S.FAILED, was=S.PENDING, state_name="NotReady", message=told))
    writer.tell(log_line(run, "went wrong", level=40))
    writer.tell(artifact_made(run, an_id(30), description="what came out"))
    writer.tell(metric_logged(run, "accuracy", 0.5), metric_logged(run, "accuracy", 0.75, step=1))
    writer.tell(flow_moved(run, S.FAILED, message="ValueError: bad row"))
    return run


@pytest.fixture
def running_run(writer: Writer) -> str:
    """A run of this very process, with a task that runs, one that waits for it, and one that waits for its retry."""
    run = an_id(2)
    writer.tell(flow_begun(run, name="busy-crane", holder=this_holder("me").encode()))
    writer.tell(task_begun(run, an_id(40), task="load", name="load-0"))
    writer.tell(task_begun(run, an_id(41), task="fit", name="fit-1", state=S.PENDING, upstream=(an_id(40),)))
    writer.tell(task_begun(run, an_id(42), task="send", name="send-2"))
    due = T0 + 1_000_000_000
    writer.tell(task_moved(run, an_id(42), S.SCHEDULED, state_name="AwaitingRetry", message="no route", due=due))
    return run


@pytest.mark.parametrize("call", READING)
def test_a_command_that_reads_makes_nothing_where_nothing_was_recorded(nadi: Nadi, home: Path, call: str) -> None:
    said = nadi(*call.split())

    assert not home.exists()
    if call == "runs":
        assert (said.status, said.err) == (0, "")
        assert "No runs yet" in said.out
    else:
        assert said.status == 2
        assert "where no run has been recorded yet" in said.err


@pytest.mark.parametrize("call", READING)
def test_a_command_that_reads_leaves_no_journal_behind(nadi: Nadi, home: Path, failed_run: str, call: str) -> None:
    said = nadi(*call.split())

    assert (said.status, said.err) == (0, "")
    assert not (home / "journals").exists()


@pytest.mark.parametrize("call", READING)
def test_every_command_that_reads_prints_json(nadi: Nadi, failed_run: str, call: str) -> None:
    said = nadi(*call.split(), "--json")

    assert said.status == 0
    told = [json.loads(line) for line in said.out.splitlines()] if "logs" in call else said.json
    assert told


def test_runs_lists_state_name_flow_and_how_the_tasks_stand(nadi: Nadi, failed_run: str) -> None:
    head, line = nadi("runs").out.splitlines()

    assert head.split() == ["STATE", "NAME", "FLOW", "STARTED", "TOOK", "TASKS"]
    assert line.split()[:3] == ["Failed", "brisk-otter", "nightly"]
    assert line.endswith("2/4, 2 failed")


def test_runs_are_chosen_by_flow_state_tag_and_age(nadi: Nadi, failed_run: str, running_run: str) -> None:
    def names(*args: str) -> list[str]:
        return [run["name"] for run in nadi("runs", "--json", *args).json]

    assert names() == ["busy-crane", "brisk-otter"]
    assert names("--state", "failed") == ["brisk-otter"]
    assert names("--state", "failed", "--state", "running") == ["busy-crane", "brisk-otter"]
    assert names("--tag", "nightly") == ["brisk-otter"]
    assert names("--flow", "another") == []
    assert names("--limit", "1") == ["busy-crane"]
    assert names("--since", "1h") == ["busy-crane", "brisk-otter"]


def test_runs_that_share_a_name_are_listed_with_their_ids(nadi: Nadi, writer: Writer) -> None:
    writer.tell(flow_begun(an_id(1), name="daily"), flow_moved(an_id(1), S.COMPLETED))
    writer.tell(flow_begun(an_id(2), name="daily"), flow_moved(an_id(2), S.COMPLETED))

    lines = nadi("runs").out.splitlines()
    said = nadi("show", "daily")

    ids = [line.split()[-1] for line in lines[1:]]
    assert an_id(2).startswith(ids[0])
    assert an_id(1).startswith(ids[1])
    assert said.status == 2
    assert "matches several runs" in said.err


def test_show_folds_a_map_and_tells_what_failed_and_what_it_made(nadi: Nadi, failed_run: str) -> None:
    out = nadi("show", "brisk-otter").out

    assert "parameters  rows=1000" in out
    assert "fit ×3 (map)" in out
    assert "2 Completed, 1 Failed" in out
    assert "fit-1: ValueError: bad row" in out
    assert "report  (markdown)  what came out" in out
    assert "accuracy  0.75  (step 1, 2 values)" in out
    assert "nadi resume brisk-otter" in out


def test_show_tells_why_tasks_ran_again_those_of_one_reason_together(
    nadi: Nadi, failed_run: str, writer: Writer
) -> None:
    why = "it had not completed (Crashed)"
    for index in (5, 6):
        again = task_begun(failed_run, an_id(50 + index), task="fit", name=f"fit-{index}", attempt=2, reason=why)
        writer.tell(again)
    writer.tell(task_begun(failed_run, an_id(60), task="pick", name="pick-7", reason="its code changed"))

    out = nadi("show", "brisk-otter").out

    assert f"Ran again\n  fit ×2: {why}\n  pick-7: its code changed\n" in out


def test_show_tells_why_tasks_were_skipped(nadi: Nadi, failed_run: str, writer: Writer) -> None:
    for index in (5, 6):
        skipped = an_id(50 + index)
        writer.tell(task_begun(failed_run, skipped, task="no", name=f"no-{index}"))
        writer.tell(task_moved(failed_run, skipped, S.COMPLETED, state_name="Skipped", message="big was skipped."))

    assert "Skipped\n  no ×2: big was skipped.\n" in nadi("show", "brisk-otter").out


def test_show_does_not_advise_to_resume_what_cannot_be_loaded_again(nadi: Nadi, writer: Writer) -> None:
    source = msgspec.json.encode(RunSource(not_loadable="The flow is defined in a notebook."))
    writer.tell(flow_begun(an_id(1), name="brisk-otter", source=source), flow_moved(an_id(1), S.FAILED))

    out = nadi("show", "brisk-otter").out

    assert "nadi resume" not in out
    assert "The flow is defined in a notebook. nadi.resume(run, flow=...) serves." in out


@pytest.mark.parametrize("call", ["runs", "show x", "resume x"])
def test_a_home_that_is_a_file_is_not_taken_for_an_empty_one(nadi: Nadi, home: Path, call: str) -> None:
    home.write_text("a file where a folder should be")

    said = nadi(*call.split())

    assert (said.status, said.out) == (3, "")
    assert said.err == f"Error: {home} is a file, not a folder. Set NADI_HOME to a folder.\n"


def test_a_run_is_found_by_a_unique_beginning_of_its_id(nadi: Nadi, failed_run: str) -> None:
    said = nadi("show", failed_run[:20], "--json")

    assert said.json["run"]["name"] == "brisk-otter"


def test_logs_are_chosen_by_level_task_and_number(nadi: Nadi, failed_run: str) -> None:
    def texts(*args: str) -> list[str]:
        return [line.split(" ", 1)[1] for line in nadi("logs", "brisk-otter", *args).out.splitlines()]

    assert len(texts()) == 4
    assert texts("--level", "error") == ["ERROR   went wrong"]
    assert texts("--task", "fit-1") == ["INFO    fit-1: fitting 1"]
    assert len(texts("--task", "fit")) == 3
    assert texts("-n", "1") == ["ERROR   went wrong"]


def test_following_the_logs_of_a_finished_run_ends_at_once(nadi: Nadi, failed_run: str) -> None:
    said = nadi("logs", "brisk-otter", "-f")

    assert len(said.out.splitlines()) == 4
    assert said.err == "brisk-otter ended Failed.\n"


def test_why_tells_what_each_task_of_a_running_run_waits_for(nadi: Nadi, running_run: str) -> None:
    told = nadi("why", "busy-crane", "--json").json

    assert f"process {os.getpid()}" in told["told"][0]
    assert told["told"][0].endswith("which is alive.")
    whys = {reason["subject"]: reason["why"] for reason in told["tasks"]}
    assert whys["load-0"].startswith("it has been running for")
    assert whys["fit-1"] == "it waits for load-0 (Running)"
    assert whys["send-2"].startswith("attempt 1 failed (no route); the next attempt is due in")


def test_why_tells_that_a_task_with_all_its_inputs_waits_for_a_place(
    nadi: Nadi, writer: Writer, running_run: str
) -> None:
    writer.tell(task_moved(running_run, an_id(40), S.COMPLETED, state_name="Completed"))

    told = nadi("why", "busy-crane", "--json").json

    whys = {reason["subject"]: reason["why"] for reason in told["tasks"]}
    assert whys["fit-1"].startswith("its inputs are ready; it waits for a free place in its executor")


def test_why_tells_who_asked_for_a_cancel(nadi: Nadi, writer: Writer, running_run: str) -> None:
    writer.store.ask(Request(run=running_run, kind="cancel", at=T0, by="mira on delta"))

    told = nadi("why", "busy-crane", "--json").json["told"]

    assert any(sentence.startswith("mira on delta asked for a cancel") for sentence in told)


def test_why_tells_which_upstream_failed(nadi: Nadi, failed_run: str) -> None:
    told = nadi("why", "brisk-otter", "--json").json

    whys = {reason["subject"]: reason["why"] for reason in told["tasks"]}
    assert whys["fit-1"] == "ValueError: bad row"
    assert whys["pick-3"] == "it did not run because its upstream fit-1 ended Failed: ValueError: bad row"


def test_a_run_whose_process_is_gone_is_crashed_when_somebody_looks(nadi: Nadi, writer: Writer) -> None:
    me = this_holder("dead")
    dead = f"dead|{me.host}|{me.pid}|{me.started + 1}|{me.boot}|{me.namespace}"
    writer.tell(flow_begun(an_id(3), name="lost-heron", holder=dead))

    told = nadi("runs", "--json").json

    assert [(run["name"], run["state"]) for run in told] == [("lost-heron", StateType.CRASHED)]


def test_control_characters_in_names_and_logs_reach_no_terminal(nadi: Nadi, writer: Writer) -> None:
    run = an_id(4)
    writer.tell(flow_begun(run, name="evil\x1b[31m\x07name"), task_begun(run, an_id(50), name="t\x1b]0;x\x07"))
    writer.tell(log_line(run, "clear\x1b[2Jscreen"), flow_moved(run, S.COMPLETED, message="\x9b31m"))

    answers = [nadi("runs"), nadi("show", run), nadi("logs", run), nadi("why", run), nadi("graph", run)]

    assert [answer.status for answer in answers] == [0] * 5
    everything = "".join(answer.out for answer in answers)
    assert not set(everything) & set("\x1b\x07\x9b")
    assert "evil\\x1b[31m\\x07name" in everything


def test_a_database_that_cannot_be_used_is_one_sentence_and_status_3(nadi: Nadi, home: Path) -> None:
    home.mkdir()
    (home / "nadi.db").write_text("this is no database, whatever its name says")

    said = nadi("runs")

    assert said.status == 3
    assert said.err.startswith("Error: ")
    assert "not a SQLite database" in said.err
    assert len(said.err.splitlines()) == 1
