from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import pytest

from nadi import task
from nadi.cache_policies import (
    DEFAULT,
    FLOW_PARAMETERS,
    INPUTS,
    NO_CACHE,
    NONE,
    RUN_ID,
    TASK_SOURCE,
    CacheContext,
    CachePolicy,
    Inputs,
)
from nadi.exceptions import DefinitionError, NadiError, Unhashable
from nadi.tasks import task_input_hash


@task
def add(x: Any = 0, y: Any = 0) -> Any:
    return x + y


@task(name="add")
def add_otherwise(x: Any = 0, y: Any = 0) -> Any:
    return y + x


@task
def subtract(x: Any = 0, y: Any = 0) -> Any:
    return x - y


def call(of: Any = add, run: str = "run-1", flow: dict[str, Any] | None = None, **parameters: Any) -> CacheContext:
    return CacheContext(task=of.spec, parameters=parameters, run_id=run, flow_parameters=flow or {})


# -- each policy ------------------------------------------------------------------------------


def test_inputs_shares_between_equal_arguments_of_one_task_whatever_the_code_and_the_run() -> None:
    key = INPUTS.compute_key(call(x=1, y=[2]))

    assert key == INPUTS.compute_key(call(y=[2], x=1, run="run-2", flow={"a": 1}))
    assert key == INPUTS.compute_key(call(add_otherwise, x=1, y=[2]))
    assert key != INPUTS.compute_key(call(x=1, y=[3]))
    assert key != INPUTS.compute_key(call(x=[2], y=1))


@pytest.mark.parametrize("policy", [INPUTS, TASK_SOURCE, RUN_ID, FLOW_PARAMETERS, DEFAULT, INPUTS + RUN_ID])
def test_no_ready_policy_lets_two_tasks_share(policy: CachePolicy) -> None:
    assert policy.compute_key(call(add, x=1)) != policy.compute_key(call(subtract, x=1))


def test_task_source_shares_while_the_code_is_the_same() -> None:
    assert TASK_SOURCE.compute_key(call(x=1)) == TASK_SOURCE.compute_key(call(x=2, run="run-2"))
    assert TASK_SOURCE.compute_key(call(add)) != TASK_SOURCE.compute_key(call(add_otherwise))


def test_run_id_shares_within_a_flow_run_and_says_nothing_outside_of_one() -> None:
    assert RUN_ID.compute_key(call(x=1)) == RUN_ID.compute_key(call(x=2))
    assert RUN_ID.compute_key(call()) != RUN_ID.compute_key(call(run="run-2"))
    assert RUN_ID.compute_key(call(run="")) is None


def test_flow_parameters_shares_where_the_flow_was_given_the_same() -> None:
    key = FLOW_PARAMETERS.compute_key(call(x=1, flow={"day": 1}))

    assert key == FLOW_PARAMETERS.compute_key(call(x=2, run="run-2", flow={"day": 1}))
    assert key != FLOW_PARAMETERS.compute_key(call(x=1, flow={"day": 2}))


def test_default_is_inputs_source_and_run() -> None:
    key = DEFAULT.compute_key(call(x=1))

    assert DEFAULT == INPUTS + TASK_SOURCE + RUN_ID
    assert key == DEFAULT.compute_key(call(x=1, flow={"day": 1}))
    assert key not in {
        DEFAULT.compute_key(other) for other in (call(x=2), call(add_otherwise, x=1), call(x=1, run="run-2"))
    }


def test_no_cache_shares_nothing() -> None:
    assert NO_CACHE.compute_key(call(x=1)) is None
    assert NONE is NO_CACHE


def test_a_key_is_short_text() -> None:
    key = DEFAULT.compute_key(call(x="long" * 1000))

    assert key is not None
    assert len(key) == 32
    assert set(key) <= set("0123456789abcdef")


# -- together ---------------------------------------------------------------------------------


