"""Calls of tasks inside of `with Flow(...)`: nodes, arguments, edges."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from nadi import Flow, Task, flow, tags, task
from nadi.declarative import Edge
from nadi.engine.annotations import allow_failure, quote
from nadi.exceptions import ContextError, DefinitionError, ParameterBindError
from tests.conftest import Recorded


@task
def extract(source: str = "db") -> Any:
    return source


@task
def load(rows: Any, target: str = "lake", *, retries: int = 0) -> Any:
    return rows, target, retries


class Extract(Task[..., Any]):
    def __init__(self, path: str = "here", **keywords: Any) -> None:
        self.path = path
        super().__init__(**keywords)

    def run(self, rows: int = 1) -> Any:
        return self.path, rows


def into(task: Any, flow: Flow) -> set[tuple[str, str | None]]:
    """The edges to a task: from where, as which argument."""
    return {(edge.upstream_task.name, edge.key) for edge in flow.edges_to(task)}


def test_a_call_inside_of_the_block_adds_a_copy_and_runs_nothing() -> None:
    ran = []

    @task
    def noted() -> None:
        ran.append(1)

    with Flow("f") as flow:
        first: Any = noted()
        second: Any = noted()

    assert ran == []
    assert flow.tasks == {first, second}
    assert isinstance(first, Task)
    assert first is not noted
    assert first is not second


def test_a_call_outside_of_the_block_runs_the_task_as_ever(recorded: Recorded) -> None:
    with Flow("f"):
        extract()

    assert extract("x") == "x"


def test_an_argument_that_is_a_task_becomes_an_edge_with_its_name() -> None:
    with Flow("f") as flow:
        rows: Any = extract()
        done: Any = load(rows, retries=extract())

    assert into(done, flow) == {("extract", "rows"), ("extract", "retries")}
    assert Edge(rows, done, "rows") in flow.edges


def test_constants_are_kept_by_task_and_are_no_tasks() -> None:
    with Flow("f") as flow:
        done: Any = load([1, {"a": 2}], target="here")

    assert flow.tasks == {done}
    assert flow.constants == {done: {"rows": [1, {"a": 2}], "target": "here"}}


def test_a_default_that_nobody_passed_is_no_constant() -> None:
    with Flow("f") as flow:
        extract()

    assert flow.constants == {}


def test_upstream_tasks_give_the_order_alone() -> None:
    with Flow("ml_pipeline") as flow:
        data: Any = extract()
        processed: Any = extract(upstream_tasks=[data])

    assert flow.edges == {Edge(data, processed)}
    assert next(iter(flow.edges)).key is None


def test_a_task_named_in_upstream_tasks_without_a_call_is_added_itself() -> None:
    first = Extract()

    with Flow("f") as flow:
        done: Any = Extract()(upstream_tasks=[first])

    assert flow.upstream_tasks(done) == {first}


def test_bind_adds_the_very_task_and_no_copy() -> None:
    one = Extract()

    with Flow("f") as flow:
        bound = one.bind(rows=3)

    assert bound is one
    assert flow.tasks == {one}
    assert flow.constants == {one: {"rows": 3}}


def test_an_argument_that_is_bound_already_cannot_be_bound_again() -> None:
    one = Extract()

    with Flow("f"):
        one.bind(rows=3)
        with pytest.raises(
            DefinitionError, match=r"The argument 'rows' of the task Extract-1 is given already in .* 'f'"
        ):
            one.bind(rows=4)


def test_flow_names_the_flow_where_no_block_is_open() -> None:
    flow = Flow("f")

    rows: Any = extract(flow=flow)
    done = Extract().bind(flow=flow, upstream_tasks=[rows])
    mapped: Any = load.map([1, 2], flow=flow)

    assert {rows, done, mapped} <= flow.tasks


def test_flow_names_another_flow_than_the_one_that_is_open() -> None:
    other = Flow("other")

    with Flow("f") as flow:
        rows: Any = extract(flow=other)

    assert (flow.tasks, other.tasks) == (set(), {rows})


def test_blocks_of_two_flows_may_stand_in_each_other() -> None:
    with Flow("outer") as outer:
        first: Any = extract()
        with Flow("inner") as inner:
            second: Any = extract()
        third: Any = extract()

    assert (outer.tasks, inner.tasks) == ({first, third}, {second})


def test_a_block_that_an_error_leaves_is_closed(recorded: Recorded) -> None:
    with pytest.raises(RuntimeError, match="stop"), Flow("f"):
        raise RuntimeError("stop")

    assert extract("x") == "x"


def test_task_args_set_attributes_of_the_copy() -> None:
    with Flow("f"):
        one: Any = Extract()(task_args={"name": "renamed", "path": "there", "nout": 2})
        two: Any = extract(task_args={"tags": ["slow"], "slug": "first"})

    assert (one.name, one.path, one.nout) == ("renamed", "there", 2)
    assert (two.tags, two.slug, extract.slug) == (frozenset({"slow"}), "first", None)


def test_task_args_that_no_task_has_are_named() -> None:
    with (
        Flow("f"),
        pytest.raises(DefinitionError, match=r"Extract has no attribute 'pat' .* \(did you mean 'path'\?\)"),
    ):
        Extract()(task_args={"pat": "there"})


def test_tags_around_a_call_are_added_to_the_copy() -> None:
    with Flow("f") as flow, tags("nightly"):
        one: Any = Extract(tags=["slow"])()

    assert flow.get_tasks(tags=["nightly", "slow"]) == [one]


@pytest.mark.parametrize(
    ("args", "keywords", "words"),
    [
        ((), {}, r"missing 'rows'"),
        ((1,), {"rows": 2}, r"was given 'rows' twice"),
        ((1,), {"row": 2}, r"no parameter 'row' \(did you mean 'rows'\?\)"),
        ((1, 2, 3), {}, r"at most 2 positional"),
    ],
)
def test_arguments_are_checked_where_they_are_given_and_nothing_is_added(args: Any, keywords: Any, words: str) -> None:
    with Flow("f") as flow, pytest.raises(ParameterBindError, match=words):
        load(*args, **keywords)

    assert flow.tasks == set()


def test_parameters_by_position_only_are_a_type_error() -> None:
    @task
    def strict(rows: int, /) -> None: ...

    with Flow("f"), pytest.raises(TypeError, match=r"strict takes 'rows' by position only, .* Take the `/` out"):
        strict(1)


@pytest.mark.parametrize("name", ["mapped", "task_args", "upstream_tasks", "flow"])
def test_a_parameter_with_a_name_that_calls_keep_for_themselves_is_refused(name: str) -> None:
    names: dict[str, Any] = {}
    exec(f"def takes({name}=None): pass", names)

    with Flow("f"), pytest.raises(DefinitionError, match=f"takes has a parameter named '{name}', .* Rename"):
        task(names["takes"])()


def test_such_a_parameter_is_no_trouble_outside_of_a_flow(recorded: Recorded) -> None:
    @task
    def takes(flow: Any, mapped: bool) -> Any:
        return flow, mapped

    assert takes(flow="f", mapped=True) == ("f", True)


def test_variadic_arguments_are_bound_too() -> None:
    @task
    def joined(*parts: Any, **named: Any) -> Any:
        return parts, named

    with Flow("f") as flow:
        one: Any = joined(1, extract(), last=extract(), size=3)

    assert into(one, flow) == {("Tuple", "parts"), ("extract", "last")}
    assert flow.constants[one] == {"size": 3}


def test_a_collection_with_tasks_inside_becomes_a_task_that_makes_it() -> None:
    with Flow("f") as flow:
        a, b = Extract(name="a")(), Extract(name="b")()
        done: Any = load([a, {"k": (b, 1)}, 2])

    (outer,) = flow.upstream_tasks(done)
    (inner,) = flow.get_tasks(name="Dict")
    assert outer.name == "List"
    assert into(outer, flow) == {("a", "item_0"), ("Dict", "item_1")}
    assert flow.constants[outer] == {"item_2": 2}
    assert flow.constants[inner] == {"keys": ["k"]}
    assert {name for name, _ in into(inner, flow)} == {"List"}
    assert outer.fn(item_0="a", item_1={}, item_2=2) == ["a", {}, 2]


def test_each_kind_of_collection_is_made_again() -> None:
    with Flow("f") as flow:
        a: Any = Extract(name="a")()
        for collection in ([a], (a,), {a}, frozenset({a}), {"a": a}, {a: 1}):
            load(collection)

    made = [one for one in flow.sorted_tasks() if one.auto_generated and one.name != "List"]
    assert [one.name for one in made] == ["Tuple", "Set", "Set", "Dict", "Dict"]
    assert made[0].fn(item_0=1) == (1,)
    assert made[1].fn(item_0=1, item_1=2) == {1, 2}
    assert made[3].fn(keys=["a"], values=[1]) == {"a": 1}


def test_the_items_of_a_set_are_told_in_the_order_of_adding() -> None:
    with Flow("f") as flow:
        some = [Extract(name=f"e{number}")() for number in range(20)]
        load(set(some))

    (made,) = flow.get_tasks(name="Set")
    assert [edge.upstream_task for edge in flow.incoming(made)] == some


def test_a_collection_of_tasks_that_holds_itself_is_refused() -> None:
    with Flow("f"):
        circle: list[Any] = [Extract()()]
        circle.append(circle)

        with pytest.raises(DefinitionError, match="holds tasks and itself"):
            load(circle)


def test_a_quoted_argument_is_not_looked_into() -> None:
    with Flow("f") as flow:
        inner: Any = extract()
        done: Any = load(quote([inner]))

    assert flow.constants == {done: {"rows": [inner]}}


def test_a_mark_of_the_other_style_is_refused_with_what_serves_here() -> None:
    with Flow("f"), pytest.raises(DefinitionError, match=r"allow_failure\(\) has no meaning .* trigger"):
        load(allow_failure(extract()))


@pytest.mark.parametrize("wrong", [extract, "extract", [3]])
def test_upstream_tasks_must_be_a_list_of_tasks(wrong: Any) -> None:
    with Flow("f"), pytest.raises(DefinitionError, match="upstream_tasks of the task extract must be a list of tasks"):
        extract(upstream_tasks=wrong)


def test_set_upstream_and_set_downstream_add_edges_with_and_without_a_key() -> None:
    a, b, c = Extract(name="a"), Extract(name="b"), Extract(name="c")
    flow = Flow("f")

    b.set_upstream(a, flow=flow)
    b.set_downstream(c, flow=flow, key="rows", mapped=True)

    assert flow.edges == {Edge(a, b), Edge(b, c, "rows", mapped=True)}


def test_set_dependencies_says_all_at_once() -> None:
    a, b, c, d = (Extract(name=name) for name in "abcd")

    with Flow("f") as flow:
        given = b.set_dependencies(upstream_tasks=[a], downstream_tasks=[c], keyword_tasks={"rows": d})

    assert given is b
    assert flow.edges == {Edge(a, b), Edge(b, c), Edge(d, b, "rows")}


def test_a_pipe_is_an_edge_and_gives_its_right_side() -> None:
    a, b, c = Extract(name="a"), Extract(name="b"), Extract(name="c")

    with Flow("f") as flow:
        last = a | b | c

    assert last is c
    assert flow.edges == {Edge(a, b), Edge(b, c)}


def test_pipe_calls_the_next_task_with_this_one_first() -> None:
    with Flow("f") as flow:
        rows: Any = Extract()()
        done = rows.pipe(load, target="there")

    assert into(done, flow) == {("Extract", "rows")}
    assert flow.constants[done] == {"target": "there"}


def test_verbs_outside_of_every_flow_say_how_to_name_one() -> None:
    one = Extract()

    for build in (
        lambda: one.bind(),
        lambda: one.set_upstream(one),
        lambda: one + 1,
        lambda: one[0],
        lambda: one | one,
    ):
        with pytest.raises(ValueError, match=r"on the task Extract builds the graph .* no `with Flow\(...\)` is open"):
            build()


def test_submitting_inside_of_the_block_is_refused() -> None:
    with (
        Flow("f"),
        pytest.raises(ContextError, match=r"extract.submit\(\) would run something inside of `with Flow\('f'\)`"),
    ):
        extract.submit()


def test_an_imperative_flow_inside_of_the_block_is_refused() -> None:
    @flow
    def other() -> None: ...

    with Flow("f"):
        with pytest.raises(RuntimeError, match=r"other\(\) would run something inside"):
            other()
        with pytest.raises(RuntimeError, match=r"other.submit\(\) would run something inside"):
            other.submit()


def test_running_a_declared_flow_inside_of_a_block_is_a_runtime_error() -> None:
    other = Flow("other")

    with Flow("f") as flow:
        for run in (flow.run, other.run, other):
            with pytest.raises(RuntimeError, match=r"would run something inside of `with Flow\('f'\)`"):
                run()


def test_a_flow_can_be_declared_inside_of_a_running_flow_and_task(recorded: Recorded) -> None:
    def names() -> list[str]:
        with Flow("inner") as inner:
            load(extract())
        return [one.name for one in inner.sorted_tasks()]

    @task
    def builds() -> list[str]:
        return names()

    @flow
    def outer() -> Any:
        return names(), builds(), builds.submit().result(), extract()

    assert outer() == (["extract", "load"], ["extract", "load"], ["extract", "load"], "db")


def test_importing_nadi_loads_nothing_of_the_declarative_style() -> None:
    probe = "import sys, nadi; print([name for name in sys.modules if 'declarative' in name])"

    told = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"
