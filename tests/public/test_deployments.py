"""Deployments from Python: what is said with ours and Prefect's keywords, deploying, serving, and asking for runs."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import nadi
from nadi import flow, task
from nadi.deployments import FlowDeployment, run_deployment
from nadi.exceptions import CallError, DefinitionError, NotFound, ValueRefused
from nadi.model.deployments import FolderSource, GitSource
from nadi.model.schedules import Schedule
from nadi.schedules import Cron
from tests.conftest import Recorded
from tests.journeys.places import Place

FLOW = """
from nadi import flow

@flow
def etl(rows: int = 10):
    return rows
"""


@flow
def here(rows: int = 10) -> int:
    return rows


def spec_of(**keywords: Any) -> Any:
    return here.to_deployment("nightly", **keywords).draft.spec


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The flow of a file in a folder of its own."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "etl.py").write_text(FLOW)
    monkeypatch.setenv("NADI_HOME", str(tmp_path / "home"))
    before, paths = set(sys.modules), list(sys.path)
    yield nadi.Flow.from_source(tmp_path / "code", "etl.py:etl")
    sys.path[:] = paths
    for name in set(sys.modules) - before:
        if name.startswith("nadi_script_"):
            del sys.modules[name]


# -- what is said --


def test_a_flow_is_deployed_from_where_it_lies() -> None:
    made = here.to_deployment("nightly", queue="etl", resources={"memory": "1GiB"})

    assert isinstance(made, FlowDeployment)
    spec = made.draft.spec
    assert isinstance(spec.source, FolderSource)
    assert (spec.source.path, spec.entrypoint) == (str(Path.cwd()), "tests.public.test_deployments:here")
    assert (made.name, spec.queue, spec.resources.memory_bytes) == ("nightly", "etl", 2**30)
    assert here.to_deployment().name == "here"


@pytest.mark.parametrize(
    ("keywords", "descriptions"),
    [
        ({"cron": "0 6 * * *"}, ["CronRule"]),
        ({"cron": ["0 6 * * *", "0 7 * * *"]}, ["CronRule", "CronRule"]),
        ({"interval": 60}, ["IntervalRule"]),
        ({"interval": timedelta(hours=1), "rrule": "FREQ=DAILY"}, ["IntervalRule", "RecurrenceRule"]),
        ({"schedule": Cron("0 6 * * *", timezone="Europe/Berlin")}, ["CronRule"]),
        ({"schedules": [Cron("0 6 * * *"), "hourly", {"daily": "07:00"}]}, ["CronRule", "HourlyRule", "DailyRule"]),
    ],
)
def test_schedules_are_said_in_every_way(keywords: dict[str, Any], descriptions: list[str]) -> None:
    schedules: tuple[Schedule, ...] = spec_of(**keywords).schedules

    assert [type(one.rule).__name__ for one in schedules] == descriptions


def test_keywords_of_prefect_mean_what_is_here() -> None:
    spec = spec_of(
        work_pool_name="pool",
        work_queue_name="fast",
        job_variables={"env": {"MODE": "x"}},
        concurrency_limit=3,
        tags=["a"],
        version="1.4",
        enforce_parameter_schema=True,
        entrypoint_type=None,
        triggers=[],
        parameters={"day": datetime(2026, 3, 1, tzinfo=UTC)},
    )

    assert (spec.queue, spec.environment, spec.concurrency) == ("fast", {"MODE": "x"}, 3)
    assert spec.tags == ("a", "version:1.4")
    assert spec.parameters == {"day": "2026-03-01T00:00:00+00:00"}
    assert spec_of(work_pool_name="pool").queue == "pool"


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: spec_of(job_variables={"image": "x"}), DefinitionError, "'image' means nothing here"),
    (lambda: spec_of(triggers=["x"]), DefinitionError, "triggers= starts runs on events"),
    (lambda: spec_of(enforce_parameter_schema=False), DefinitionError, "@flow(validate_parameters=False)"),
    (lambda: spec_of(crom="x"), DefinitionError, "A deployment knows no 'crom'"),
    (lambda: spec_of(cron="0 25 * * *"), DefinitionError, "the hour '25' cannot be"),
    (lambda: spec_of(paused="yes"), DefinitionError, "paused is True or False"),
    (lambda: here.to_deployment("a/b"), DefinitionError, "The name of a deployment is 'a/b'"),
    (lambda: here.deploy("a", image="x"), DefinitionError, "image= builds a container"),
    (lambda: here.serve("a", webserver=True), DefinitionError, "serve() opens no port"),
    (lambda: nadi.deploy(), CallError, "deploy() needs at least one deployment"),
    (lambda: nadi.deploy(here), CallError, "deploy() takes what flow.to_deployment(...) gives"),  # type: ignore[arg-type]
    (lambda: nadi.serve(), CallError, "serve() needs at least one deployment"),
    (lambda: nadi.Flow.from_source("ext::sh", "x.py"), DefinitionError, "there is no folder"),
    (lambda: nadi.Flow.from_source({"git": "--x"}, "x.py"), DefinitionError, "looks like an option"),
]


@pytest.mark.parametrize(("call", "kind", "told"), WRONG, ids=[one[2] for one in WRONG])
def test_what_has_no_meaning_here_is_refused_with_a_sentence(
    call: Callable[[], Any], kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind) as raised:
        call()

    assert told in str(raised.value)


def test_a_flow_that_nobody_finds_again_is_refused() -> None:
    @flow
    def inside() -> None: ...

    with pytest.raises(DefinitionError, match=r"The flow 'inside' cannot be deployed: .* is not a variable of"):
        inside.to_deployment()


# -- deploying --


def test_deploying_twice_changes_nothing(loaded: Any, recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    first = loaded.deploy("nightly", cron="0 6 * * *", paused=True)
    second = loaded.deploy("nightly", cron="0 6 * * *")

    assert (first.changed, second.changed) == (True, False)
    assert second.deployment.version.spec.flow == "etl"
    assert second.deployment.paused is True
    assert capsys.readouterr().out.splitlines() == [
        "Deployment nightly is at version 1. Start a run of it with: nadi trigger nightly",
        "Deployment nightly has not changed. Start a run of it with: nadi trigger nightly",
    ]


def test_of_several_deployments_all_are_written_or_none(loaded: Any, recorded: Recorded) -> None:
    good = loaded.to_deployment("good")
    bad = loaded.to_deployment("bad", parameters={"row": 1})

    with pytest.raises(DefinitionError, match="has no parameter 'row'"):
        nadi.deploy(good, bad)

    assert recorded.store.deployments.deployments() == []
    done = nadi.deploy(good, work_pool_name="etl", print_next_steps_message=False)
    assert [one.deployment.version.spec.queue for one in done] == ["etl"]


def test_a_flow_from_a_repository_is_deployed_from_there(
    tmp_path: Path, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NADI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "etl.py").write_text(FLOW)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *who, "-C", str(folder), *words], check=True, capture_output=True)

    loaded = nadi.Flow.from_source({"git": folder.as_uri(), "branch": "main"}, "etl.py:etl")
    done = loaded.deploy("nightly", print_next_steps=False)

    source = done.deployment.version.spec.source
    assert loaded(rows=3) == 3
    assert isinstance(source, GitSource)
    assert (source.url, source.branch, len(source.commit)) == (folder.as_uri(), "main", 40)


# -- asking for runs --


@pytest.fixture
def deployed(loaded: Any, recorded: Recorded) -> Recorded:
    loaded.deploy("nightly", parameters={"rows": 5}, print_next_steps=False)
    return recorded


def test_a_run_of_a_deployment_is_asked_for_with_what_is_given(deployed: Recorded) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)

    run = run_deployment(
        "etl/nightly",
        parameters={"rows": 7},
        scheduled_time=at,
        flow_run_name="by-hand",
        timeout=0,
        tags=["t"],
        work_queue_name="fast",
    )

    assert (run.name, run.flow, run.state_type, run.tags) == ("by-hand", "etl", "SCHEDULED", ("t",))
    work = deployed.store.work.work([run.id])[run.id]
    assert (work.queue, work.due) == ("fast", at.timestamp())


def test_the_same_key_asks_for_the_same_run(deployed: Recorded) -> None:
    first = run_deployment("nightly", idempotency_key="k", timeout=0)
    second = run_deployment("nightly", idempotency_key="k", timeout=0)

    assert first.id == second.id
    assert run_deployment("nightly", timeout=0).id != run_deployment("nightly", timeout=0).id


def test_who_waits_gets_the_run_as_it_is_when_the_time_is_over(deployed: Recorded) -> None:
    began = time.monotonic()

    run = run_deployment("nightly", timeout=0.3)

    assert run.state_type == "SCHEDULED"
    assert 0.2 < time.monotonic() - began < 10


def test_in_async_code_it_is_awaited(deployed: Recorded) -> None:
    async def ask() -> Any:
        return await run_deployment("nightly", timeout=0)

    assert asyncio.run(ask()).state_type == "SCHEDULED"


def test_a_task_that_is_retried_asks_for_the_run_it_asked_for_before(deployed: Recorded) -> None:
    asked: list[str] = []

    @task(retries=1)
    def ask() -> None:
        asked.append(run_deployment("nightly", timeout=0).id)
        asked.append(run_deployment("nightly", timeout=0).id)
        if len(asked) == 2:
            raise ValueError("once")

    @flow
    def parent() -> None:
        ask()

    parent()

    assert asked[:2] == asked[2:]
    assert asked[0] != asked[1]


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"name": "nightyl"}, NotFound, "No deployment 'nightyl'"),
    ({"name": "other/nightly"}, NotFound, "No deployment 'other/nightly'"),
    ({"parameters": {"row": 1}}, ValueRefused, "'row'"),
    ({"parameters": {"rows": object()}}, ValueRefused, "as JSON"),
    ({"client": 1}, CallError, "leave out client="),
    ({"job_variables": {"env": {}}}, CallError, "takes no job_variables"),
]


@pytest.mark.parametrize(("keywords", "kind", "told"), REFUSED, ids=[one[2] for one in REFUSED])
def test_what_cannot_be_asked_for_is_refused(
    keywords: dict[str, Any], kind: type[Exception], told: str, deployed: Recorded
) -> None:
    with pytest.raises(kind, match=told):
        run_deployment(**{"name": "nightly", "timeout": 0, **keywords})


# -- serving --

SERVED = """
    from nadi import flow, serve

    @flow
    def etl(rows: int = 10):
        open("ledger", "a").write(f"{rows}\\n")

    @flow
    def other(): ...

    if __name__ == "__main__":
        serve(etl.to_deployment("nightly", interval=3600), other.to_deployment("second"), limit=2)
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path) as place:
        yield place


