"""Stories of declared flows with real processes: run as a script, shown, drawn, killed, resumed, called by others."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from nadi.model.states import StateType
from tests.journeys.places import DID, Place

#: As an article on such pipelines has it, to the letter.
ARTICLE = """
from nadi import task, Flow
@task
def extract_data(): print("Extracting data...")
@task
def preprocess_data(): print("Preprocessing data...")
@task
def train_model(): print("Training ML model...")
@task
def evaluate_model(): print("Evaluating ML model...")
with Flow("ml_pipeline") as flow:
    data = extract_data()
    processed = preprocess_data(upstream_tasks=[data])
    model = train_model(upstream_tasks=[processed])
    evaluate_model(upstream_tasks=[model])
flow.run()
"""

LINES = ["Extracting data...", "Preprocessing data...", "Training ML model...", "Evaluating ML model..."]

PIPELINE = f"""{DID}
import signal
from nadi import Flow, Parameter, case, merge

@task
def load(count):
    did("load")
    return list(range(count))

@task
def clean(row):
    did(f"clean-{{row}}")
    return row * 2

@task
def train(rows):
    if "KILL" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
    did("train")
    if "FAIL" in os.environ:
        raise ValueError("no model")
    return sum(rows)

@task
def quick(rows):
    did("quick")

@task
def store(model):
    did("store")
    return f"model {{model}}"

with Flow("pipeline") as pipeline:
    rows = clean.map(load(Parameter("count", default=3)))
    with case(rows.is_equal([]), False):
        trained = train(rows)
    with case(rows.is_equal([]), True):
        skipped = quick(rows)
    store(merge(trained, skipped))

@flow
def outer(times=2):
    return pipeline.map(count=range(1, times + 1)).result()

if __name__ == "__main__":
    state = pipeline.run()
    print(type(state).__name__)
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def nadi(place: Place, *command: str, **more: str) -> tuple[int, str, str]:
    done = place.run("-m", "nadi", *command, **more)
    return done.returncode, done.stdout, done.stderr


def finished(place: Place) -> dict[str, str]:
    """The state of each task run of the newest run, by the name of its task and its map index."""
    run = place.newest()
    store = place.store()
    try:
        found = store.task_runs(run.id, limit=100)
        return {
            f"{each.task}-{each.map_index}" if each.map_index >= 0 else each.task: each.state_name
            for each in found
            if each.seen == run.token
        }
    finally:
        store.close()


def test_the_program_of_the_article_runs_as_it_stands_and_is_recorded(place: Place) -> None:
    script = place.script(ARTICLE)

    done = place.run(script)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == LINES
    assert place.newest().flow == "ml_pipeline"
    assert finished(place) == dict.fromkeys(
        ["extract_data", "preprocess_data", "train_model", "evaluate_model"], "Completed"
    )


def test_the_program_of_the_article_is_shown_and_drawn_like_any_other(place: Place) -> None:
    place.run(place.script(ARTICLE))

    _, runs, _ = nadi(place, "runs")
    shown = nadi(place, "show", place.newest().name)[1]
    before = nadi(place, "graph", "pipeline.py")[1]
    after = nadi(place, "graph", place.newest().name)[1]
    svg = nadi(place, "graph", "pipeline.py:flow", "-o", "flow.svg")

    assert "ml_pipeline" in runs
    assert all(name in shown for name in ("extract_data", "preprocess_data", "train_model", "evaluate_model"))
    assert [line.split()[-1] for line in before.splitlines()] == [
        "ml_pipeline",
        "extract_data",
        "preprocess_data",
        "train_model",
        "evaluate_model",
    ]
    assert [line.count("Completed") for line in after.splitlines()] == [0, 1, 1, 1, 1]
    assert svg[0] == 0
    assert (place.folder / "flow.svg").read_text().startswith("<svg")
    assert len(place.look()) == 1  # drawing ran nothing


def test_the_program_of_the_article_is_run_by_the_command_and_checked(place: Place) -> None:
    place.script(ARTICLE)

    status, out, err = nadi(place, "run", "pipeline.py")

    assert status == 0, err
    assert [line for line in out.splitlines() if line in LINES] == LINES
    assert nadi(place, "check", "pipeline.py")[0] == 0
    assert len(place.look()) == 1  # the run at the end of the script did not start while it was loaded


def test_the_program_of_the_article_goes_on_after_a_kill_where_it_was(place: Place) -> None:
    dies = """def train_model():
    import os, signal
    if "KILL" in os.environ: os.kill(os.getpid(), signal.SIGKILL)
    print"""
    script = place.script(ARTICLE.replace("def train_model(): print", dies))

    killed = place.run(script, KILL="yes")
    status, out, err = nadi(place, "resume", place.newest().name)

    assert killed.returncode == -signal.SIGKILL
    assert status == 0, err
    assert [line for line in out.splitlines() if line in LINES] == LINES[2:]
    assert set(finished(place).values()) == {"Completed"}


def test_a_killed_flow_with_a_map_and_branches_is_resumed_and_repeats_nothing(place: Place) -> None:
    script = place.script(PIPELINE)

    killed = place.run(script, KILL="yes")
    before = place.did()
    status, _, err = nadi(place, "resume", place.newest().name)

    assert killed.returncode == -signal.SIGKILL
    assert status == 0, err
    assert sorted(before) == ["clean-0", "clean-1", "clean-2", "load"]
    assert place.did()[len(before) :] == ["train", "store"]
    assert place.newest().state_type is StateType.COMPLETED
    assert finished(place)["quick"] == "Skipped"


def test_a_failed_flow_is_resumed_from_its_failed_task(place: Place) -> None:
    script = place.script(PIPELINE)

    failed = place.run(script, FAIL="yes")
    before = place.did()
    states = finished(place)
    status, _, err = nadi(place, "resume", place.newest().name)

    assert failed.stdout.splitlines()[-1] == "Failed"
    assert (states["train"], states["store"]) == ("Failed", "TriggerFailed")
    assert status == 0, err
    assert place.did()[len(before) :] == ["train", "store"]


@pytest.mark.parametrize("executor", ["sequential", "thread", "process"])
def test_the_command_gives_parameters_and_any_executor_to_a_declared_flow(place: Place, executor: str) -> None:
    place.script(PIPELINE)

    status, out, err = nadi(place, "run", "pipeline.py:pipeline", "-p", "count=2", "--executor", executor, "--json")

    assert status == 0, err
    assert json.loads(out)["parameters"] == {"count": 2}
    assert sorted(place.did()) == ["clean-0", "clean-1", "load", "store", "train"]


def test_a_declared_flow_is_mapped_as_a_subflow_of_an_imperative_one_and_resumed_with_it(place: Place) -> None:
    place.script(PIPELINE)

    killed = nadi(place, "run", "pipeline.py:outer", KILL="yes")[0]
    before = place.did()
    status, _, err = nadi(place, "resume", place.newest().name)

    assert killed == -signal.SIGKILL
    assert status == 0, err
    assert place.newest().flow == "outer"
    assert sorted(place.did()[len(before) :])[-4:] == ["store", "store", "train", "train"]
    assert "train" not in before
