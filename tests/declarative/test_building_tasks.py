"""Tasks as classes and with the keywords of Prefect 1, in both places."""

from __future__ import annotations

import copy
import datetime
import inspect
import logging
from collections.abc import Callable
from typing import Any

import pytest

from nadi import Flow, Task, flow, task
from nadi.exceptions import DefinitionError
from nadi.storage.pickles import pickled, unpickled
from tests.conftest import Recorded

MINUTE = datetime.timedelta(minutes=1)
NOW = datetime.timedelta(0)


class Extract(Task[..., Any]):
    """Read a file."""

    limit = 10

    def __init__(self, path: str = "here", **keywords: Any) -> None:
        self.path = path
        super().__init__(**keywords)

    def run(self, rows: int = 1) -> Any:
        return self.path, rows


def doubled(x: int) -> int:
    return 2 * x


# -- classes ---------------------------------------------------------------------------------


def test_a_class_of_tasks_runs_its_run(recorded: Recorded) -> None:
    @flow
    def outer() -> Any:
        one = Extract("there")
        return one(2), one.submit(rows=3).result(), one.map([4, 5]).result()

    assert outer() == (("there", 2), ("there", 3), [("there", 4), ("there", 5)])
    assert {run.task for run in recorded.task_runs} == {"Extract"}


def test_a_task_of_a_class_is_named_after_it_unless_it_says_otherwise() -> None:
    assert [Extract().name, Extract(name="other").name, Task("third").name, Task().name] == [
        "Extract",
        "other",
        "third",
        "Task",
    ]
    with pytest.raises(DefinitionError, match="'third' is given the name 'fourth' too"):
        Task("third", name="fourth")


def test_a_task_without_a_run_only_stands_in_the_order(recorded: Recorded) -> None:
    assert Task("milestone")() is None
    assert Task("milestone").run() is None


def test_run_calls_the_function_plainly() -> None:
    assert task(doubled).run(3) == 6
    assert Extract("there").run(rows=3) == ("there", 3)
    assert Extract("there").fn(3) == ("there", 3)


def test_the_signature_of_a_class_of_tasks_is_that_of_its_run() -> None:
    assert str(inspect.signature(Extract())) == "(rows: 'int' = 1) -> 'Any'"


def test_a_copy_runs_with_its_own_attributes() -> None:
    one = Extract("there")

    other = one.copy(path="elsewhere", name="other", limit=3)

    assert (other.fn(1), one.fn(1)) == (("elsewhere", 1), ("there", 1))
    assert (other.name, one.name, other.limit, one.limit) == ("other", "Extract", 3, 10)


def test_other_options_keep_the_attributes_of_a_class_of_tasks() -> None:
    other = Extract("there").with_options(name="other", tags=["slow"])

    assert (other.name, other.tags, other.fn(1)) == ("other", frozenset({"slow"}), ("there", 1))
    with pytest.raises(DefinitionError, match=r"Extract.with_options\(\) does not know colour"):
        Extract().with_options(colour="red")


def test_an_object_of_a_class_of_tasks_is_another_task_where_its_attributes_differ() -> None:
    same, other = Extract("here").spec.code, Extract("there").spec.code

    assert Extract("here").spec.code == same
    assert other != same
    assert Extract("here", name="named").spec.code == same


def test_a_class_of_tasks_can_be_pickled_with_its_attributes() -> None:
    one = Extract("there", name="other", max_retries=1, retry_delay=MINUTE)

    again = unpickled(pickled(one))
    run = unpickled(pickled(one.spec.fn))

    assert (again.name, again.max_retries, again.fn(2), run(3)) == ("other", 1, ("there", 2), ("there", 3))


def test_a_class_of_tasks_that_another_class_holds_is_not_bound_to_it() -> None:
    class Holder:
        extract = Extract()

    assert Holder().extract is Holder.extract


def test_a_keyword_set_before_init_says_where_to_set_it() -> None:
    class Early(Task[..., Any]):
        def __init__(self) -> None:
            self.timeout = 3
            super().__init__()

    with pytest.raises(DefinitionError, match=r"Early.__init__ sets 'timeout' before super\(\).__init__\(\)"):
        Early()


def test_a_class_of_tasks_that_does_not_call_its_base_says_so() -> None:
    class Forgetful(Task[..., Any]):
        def __init__(self) -> None:
            self.by = 3

    with Flow("f") as flow, pytest.raises(DefinitionError, match=r"Forgetful.__init__ does not call super\(\)"):
        Forgetful()()
    with pytest.raises(DefinitionError, match=r"Forgetful.__init__ does not call super\(\)"):
        flow.add_task(Forgetful())