def poll(look: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def test_serve_deploys_runs_what_is_asked_for_and_lets_schedules_rest_at_its_end(place: Place) -> None:
    serving = place.start(place.script(SERVED))
    listed: Callable[..., str] = lambda: place.run("-m", "nadi", "deployments").stdout  # noqa: E731
    poll(lambda: "second" in listed())
    place.run("-m", "nadi", "trigger", "nightly", "-p", "rows=3")
    poll((place.folder / "ledger").exists)

    serving.send_signal(signal.SIGTERM)
    out, err = serving.communicate(timeout=30)

    assert (serving.returncode, err) == (0, "")
    assert out.splitlines()[:3] == [
        "Serves nightly: flow etl, version 1, every hour UTC.",
        "Serves second: flow other, version 1, no schedule.",
        "Up to 2 runs at once. Start one with: nadi trigger nightly. Ctrl-C ends this.",
    ]
    assert (place.folder / "ledger").read_text() == "3\n"
    assert listed().count("paused") == 2


def test_a_script_that_serves_without_a_guard_is_deployed_and_not_served_by_its_workers(place: Place) -> None:
    script = place.script(SERVED.replace('if __name__ == "__main__":', "if True:"))
    serving = place.start(script)
    poll(lambda: "second" in place.run("-m", "nadi", "deployments").stdout)

    done = place.run("-m", "nadi", "trigger", "second", "--wait")

    assert done.returncode == 0, done.stdout + done.stderr
    serving.send_signal(signal.SIGTERM)
    serving.communicate(timeout=30)
