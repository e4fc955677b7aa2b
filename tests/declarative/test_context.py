"""`nadi.context`: what the running code can ask as in Prefect 1."""

from __future__ import annotations

import datetime
import logging
from typing import Any

import pytest

from nadi import Flow, Parameter, context, flow, task
from nadi.executors.naming import NAMES
from tests.conftest import Recorded


@task
def look(x: Any = None) -> dict[str, Any]:
    told = context.to_dict()
    return {name: value for name, value in told.items() if name not in ("logger", "caches")}


@pytest.mark.parametrize("executor", sorted(NAMES))
def test_a_task_is_told_of_itself_its_flow_and_the_day_in_every_executor(executor: str, recorded: Recorded) -> None:
    with Flow("telling") as telling:
        node = look.map([Parameter("x")], upstream_tasks=[])

    told = telling.run(x=5, executor=executor).result[node].map_states[0].result

    [run] = [run for run in recorded.task_runs if run.task == "look"]
    root = recorded.root
    began = datetime.datetime.fromtimestamp(root.created, datetime.UTC)
    assert (told["flow_run_id"], told["flow_name"], told["flow_run_name"]) == (root.id, "telling", root.name)
    assert (told["task_run_id"], told["task_name"], told["task_run_name"]) == (run.id, "look", "look-1[0]")
    assert (told["task_slug"], told["map_index"], told["task_run_count"]) == ("look-1", 0, 1)
    assert told["parameters"] == {"x": 5}
    assert abs(told["scheduled_start_time"] - began) < datetime.timedelta(seconds=1)
    assert (told["today"], told["today_nodash"]) == (f"{began:%Y-%m-%d}", f"{began:%Y%m%d}")
    assert told["resume"] is False
    assert "task_loop_count" not in told


@pytest.mark.parametrize("executor", sorted(NAMES))
def test_context_and_task_contexts_of_run_reach_the_tasks(executor: str, recorded: Recorded) -> None:
    with Flow("telling") as telling:
        one, other = look(), look()

    state = telling.run(context={"region": "eu"}, task_contexts={other: {"region": "us"}}, executor=executor)

    assert (state.result[one].result["region"], state.result[other].result["region"]) == ("eu", "us")


def test_tasks_of_imperative_flows_have_it_too(recorded: Recorded) -> None:
    @flow
    def telling(x: int) -> Any:
        assert context.flow_name == "telling"
        assert "task_name" not in context
        return look()

    told = telling(3)

    assert (told["task_name"], told["parameters"]) == ("look", {"x": 3})


def test_what_is_put_there_stays_for_the_body() -> None:
    with context({"a": 1}, b=2) as inside:
        assert (inside.a, context["b"], context.get("c")) == (1, 2, None)
        context["c"] = 3
        context.d = 4
        assert (context.c, context["d"]) == (3, 4)
        del context["c"]
        assert "c" not in context

    assert "a" not in context


def test_outside_of_runs_it_has_the_day_and_a_logger() -> None:
    assert isinstance(context.logger, logging.Logger)
    assert context.tomorrow > context.today > context.yesterday
    with pytest.raises(AttributeError, match=r"nadi.context has no 'flow_run_id' here; it has: caches, date"):
        _ = context.flow_run_id


def test_secrets_come_from_the_environment_and_are_masked(monkeypatch: pytest.MonkeyPatch, recorded: Recorded) -> None:
    monkeypatch.setenv("PREFECT__CONTEXT__SECRETS__TOKEN", "hunter2-hunter2")

    @task(log_stdout=True)
    def use() -> str:
        print("using", context.secrets["TOKEN"])
        return str(context.secrets["TOKEN"])

    with Flow("secret") as secret:
        node = use()

    assert secret.run().result[node].result == "hunter2-hunter2"
    assert "using ****" in recorded.logged()
    assert "hunter2" not in recorded.logged()