def test_the_one_attribute_that_a_class_of_tasks_cannot_have_is_named() -> None:
    class Clashing(Task[..., Any]):
        def __init__(self) -> None:
            super().__init__()
            self.spec = {"layers": 3}  # type: ignore[assignment]  # what users do

    with pytest.raises(DefinitionError, match=r"Clashing sets its attribute 'spec', .* another name"):
        Clashing()


def test_copying_a_task_with_the_copy_module_gives_another_node() -> None:
    one = Extract("there")

    assert copy.copy(one) is not one
    assert copy.copy(one).path == "there"


def test_the_logger_is_there_inside_and_outside_of_runs(recorded: Recorded) -> None:
    class Telling(Task[..., Any]):
        def run(self) -> None:
            self.logger.info("told by %s", "it")

    Telling()()

    assert "told by it" in recorded.logged()
    assert isinstance(Telling().logger, logging.Logger)


# -- copies ----------------------------------------------------------------------------------


def test_a_copy_is_another_node_of_the_same_function() -> None:
    original = task(doubled)

    copied = original.copy()

    assert copied is not original
    assert copied != original
    assert len({copied, original}) == 2
    assert copied.fn is original.fn
    assert copied.spec is original.spec


def test_an_attribute_set_on_a_copy_leaves_the_original_alone() -> None:
    original = task(name="original", tags=["a"])(doubled)

    copied = original.copy()
    copied.name, copied.tags, copied.trigger, copied.skip_on_upstream_skip = "copied", {"b"}, all, False

    assert (copied.name, copied.spec.name, copied.tags) == ("copied", "copied", frozenset({"b"}))
    assert (copied.trigger, copied.skip_on_upstream_skip) == (all, False)
    assert (original.name, original.tags, original.trigger, original.skip_on_upstream_skip) == (
        "original",
        frozenset({"a"}),
        None,
        True,
    )


def test_an_attribute_that_the_engine_reads_takes_effect_when_it_is_set() -> None:
    one = task(doubled)

    one.max_retries, one.retry_delay = 2, MINUTE
    one.timeout, one.log_stdout, one.task_run_name = 5, True, "named"

    assert (one.spec.retry.retries, one.spec.retry.delays) == (2, (60.0,))
    assert (one.spec.timeout, one.spec.log_prints, one.spec.run_name) == (5.0, True, "named")


def test_a_copy_takes_every_keyword_of_either_family() -> None:
    assert task(doubled).copy(max_retries=2, retry_delay=MINUTE).spec.retry.retries == 2
    assert task(doubled).copy(retries=2, timeout_seconds=1.5).spec.timeout == 1.5


def test_what_a_copy_cannot_have_is_named() -> None:
    with pytest.raises(DefinitionError, match=r"doubled has no attribute 'max_retry' .*did you mean 'max_retries'"):
        task(doubled).copy(max_retry=3)
    with pytest.raises(DefinitionError, match="has no attribute 'run'"):
        Extract().copy(run=doubled)


# -- keywords --------------------------------------------------------------------------------


def test_every_keyword_of_prefect_1_is_an_attribute() -> None:
    def handler(*given: Any) -> None: ...

    keywords: dict[str, Any] = {
        "slug": "s",
        "max_retries": 2,
        "retry_delay": MINUTE,
        "retry_on": OSError,
        "timeout": 5,
        "trigger": all,
        "skip_on_upstream_skip": False,
        "cache_for": MINUTE,
        "cache_validator": handler,
        "cache_key": "k",
        "checkpoint": True,
        "state_handlers": [handler],
        "log_stdout": True,
        "result": handler,
        "target": "t",
        "task_run_name": "r",
        "nout": 2,
    }

    one = task(name="one", tags=["t"], **keywords)(doubled)

    assert {name: getattr(one, name) for name in keywords} == keywords
    assert (one.name, one.tags) == ("one", frozenset({"t"}))


def test_keywords_of_prefect_1_mean_the_same_in_the_imperative_place(recorded: Recorded) -> None:
    tries = []

    @task(max_retries=2, retry_delay=NOW, log_stdout=True, timeout=datetime.timedelta(seconds=30))
    def flaky() -> int:
        tries.append(1)
        print("try", len(tries))
        if len(tries) < 3:
            raise OSError("not yet")
        return len(tries)

    assert flaky() == 3
    assert "try 2" in recorded.logged()
    assert flaky.spec.timeout == 30.0


