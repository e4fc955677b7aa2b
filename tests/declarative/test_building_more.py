"""Operators, parameters and maps in the graph of a declared flow."""

from __future__ import annotations

import datetime
import operator
from typing import Any

import pytest

from nadi import DateTimeParameter, Flow, Parameter, Task, apply_map, flatten, mapped, task, unmapped
from nadi.declarative import Edge
from nadi.declarative.operators import OPERATIONS
from nadi.exceptions import DefinitionError, ParameterBindError, ParameterTypeError


class Step(Task[..., Any]):
    def run(self, x: Any = None, y: Any = None) -> Any:
        return x, y


@task
def add(x: Any, y: Any = 1) -> Any:
    return x + y


# -- operators -------------------------------------------------------------------------------

BINARY = [
    (operator.add, "Add"),
    (operator.sub, "Sub"),
    (operator.mul, "Mul"),
    (operator.truediv, "Div"),
    (operator.floordiv, "FloorDiv"),
    (operator.mod, "Mod"),
    (operator.pow, "Pow"),
    (operator.gt, "GreaterThan"),
    (operator.ge, "GreaterThanOrEqual"),
    (operator.lt, "LessThan"),
    (operator.le, "LessThanOrEqual"),
]


@pytest.mark.parametrize(("operation", "name"), BINARY)
def test_an_operator_builds_a_task_with_the_operands_in_place(operation: Any, name: str) -> None:
    with Flow("f") as flow:
        a, b = Step(name="a").bind(), Step(name="b").bind()
        both, right = operation(a, b), operation(a, 3)

    assert (both.name, right.name) == (name, name)
    assert flow.edges_to(both) == {Edge(a, both, "x"), Edge(b, both, "y")}
    assert (flow.edges_to(right), flow.constants[right]) == ({Edge(a, right, "x")}, {"y": 3})
    assert OPERATIONS[name](7, 2) == operation(7, 2)


@pytest.mark.parametrize(("operation", "name"), BINARY)
def test_a_reflected_operator_keeps_the_order_of_its_operands(operation: Any, name: str) -> None:
    with Flow("f") as flow:
        made = operation(3, Step().bind())

    (edge,) = flow.edges_to(made)
    values = {str(edge.key): 2, **flow.constants[made]}
    assert made.fn(**values) == operation(3, 2)


def test_comparing_for_equality_compares_tasks_and_methods_build() -> None:
    with Flow("f") as flow:
        a, b = Step(name="a").bind(), Step(name="b").bind()
        made = [a.is_equal(b), a.is_not_equal(3), a.not_(), a.or_(b), a.and_(b), a & b, 3 & a]

    assert a == a
    assert a != b
    assert [one.name for one in made] == ["Equal", "NotEqual", "Not", "Or", "And", "And", "And"]
    assert flow.constants[made[-1]] == {"x": 3}
    assert [OPERATIONS[name](0, 5) for name in ("Equal", "NotEqual", "Or", "And")] == [False, True, 5, 0]
    assert OPERATIONS["Not"](0) is True


def test_indexing_builds_a_task_that_takes_the_item() -> None:
    with Flow("f") as flow:
        a, b = Step(name="a").bind(), Step(name="b").bind()
        by_constant, by_task = a["k"], a[b]

    assert by_constant.name == "a['k']"
    assert flow.constants[by_constant] == {"key": "k"}
    assert flow.edges_to(by_task) == {Edge(a, by_task, "task_result"), Edge(b, by_task, "key")}
    assert by_constant.fn({"k": 3}, "k") == 3


def test_tasks_of_operators_are_known_as_made_by_the_flow() -> None:
    with Flow("f"):
        one = Step().bind()
        made = one + 1

    assert (one.auto_generated, made.auto_generated) == (False, True)


# -- parameters ------------------------------------------------------------------------------


def test_a_parameter_is_added_itself_when_it_is_used() -> None:
    with Flow("f") as flow:
        p = Parameter("p")
        unused = Parameter("unused")
        done: Any = add(p)

    assert flow.parameters() == {p}
    assert unused not in flow.tasks
    assert flow.edges_to(done) == {Edge(p, done, "x")}
    assert flow.slugs[p] == p.slug == "p"


