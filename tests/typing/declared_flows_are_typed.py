"""Read by mypy, never run: what a type checker knows of declared flows. An ignore that is not needed is an error."""

from __future__ import annotations

from typing import Any, assert_type

from nadi import Flow, Parameter, Task, task
from nadi.declarative import Edge
from nadi.declarative.states import State


@task
def extract(source: str = "db") -> list[int]:
    return [len(source)]


@task(max_retries=3, nout=2, trigger=lambda states: all(state.is_successful() for state in states.values()))
def split(rows: list[int]) -> tuple[int, int]:
    return len(rows), sum(rows)


class Train(Task):
    """A class of tasks needs no type arguments, and tells the types of its `run` to whoever calls that."""

    def __init__(self, rate: float = 0.1, **keywords: Any) -> None:
        self.rate = rate
        super().__init__(**keywords)

    def run(self, rows: int) -> float:
        return rows * self.rate


def a_flow_is_declared_with_the_types_of_the_functions() -> Flow:
    with Flow("typed", schedule=None, executor="process") as flow:
        rows = extract()
        assert_type(rows, list[int])
        first, second = split(rows)
        assert_type((first, second), tuple[int, int])
        Train(0.5)(first, upstream_tasks=[rows])
    assert_type(flow, Flow)
    return flow


def keywords_of_the_graph_are_known_beside_those_of_the_function() -> None:
    with Flow("typed") as flow:
        rows = extract(upstream_tasks=[Parameter("first")])
        assert_type(rows, list[int])
        extract(task_args={"name": "again"})
        extract("db", flow=flow)
        split(rows, mapped=True)


def a_wrong_call_is_an_error_inside_too() -> None:
    with Flow("typed"):
        extract(3)  # type: ignore[call-overload]
        split()  # type: ignore[call-overload]


def a_flow_tells_what_it_is_made_of() -> None:
    flow = a_flow_is_declared_with_the_types_of_the_functions()

    assert_type(flow.edges, set[Edge])
    assert_type(flow.parameters(), set[Parameter])
    assert_type(flow.copy(), Flow)
    assert_type(flow.run(parameters={"first": 1}), State)
    assert_type(Train().run(3), float)
    assert_type(Train().copy(rate=0.3), Train)
    assert_type(Train().rate, float)
