"""Values of declared tasks that outlive their run: targets, results, and `cache_for` with its validators."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nadi import Flow, Parameter, context, task
from nadi.declarative import validators
from nadi.declarative.results import ConstantResult, LocalResult, PrefectResult
from nadi.declarative.serializers import (
    CompressedSerializer,
    DateTimeSerializer,
    JSONSerializer,
    PickleSerializer,
    Serializer,
)
from nadi.declarative.states import Cached, Success
from nadi.exceptions import DefinitionError, NotKept
from nadi.executors.naming import NAMES
from tests.conftest import Recorded


@pytest.fixture(autouse=True)
def _no_values_of_other_tests() -> Iterator[None]:
    context.caches.clear()
    yield
    context.caches.clear()


def counting(**keywords: Any) -> tuple[Any, list[Any]]:
    calls: list[Any] = []

    @task(**keywords)
    def compute(x: Any = 1) -> Any:
        calls.append(x)
        return x * 10

    return compute, calls


# -- targets --------------------------------------------------------------------------------


def test_a_task_whose_target_exists_is_cached_and_does_not_run(tmp_path: Path, recorded: Recorded) -> None:
    compute, calls = counting(target="{task_name}-{date:%Y}.pkl", result=LocalResult(dir=str(tmp_path)))
    with Flow("targets") as targets:
        node = compute(4)

    first = targets.run().result[node]
    second = targets.run().result[node]

    assert (type(first), type(second)) == (Success, Cached)
    assert (second.result, calls) == (40, [4])
    year = datetime.datetime.now(datetime.UTC).year
    assert [path.name for path in tmp_path.iterdir()] == [f"compute-{year}.pkl"]
    assert recorded.states() == {"compute-1": "Cached"}


@pytest.mark.parametrize("executor", sorted(NAMES))
def test_a_target_names_parameters_inputs_and_the_index(executor: str, tmp_path: Path, recorded: Recorded) -> None:
    @task(target="{region}/{x}/{map_index}.json", result=LocalResult(str(tmp_path), serializer=JSONSerializer()))
    def compute(x: Any) -> Any:
        return x * 10

    with Flow("targets") as targets:
        Parameter("region")()
        node = compute.map([4, 5])

    state = targets.run(region="eu", executor=executor)

    assert state.result[node].result == [40, 50]
    assert json.loads((tmp_path / "eu" / "5" / "1.json").read_text()) == 50
    again = targets.run(region="eu", executor=executor).result[node]
    assert [type(child) for child in again.map_states] == [Cached, Cached]


def test_a_target_may_be_a_function_of_what_is_known(tmp_path: Path, recorded: Recorded) -> None:
    compute, _ = counting(target=lambda **known: f"{known['x']}.pkl", result=LocalResult(str(tmp_path)))
    with Flow("targets") as targets:
        compute(4)

    targets.run()

    assert [path.name for path in tmp_path.iterdir()] == ["4.pkl"]


def test_the_result_of_the_flow_serves_for_tasks_without_one(tmp_path: Path, recorded: Recorded) -> None:
    compute, _ = counting(target="here.pkl")
    with Flow("targets", result=LocalResult(str(tmp_path))) as targets:
        compute(4)

    targets.run()

    assert (tmp_path / "here.pkl").exists()


@pytest.mark.parametrize("keywords", [{"checkpoint": False}, {}])
def test_nothing_is_written_without_checkpoint_or_value(
    keywords: dict[str, Any], tmp_path: Path, recorded: Recorded
) -> None:
    @task(target="nothing.pkl", result=LocalResult(str(tmp_path)), **keywords)
    def compute() -> Any:
        return 1 if keywords else None

    with Flow("targets") as targets:
        compute()

    assert targets.run().is_successful()
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_names_nothing_known_fails_its_task_with_a_sentence(tmp_path: Path, recorded: Recorded) -> None:
    compute, calls = counting(target="{nonsense}.pkl", result=LocalResult(str(tmp_path)))
    with Flow("targets") as targets:
        node = compute()

    state = targets.run().result[node]

    assert "'{nonsense}.pkl' cannot be filled in" in str(state.message)
    assert calls == []


def test_a_value_that_cannot_be_written_fails_its_task(tmp_path: Path, recorded: Recorded) -> None:
    @task(target="x.json", result=LocalResult(str(tmp_path), serializer=JSONSerializer()))
    def compute() -> object:
        return object()

    with Flow("targets") as targets:
        node = compute()

    assert isinstance(targets.run().result[node].result, NotKept)


# -- results --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("serializer", "value"),
    [
        (PickleSerializer(), {1, 2}),
        (JSONSerializer(), {"a": [1]}),
        (DateTimeSerializer(), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
        (CompressedSerializer(JSONSerializer()), [1] * 100),
    ],
)
def test_a_local_result_writes_reads_and_tells_what_is_there(
    serializer: Serializer, value: Any, tmp_path: Path
) -> None:
    result = LocalResult(dir=str(tmp_path), location="{name}.bin", serializer=serializer)

    written = result.write(value, name="here")

    assert (written.location, written.value) == ("here.bin", value)
    assert result.exists("{name}.bin", name="here")
    assert not result.exists("elsewhere.bin")
    assert result.read("here.bin").value == value
    assert result.value is None


def test_other_results_hold_their_value_themselves() -> None:
    written = PrefectResult().write({"a": 1})

    assert written.location == '{"a":1}'
    assert PrefectResult().read('{"a":1}').value == {"a": 1}
    assert ConstantResult(value=3).read("anywhere").value == 3
    with pytest.raises(DefinitionError, match="nothing can be written"):
        ConstantResult(value=3).write(4)


# -- cache_for ------------------------------------------------------------------------------


def test_values_are_kept_across_runs_in_this_process_for_cache_for(recorded: Recorded) -> None:
    compute, calls = counting(cache_for=timedelta(hours=1))
    with Flow("caching") as caching:
        node = compute(4)

    first, second = caching.run().result[node], caching.run().result[node]

    assert (type(first), type(second), second.result) == (Success, Cached, 40)
    assert calls == [4]


def test_a_value_is_computed_again_once_cache_for_is_over(recorded: Recorded) -> None:
    compute, calls = counting(cache_for=timedelta(hours=1))
    with Flow("caching") as caching:
        compute(4)
    caching.run()

    for state in context.caches["compute"]:
        state.cached_result_expiration -= timedelta(hours=2)
    caching.run()

    assert calls == [4, 4]


@pytest.mark.parametrize(
    ("validator", "calls"),
    [
        (validators.duration_only, [(1, 1)]),
        (validators.never_use, [(1, 1), (2, 1), (1, 2), (1, 1)]),
        (validators.all_inputs, [(1, 1), (2, 1)]),
        (validators.all_parameters, [(1, 1), (2, 1), (1, 2)]),
        (validators.partial_inputs_only(["x"]), [(1, 1), (2, 1)]),
        (validators.partial_inputs_only([]), [(1, 1)]),
        (validators.partial_parameters_only(["other"]), [(1, 1), (1, 2)]),
        (validators.partial_parameters_only(), [(1, 1), (2, 1), (1, 2)]),
    ],
)
def test_a_validator_says_which_earlier_values_serve(validator: Any, calls: Any, recorded: Recorded) -> None:
    made: list[Any] = []

    @task(cache_for=timedelta(hours=1), cache_validator=validator)
    def compute(x: Any) -> Any:
        made.append((x, context["parameters"]["other"]))
        return x * 10

    with Flow("caching") as caching:
        x = Parameter("x")
        Parameter("other")()
        compute(x)

    for given in [(1, 1), (2, 1), (1, 2), (1, 1)]:
        caching.run(x=given[0], other=given[1])

    assert made == calls


def test_tasks_with_one_cache_key_share_their_values(recorded: Recorded) -> None:
    one, one_calls = counting(cache_for=timedelta(hours=1), cache_key="shared")
    other, other_calls = counting(name="other", cache_for=timedelta(hours=1), cache_key="shared")
    for number, compute in enumerate([one, other]):
        with Flow(f"caching {number}") as caching:
            compute(4)
        caching.run()

    assert (one_calls, other_calls) == ([4], [])