def test_calling_a_parameter_adds_it_and_gives_it_back() -> None:
    with Flow("f") as flow:
        p = Parameter("p")
        same = p()
        with pytest.raises(ParameterBindError, match="'p' takes no arguments"):
            p(3)

    assert same is p
    assert flow.tasks == {p}


def test_a_parameter_is_required_unless_it_has_a_default() -> None:
    told = [
        (one.required, one.default)
        for one in (
            Parameter("p"),
            Parameter("p", default=3),
            Parameter("p", default=None),
            Parameter("p", required=False),
            Parameter("p", default=3, required=True),
        )
    ]

    assert told == [(True, None), (False, 3), (False, None), (False, None), (True, 3)]


def test_two_parameters_of_one_name_are_an_error() -> None:
    with Flow("f"):
        add(Parameter("p"))

        with pytest.raises(ValueError, match="The flow 'f' has a parameter named 'p' already"):
            add(Parameter("p"))


def test_a_parameter_may_be_copied_under_another_name() -> None:
    one = Parameter("p", default=3, tags=["t"])

    other = one.copy("q")

    assert (other.name, other.slug, other.default, other.tags) == ("q", "q", 3, frozenset({"t"}))
    assert (one.name, one.slug) == ("p", "p")


def test_the_signature_has_required_parameters_first_and_else_the_order_of_adding() -> None:
    with Flow("nightly") as flow:
        for one in (Parameter("a", default=1), Parameter("b"), Parameter("c", default=None), Parameter("d")):
            one()

    taken = flow.signature()

    assert taken.names == ("b", "d", "a", "c")
    assert taken.bind((), {"b": 1, "d": 2, "c": 3}) == {"b": 1, "d": 2, "a": 1, "c": 3}
    assert taken.schema()["required"] == ["b", "d"]
    with pytest.raises(ParameterBindError, match=r"nightly\(\) has no parameter 'e'; and is missing 'b', 'd'"):
        taken.bind((), {"e": 1})
    with pytest.raises(ParameterBindError, match=r"nightly\(\) takes its parameters by name"):
        taken.bind((1,), {})


def test_a_parameter_may_have_any_name() -> None:
    flow = Flow("f", tasks=[Parameter("batch size"), Parameter("class")])

    assert flow.signature().bind((), {"batch size": 3, "class": 4}) == {"batch size": 3, "class": 4}


def test_a_datetime_parameter_reads_text() -> None:
    flow = Flow("f", tasks=[DateTimeParameter("since"), DateTimeParameter("until", required=False)])
    taken = flow.signature()
    bound = taken.bind((), {"since": "2026-01-02T03:04:05+00:00"})

    checked = taken.validate(bound)

    assert checked == {"since": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "until": None}
    assert taken.from_text({"until": "2026-01-02"})["until"].day == 2
    assert taken.schema()["properties"]["since"]["format"] == "date-time"
    with pytest.raises(ParameterTypeError, match="since: expected"):
        taken.validate(taken.bind((), {"since": "soon"}))


# -- maps ------------------------------------------------------------------------------------


def test_map_maps_over_every_argument_but_the_unmapped_ones() -> None:
    with Flow("f") as flow:
        a, b = Step(name="a").bind(), Step(name="b").bind()
        done: Any = add.map(a, y=unmapped(b))

    assert flow.edges_to(done) == {Edge(a, done, "x", mapped=True), Edge(b, done, "y")}


def test_a_constant_that_is_mapped_over_becomes_a_task_and_an_unmapped_one_does_not() -> None:
    with Flow("f") as flow:
        done: Any = add.map([1, 2], unmapped(3))

    (edge,) = flow.edges_to(done)
    source: Any = edge.upstream_task
    assert (edge.key, edge.mapped, source.name) == ("x", True, "Constant[list]")
    assert flow.constants == {source: {"value": [1, 2]}, done: {"y": 3}}
    assert source.fn([1, 2]) == [1, 2]