def test_retry_on_says_after_which_errors_to_try_again(recorded: Recorded) -> None:
    tries = []

    @task(max_retries=5, retry_delay=NOW, retry_on=(OSError, KeyError))
    def flaky() -> None:
        tries.append(1)
        raise OSError("once") if len(tries) == 1 else ValueError("for good")

    with pytest.raises(ValueError, match="for good"):
        flaky()
    assert len(tries) == 2


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"max_retries": 2}, "max_retries needs a retry_delay beside it"),
        ({"retry_delay": MINUTE}, "retry_delay needs a max_retries greater than 0 beside it"),
        ({"max_retries": 0, "retry_delay": MINUTE}, "retry_delay needs a max_retries greater than 0"),
        ({"max_retries": -1, "retry_delay": MINUTE}, "max_retries must be a whole number of at least 0, not -1"),
        ({"max_retries": 1, "retry_delay": 5}, "retry_delay must be a timedelta of at least 0, not 5"),
        ({"timeout": 1.5}, "timeout must be whole seconds, a number or a timedelta, not 1.5"),
        ({"timeout": -1}, "timeout must be whole seconds"),
        ({"timeout": "5"}, "timeout must be whole seconds"),
        ({"retry_on": OSError}, "retry_on needs a max_retries greater than 0 beside it"),
        ({"retry_on": 3, "max_retries": 1, "retry_delay": NOW}, "retry_on must be an exception class or several"),
        ({"retry_on": [3], "max_retries": 1, "retry_delay": NOW}, "retry_on must be an exception class or several"),
        ({"trigger": "all_failed"}, "trigger must be a function of nadi.triggers or one like it, not 'all_failed'"),
        ({"state_handlers": print}, r"state_handlers must be a list of functions \(task, old_state, new_state\)"),
        ({"cache_for": 60}, "cache_for must be a timedelta, not 60"),
        ({"slug": 3}, "slug must be a string, not 3"),
        ({"nout": -1}, "nout must be a whole number of at least 0, not -1"),
        ({"tags": "slow"}, r"tags must be several strings, such as \['slow'\], not one"),
        ({"slug": "s", "retries": 3}, "slug is a keyword of Prefect 1 and retries one of Prefect 3"),
        ({"max_retries": 0, "log_prints": False}, "max_retries is a keyword of Prefect 1 and log_prints one of"),
        ({"skip_on_upstream_skip": False, "timeout_seconds": 1}, "skip_on_upstream_skip is a keyword of Prefect 1"),
        ({"on_failure": print, "retries": 1}, "on_failure is a keyword of Prefect 1 and retries one of Prefect 3"),
    ],
)
def test_a_keyword_of_prefect_1_that_cannot_work_is_refused_where_it_stands(
    keywords: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=f"@task doubled: .*{words}"):
        task(**keywords)(doubled)


def test_hooks_may_stand_beside_keywords_of_either_family() -> None:
    one = task(max_retries=1, retry_delay=NOW, on_failure=[print], on_completion=[print])(doubled)

    @one.on_failure
    def told(*given: Any) -> None: ...

    assert one.copy(slug="s").spec.hooks.failure == (print, told)


def test_a_hook_is_not_added_beside_an_on_failure_of_prefect_1() -> None:
    one = task(on_failure=print)(doubled)

    with pytest.raises(DefinitionError, match=r"doubled was given a function as on_failure, .* Give a list of hooks"):
        one.on_failure(print)


# -- what is told about a task ---------------------------------------------------------------


def test_inputs_and_outputs_tell_the_signature() -> None:
    @task
    def joined(rows: list[int], sep: str = ",") -> str:
        return sep.join(map(str, rows))

    assert joined.inputs() == {
        "rows": {"type": list[int], "required": True},
        "sep": {"type": str, "required": False},
    }
    assert joined.outputs() is str
    assert task(lambda x: x).inputs() == {"x": {"type": Any, "required": True}}
    assert task(lambda x: x).outputs() is Any


# -- unpacking -------------------------------------------------------------------------------


def pair() -> tuple[int, str]:
    return 1, "one"


def many() -> tuple[int, ...]:
    return (1, 2)


@pytest.mark.parametrize("make", [lambda: task(pair), lambda: task(nout=2)(doubled)])
def test_a_node_is_unpacked_into_as_many_items_as_were_told(make: Callable[[], Any]) -> None:
    made = make()

    with Flow("f") as flow:
        node: Any = made.copy().bind(**({"x": 1} if made.fn is doubled else {}))
        first, second = node

    assert [flow.constants[one]["key"] for one in (first, second)] == [0, 1]
    assert flow.upstream_tasks(first) == flow.upstream_tasks(second) == {node}


@pytest.mark.parametrize("function", [doubled, many])
def test_a_node_whose_items_nobody_counted_is_not_iterable(function: Any) -> None:
    with Flow("f"):
        node = task(function).copy()

        with pytest.raises(TypeError, match=f"{node.name} cannot be unpacked or iterated, .* Give it nout="):
            list(node)