def test_added_policies_share_only_where_all_agree_in_any_order() -> None:
    both, other_way = INPUTS + FLOW_PARAMETERS, FLOW_PARAMETERS + INPUTS
    key = both.compute_key(call(x=1, flow={"day": 1}))

    assert key == other_way.compute_key(call(x=1, flow={"day": 1}))
    assert key != both.compute_key(call(x=2, flow={"day": 1}))
    assert key != both.compute_key(call(x=1, flow={"day": 2}))


def test_a_policy_that_says_nothing_of_a_call_does_not_count() -> None:
    outside = call(x=1, run="")

    assert (INPUTS + RUN_ID).compute_key(outside) == (INPUTS + RUN_ID).compute_key(outside) is not None
    assert (RUN_ID + CachePolicy.from_cache_key_fn(lambda context, parameters: None)).compute_key(outside) is None


def test_adding_no_cache_or_a_policy_twice_changes_nothing() -> None:
    assert INPUTS + NO_CACHE == NO_CACHE + INPUTS == INPUTS + INPUTS == INPUTS
    assert DEFAULT + INPUTS == DEFAULT


def test_an_argument_that_is_left_out_does_not_count() -> None:
    without = INPUTS - "y"

    assert without.compute_key(call(x=1, y=2)) == without.compute_key(call(x=1, y=threading.Lock()))
    assert without.compute_key(call(x=1)) != without.compute_key(call(x=2))
    assert INPUTS - "x" - "y" == INPUTS - "y" - "x" == Inputs(("x", "y", "x"))


def test_an_argument_is_left_out_of_a_sum_too_and_other_policies_stay_as_they_are() -> None:
    without = DEFAULT - "y"

    assert without.compute_key(call(x=1, y=2)) == without.compute_key(call(x=1, y=3))
    assert TASK_SOURCE - "y" == TASK_SOURCE
    assert NO_CACHE - "y" == NO_CACHE


def test_only_a_policy_can_be_added_and_only_a_name_left_out() -> None:
    with pytest.raises(TypeError):
        INPUTS + "x"  # type: ignore[operator]
    with pytest.raises(DefinitionError, match="an argument is left out by its name"):
        INPUTS - 1  # type: ignore[operator]


# -- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (INPUTS, "INPUTS"),
        (INPUTS - "conn", "INPUTS - 'conn'"),
        (DEFAULT, "INPUTS + TASK_SOURCE + RUN_ID"),
        (DEFAULT - "conn", "(INPUTS - 'conn') + TASK_SOURCE + RUN_ID"),
        (FLOW_PARAMETERS.configure(isolation_level="SERIALIZABLE"), "(FLOW_PARAMETERS).configure(isolation_level="),
        (NO_CACHE, "NO_CACHE"),
        (CachePolicy.from_cache_key_fn(task_input_hash), "CachePolicy.from_cache_key_fn(nadi.tasks:"),
    ],
)
def test_a_policy_shows_itself_as_it_is_written(policy: CachePolicy, told: str) -> None:
    assert repr(policy).startswith(told)


def test_configure_gives_another_policy_that_makes_the_same_keys() -> None:
    configured = INPUTS.configure(key_storage="keys", isolation_level="SERIALIZABLE")

    assert configured.key_storage == "keys"
    assert configured.isolation_level == "SERIALIZABLE"
    assert INPUTS.key_storage is None
    assert configured != INPUTS
    assert configured.compute_key(call(x=1)) == INPUTS.compute_key(call(x=1))


def test_a_sum_takes_over_the_options_of_its_parts() -> None:
    total = INPUTS.configure(key_storage="keys") + RUN_ID.configure(isolation_level="SERIALIZABLE")

    assert (total.key_storage, total.isolation_level) == ("keys", "SERIALIZABLE")
    assert total == (INPUTS + RUN_ID).configure(key_storage="keys", isolation_level="SERIALIZABLE")