def test_order_only_upstream_tasks_are_mapped_too_unless_they_say_otherwise() -> None:
    with Flow("f") as flow:
        a, b = Step(name="a").bind(), Step(name="b").bind()
        done: Any = add.map([1], upstream_tasks=[a, unmapped(b)])

    assert {Edge(a, done, mapped=True), Edge(b, done)} <= flow.edges_to(done)


def test_a_call_maps_over_what_is_marked_as_mapped() -> None:
    with Flow("f") as flow:
        a, b = Step(name="a").bind(), Step(name="b").bind()
        done: Any = add(mapped(a), b)
        all_of_it: Any = add(a, unmapped(b), mapped=True)

    assert flow.edges_to(done) == {Edge(a, done, "x", mapped=True), Edge(b, done, "y")}
    assert flow.edges_to(all_of_it) == {Edge(a, all_of_it, "x", mapped=True), Edge(b, all_of_it, "y")}


def test_flatten_marks_the_edge_with_and_without_a_map() -> None:
    with Flow("f") as flow:
        a = Step(name="a").bind()
        over: Any = add.map(flatten(a), unmapped(flatten(a)))
        whole: Any = add(flatten(a))

    assert flow.edges_to(over) == {Edge(a, over, "x", mapped=True, flattened=True), Edge(a, over, "y", flattened=True)}
    assert flow.edges_to(whole) == {Edge(a, whole, "x", flattened=True)}


def test_map_takes_task_args_and_upstream_tasks_and_makes_a_copy() -> None:
    with Flow("f") as flow:
        a = Step(name="a").bind()
        done: Any = add.map([1], task_args={"name": "renamed"}, upstream_tasks=[unmapped(a)])

    assert done is not add
    assert done.name == "renamed"
    assert a in flow.upstream_tasks(done)


def test_apply_map_maps_every_task_that_the_function_adds() -> None:
    def piece(item: Any, factor: Any) -> Any:
        scaled = add(item, factor)
        return Step(name="last")(x=scaled, y=outside)

    with Flow("f") as flow:
        items, factor, outside = (Step(name=name).bind() for name in ("items", "factor", "outside"))
        last: Any = apply_map(piece, items, factor=unmapped(factor))

    (scaled,) = flow.get_tasks(name="add")
    assert flow.edges_to(scaled) == {Edge(items, scaled, "x", mapped=True), Edge(factor, scaled, "y")}
    assert flow.edges_to(last) == {Edge(scaled, last, "x", mapped=True), Edge(outside, last, "y")}


def test_apply_map_takes_constants_and_whole_collections() -> None:
    seen = []

    def piece(item: Any, whole: Any) -> Any:
        seen.append(whole)
        return add(item)

    flow = Flow("f")
    done: Any = apply_map(piece, [1, 2], unmapped([3]), flow=flow)

    (edge,) = flow.edges_to(done)
    assert (edge.mapped, flow.constants[edge.upstream_task]) == (True, {"value": [1, 2]})
    assert seen == [[3]]


def test_a_task_of_apply_map_that_takes_nothing_mapped_runs_for_each_item_too() -> None:
    with Flow("f") as flow:
        items = Step(name="items").bind()
        done: Any = apply_map(lambda item: Step(name="alone")(), items)

    assert flow.edges_to(done) == {Edge(items, done, mapped=True)}


def test_apply_map_may_return_anything() -> None:
    with Flow("f"):
        items = Step(name="items").bind()
        first, both = apply_map(lambda item: (item, [add(item)]), items)

    assert first is items
    assert both[0].name == "add"


def test_apply_map_needs_a_flow_and_something_to_map_over() -> None:
    with pytest.raises(DefinitionError, match=r"apply_map\(\) adds tasks to a flow"):
        apply_map(add, [1])
    with Flow("f"), pytest.raises(DefinitionError, match="nothing to map over"):
        apply_map(add, unmapped([1]))
