"""`nadi deploy`, `nadi deployments`, `nadi trigger`, and the deployments of `nadi check`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from nadi.cli.deployments import DEPLOYMENT
from nadi.model.states import StateType
from nadi.storage.contract import Store
from nadi.storage.opening import open_store
from tests.cli.conftest import Nadi

FLOW = """
from nadi import flow

@flow
def etl(day: str, rows: int = 10, label: str | None = None): ...
"""

FILE = """
[deployments.nightly]
entrypoint = "etl.py:etl"
parameters = { day = "today" }
schedules = ["0 6 * * *"]

[deployments.by-hand]
entrypoint = "etl.py:etl"
queue = "slow"
"""


@pytest.fixture
def project(home: Path) -> Path:
    """A working folder with a flow and two deployments of it."""
    folder = Path.cwd()
    (folder / "etl.py").write_text(FLOW)
    (folder / "nadi.toml").write_text(FILE)
    return folder


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = open_store("", home=home)
    yield store
    store.close()


def test_deploy_shows_the_difference_deploys_and_changes_nothing_the_second_time(nadi: Nadi, project: Path) -> None:
    first = nadi("deploy")
    second = nadi("deploy")

    assert (first.status, first.err) == (0, "")
    assert "nightly  is new\n" in first.out
    assert "  + parameters.day  today\n" in first.out
    assert first.out.endswith("nightly is at version 1, by-hand is at version 1.\n")
    assert (
        second.out == "nightly  version 1, nothing changes\nby-hand  version 1, nothing changes\nNothing has changed.\n"
    )


def test_a_dry_run_shows_what_would_change_and_writes_nothing(nadi: Nadi, project: Path) -> None:
    said = nadi("deploy", "--dry-run")

    assert said.out.endswith("2 deployments of 2 would change. Nothing was written.\n")
    assert nadi("deployments", "--json").json == []


def test_what_was_deployed_is_told_as_json(nadi: Nadi, project: Path) -> None:
    nadi("deploy", "--only", "by-hand")
    (project / "nadi.toml").write_text(FILE.replace('"slow"', '"fast"'))

    [told] = nadi("deploy", "--only", "by-hand", "--json").json

    assert told == {
        "deployment": "by-hand",
        "version": 2,
        "changed": True,
        "changes": [{"field": "queue", "kind": "changed", "before": "slow", "after": "fast"}],
    }


def test_one_deployment_that_is_wrong_keeps_all_from_being_written(nadi: Nadi, project: Path) -> None:
    (project / "nadi.toml").write_text(FILE.replace('etl.py:etl"\nqueue', 'etl.py:elt"\nqueue'))

    said = nadi("deploy")

    assert said.status == 2
    assert said.err == (
        "Error: nadi.toml, line 8: Deployment 'by-hand': etl.py has no flow 'elt'. Its flows are: etl. Did you mean"
        " 'etl'?\n"
    )
    assert nadi("deployments", "--json").json == []


def test_a_flow_can_be_deployed_without_a_file(nadi: Nadi, project: Path) -> None:
    nadi("deploy", "etl.py:etl", "--name", "direct")

    [told] = nadi("deployments", "--json").json

    assert (told["name"], told["flow"], told["entrypoint"], told["version"]) == ("direct", "etl", "etl.py:etl", 1)


BAD_CALLS = [
    (("deploy", "--only", "nightyl"), "Error: --only 'nightyl': there is no such deployment. Known are nightly,"
     " by-hand."
     " Did you mean 'nightly'?\n"),
    (("deploy", "--name", "x"), "--name goes with one entrypoint"),
    (("deploy", "other.toml"), "Error: other.toml, line 1: It cannot be read: No such file or directory.\n"),
    (("deploy", "nowhere.py:f"), "There is no file nowhere.py"),
    (("deploy", "--upload-pack=x"), "No such option"),
    (("deployments", "show", "nightyl"), "No deployment 'nightyl' is in "),
    (("deployments", "rollback", "nightly", "7"), "has no version 7"),
    (("trigger", "nightly", "-p", "row=1"), "The flow has no parameter 'row' (did you mean 'rows'?)"),
    (("trigger", "nightly", "-p", "rows=many"), "Error: rows is 'many'; expected a whole number.\n"),
    (("trigger", "by-hand"), "Deployment by-hand needs day"),
    (("trigger", "nightly", "--at", "soon"), "'soon' is no time"),
    (("trigger", "nightly", "--in", "soon"), "'soon' is no length of time"),
    (("trigger", "nightly", "--in", "1h", "--at", "2030-01-01"), "--at and --in say the same"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "told"), BAD_CALLS, ids=[" ".join(one[0]) for one in BAD_CALLS])
def test_a_call_that_cannot_work_is_one_sentence_and_status_2(
    call: tuple[str, ...], told: str, nadi: Nadi, project: Path
) -> None:
    nadi("deploy")

    said = nadi(*call)

    assert said.status == 2
    assert told in said.err


def test_a_version_is_rolled_back_and_the_history_tells_what_each_changed(nadi: Nadi, project: Path) -> None:
    nadi("deploy")
    (project / "nadi.toml").write_text(FILE.replace('day = "today"', 'day = "x", rows = 5'))
    nadi("deploy")

    history = nadi("deployments", "versions", "nightly").out
    back = nadi("deployments", "rollback", "nightly", "1")

    assert "2 (in force)" in history
    assert history.splitlines()[1].endswith("parameters.day, parameters.rows")
    assert back.out == "nightly is at version 1 again; it was at 2.\n"
    assert nadi("deployments", "show", "nightly", "--json").json["in_force"]["spec"]["parameters"] == {"day": "today"}
    assert nadi("deployments", "rollback", "nightly", "1").out == "nightly is at version 1 already.\n"


def test_a_deployment_is_paused_resumed_and_removed_and_the_audit_log_tells(nadi: Nadi, project: Path) -> None:
    nadi("deploy", "--only", "nightly")

    assert nadi("deployments", "pause", "nightly", "--json").json["paused"] is True
    assert nadi("deployments", "pause", "nightly").out == "nightly is paused already.\n"
    assert nadi("deployments", "resume", "nightly").out == "nightly is active.\n"
    assert nadi("deployments", "remove", "nightly").out == "Removed nightly.\n"

    assert nadi("deployments").out == "There is no deployment. Make one: nadi deploy path/to/file.py:flow\n"
    actions = [one["action"] for one in nadi("audit", "--json").json]
    assert actions == ["remove_deployment", "resume_deployment", "pause_deployment", "deploy"]


def test_show_tells_what_holds_and_when_it_runs_next(nadi: Nadi, project: Path) -> None:
    nadi("deploy")

    told = nadi("deployments", "show", "nightly").out

    assert "flow        etl (etl.py:etl)" in told
    assert 'parameters  {"day":"today"}' in told
    assert "schedule    every day at 06:00 UTC" in told
    assert told.count("              next ") == 3


def test_a_run_that_is_asked_for_waits_with_what_it_was_given(nadi: Nadi, project: Path, store: Store) -> None:
    nadi("deploy")

    said = nadi("trigger", "nightly", "-p", "rows=7", "-p", "label=3", "--tag", "t", "--in", "1h", "--json")

    run = said.json
    assert (run["state"], run["flow"], run["tags"]) == ("SCHEDULED", "etl", ["t"])
    assert run["parameters"] == {"day": "today", "rows": 7, "label": "3"}
    work = store.work.work([run["id"]])[run["id"]]
    assert (work.deployment, work.version, work.queue) == ("nightly", 1, "default")
    assert 3590 < work.due - time.time() < 3610


def test_a_secret_is_not_taken_into_the_store(nadi: Nadi, project: Path, store: Store) -> None:
    (project / "etl.py").write_text(
        FLOW.replace("label: str | None", "label: Secret | None").replace("flow", "Secret, flow", 1)
    )
    nadi("deploy")

    said = nadi("trigger", "nightly", "-p", "label=s3cret")

    assert said.status == 2
    assert "Parameter 'label' of flow 'etl' is a secret, and no store keeps one" in said.err
    assert store.work.open_work() == []


def test_the_same_key_gives_the_same_run(nadi: Nadi, project: Path, store: Store) -> None:
    nadi("deploy")

    first = nadi("trigger", "nightly", "--key", "4711", "--json").json
    second = nadi("trigger", "nightly", "--key", "4711", "--json").json
    told = nadi("trigger", "nightly", "--key", "4711").out

    assert first["id"] == second["id"]
    assert told == f"{first['name']} was asked for with this key before; it is Scheduled.\n"
    assert len(store.work.open_work()) == 1


def test_who_asks_is_told_when_no_worker_serves_the_queue(nadi: Nadi, project: Path) -> None:
    nadi("deploy")

    assert "No worker serves its queue 'default' now." in nadi("trigger", "nightly").out


@pytest.mark.parametrize(("state", "status"), [(StateType.COMPLETED, 0), (StateType.FAILED, 1)])
def test_who_waits_learns_how_the_run_ended(
    state: StateType, status: int, nadi: Nadi, project: Path, store: Store
) -> None:
    nadi("deploy")

    def run_it() -> None:
        deadline = time.monotonic() + 20
        while not (waiting := store.work.open_work()) and time.monotonic() < deadline:
            store.wait_for_change(-1, timeout=0.05)
        store.end_attempt(waiting[0].run, token=1, state=state, name="", message="because", now=time.time())

    worker = threading.Thread(target=run_it)
    worker.start()
    said = nadi("trigger", "nightly", "--wait")
    worker.join()

    assert said.status == status
    assert str(state).capitalize() in said.out.splitlines()[-1 - status]


def test_check_tells_deployments_with_their_next_instants_and_writes_nothing(
    nadi: Nadi, project: Path, home: Path, loads: None
) -> None:
    checked = nadi("check", "--json").json

    assert checked["findings"] == []
    assert [(one["name"], one["line"], one["flow"]) for one in checked["deployments"]] == [
        ("nightly", 2, "etl"),
        ("by-hand", 7, "etl"),
    ]
    [schedule] = checked["deployments"][0]["schedules"]
    assert (schedule["description"], len(schedule["next"])) == ("every day at 06:00 UTC", 3)
    assert not home.exists()


def test_check_finds_what_deploy_would_refuse_and_secrets_in_what_everybody_can_read(
    nadi: Nadi, project: Path, loads: None
) -> None:
    more = 'parameters = { rows = "x" }\nenvironment = { DB_PASSWORD = "hunter2hunter2" }\n'
    (project / "nadi.toml").write_text(FILE + more)

    said = nadi("check", "nadi.toml")

    assert said.status == 2
    findings = [(one["line"], one["kind"]) for one in nadi("check", "nadi.toml", "--json").json["findings"]]
    assert findings == [(10, "parameters"), (11, "secret")]
    assert "hunter2" not in said.out


def test_the_names_of_deployments_are_completed(nadi: Nadi, project: Path) -> None:
    nadi("deploy")

    items = DEPLOYMENT.shell_complete(click.Context(click.Command("x")), click.Argument(["name"]), "ni")

    assert [item.value for item in items] == ["nightly"]