def test_policies_with_two_values_of_one_option_cannot_be_added() -> None:
    with pytest.raises(DefinitionError, match="two values of key_storage: 'a' and 'b'"):
        INPUTS.configure(key_storage="a") + RUN_ID.configure(key_storage="b")


# -- policies of the user's -------------------------------------------------------------------


def test_a_cache_key_fn_says_the_whole_key() -> None:
    by_name = CachePolicy.from_cache_key_fn(lambda context, parameters: f"{context.task.name}-{parameters['x']}")

    assert by_name.compute_key(call(x=1)) == "add-1"
    assert CachePolicy.from_cache_key_fn(lambda *_: "shared").compute_key(call(subtract)) == "shared"
    assert CachePolicy.from_cache_key_fn(lambda *_: None).compute_key(call()) is None


@pytest.mark.parametrize("key", [5, "", b"key"])
def test_a_cache_key_fn_that_gives_no_text_is_an_error_that_names_the_task(key: Any) -> None:
    with pytest.raises(DefinitionError, match="cache_key_fn of task 'add' gave"):
        CachePolicy.from_cache_key_fn(lambda *_: key).compute_key(call())


def test_task_input_hash_shares_over_runs_where_arguments_and_code_are_the_same() -> None:
    key = task_input_hash(call(x=1), {"x": 1})

    assert key == task_input_hash(call(run="run-2"), {"x": 1})
    assert key != task_input_hash(call(), {"x": 2})
    assert key != task_input_hash(call(add_otherwise), {"x": 1})


def test_a_policy_of_the_users_is_asked_and_can_be_added() -> None:
    class ByRegion(CachePolicy):
        def compute_key(self, context: CacheContext) -> str | None:
            return str(context.flow_parameters["region"])

    total = INPUTS + ByRegion()

    assert ByRegion().compute_key(call(flow={"region": "eu"})) == "eu"
    assert total.compute_key(call(x=1, flow={"region": "eu"})) != total.compute_key(call(x=1, flow={"region": "us"}))
    assert ByRegion() == ByRegion() != INPUTS


def test_a_policy_written_for_prefect_gets_context_inputs_and_flow_parameters() -> None:
    @dataclass
    class Custom(CachePolicy):
        prefix: str = "p"

        def compute_key(  # type: ignore[override]
            self, task_ctx: Any, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
        ) -> str | None:
            return f"{self.prefix}-{task_ctx.task.name}-{inputs['x']}-{flow_parameters['day']}"

    policies: list[CachePolicy] = [Custom("q"), Custom("q").configure(key_storage="keys")]

    assert [policy.compute_key(call(x=1, flow={"day": 2})) for policy in policies] == ["q-add-1-2"] * 2


# -- what cannot be hashed --------------------------------------------------------------------


def test_an_argument_that_cannot_be_hashed_is_named_with_its_task_and_what_to_do() -> None:
    with pytest.raises(Unhashable) as refused:
        DEFAULT.compute_key(call(x=1, y={"pool": [threading.Lock()]}))

    assert isinstance(refused.value, NadiError)
    assert isinstance(refused.value, TypeError)
    assert (refused.value.task, refused.value.argument, refused.value.place) == ("add", "y", "['pool'][0]")
    told = str(refused.value)
    assert "Argument 'y' of task 'add' cannot be part of a cache key: y['pool'][0] is a _thread.lock" in told
    assert "Leave it out: `- 'y'` in the cache_policy of task 'add'" in told


def test_a_parameter_of_the_flow_that_cannot_be_hashed_is_named_as_such() -> None:
    with pytest.raises(Unhashable, match=r"^Flow parameter 'conn' cannot be .* Cache by something else"):
        FLOW_PARAMETERS.compute_key(call(flow={"conn": threading.Lock()}))


def test_policies_that_do_not_look_at_an_argument_do_not_mind_it() -> None:
    held = call(y=threading.Lock())

    assert all(policy.compute_key(held) for policy in (TASK_SOURCE, RUN_ID, FLOW_PARAMETERS, INPUTS - "y"))
