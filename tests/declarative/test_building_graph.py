"""The graph of a declared flow: what one asks of it, and how it is changed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from nadi import Flow, Parameter, Task, flow, task
from nadi import flows as imperative
from nadi.declarative import Edge
from nadi.engine.flow_lookup import is_flow
from nadi.exceptions import DefinitionError


class Step(Task[..., Any]):
    def run(self, x: Any = None, y: Any = None) -> Any:
        return x, y


def steps(names: str) -> list[Step]:
    return [Step(name=name) for name in names]


# -- flows ---------------------------------------------------------------------------------


def test_a_flow_needs_a_name() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        Flow("")


def test_a_flow_starts_from_tasks_edges_and_reference_tasks() -> None:
    a, b, c = steps("abc")

    flow = Flow("f", tasks=[c], edges=[Edge(a, b, "x")], reference_tasks=[a])

    assert flow.in_order_of_adding() == [c, a, b]
    assert flow.edges == {Edge(a, b, "x")}
    assert flow.reference_tasks() == {a}


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        (
            {"storage": object()},
            r"'f' was given storage, which only Prefect 1's server knows; .* `nadi run flow.py:name",
        ),
        ({"run_config": object()}, r"'f' was given run_config, .* the environment of `python flow.py`"),
    ],
)
def test_what_only_a_server_of_prefect_1_knows_is_refused_with_what_serves_here(
    keywords: dict[str, Any], words: str
) -> None:
    with pytest.raises(DefinitionError, match=words):
        Flow("f", **keywords)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"on_failure": 3}, "The flow 'f': on_failure must be a function, not 3"),
        ({"terminal_state_handler": "log"}, "terminal_state_handler must be a function, not 'log'"),
        ({"state_handlers": print}, r"state_handlers must be a list of functions \(flow, old_state, new_state\)"),
    ],
)
def test_a_handler_of_a_flow_that_cannot_be_called_is_refused_where_it_stands(
    keywords: dict[str, Any], words: str
) -> None:
    with pytest.raises(DefinitionError, match=words):
        Flow("f", **keywords)


def test_register_and_run_agent_say_what_serves_here() -> None:
    with pytest.raises(DefinitionError, match=r"register.* deploy it: .* a worker runs it"):
        Flow("f").register("project")
    with pytest.raises(DefinitionError, match=r"run_agent\(\) waits for runs .* `nadi worker`"):
        Flow("f").run_agent()


def test_flow_of_a_function_is_an_imperative_flow() -> None:
    made = Flow(lambda: 1, name="imperative")

    assert type(made) is imperative.Flow
    assert made.name == "imperative"


def test_every_flow_is_an_instance_of_flow_and_known_to_loaders() -> None:
    @flow
    def imperative_one() -> None: ...

    declared_one = Flow("declared")

    assert isinstance(imperative_one, Flow)
    assert isinstance(declared_one, Flow)
    assert isinstance(declared_one, imperative.Flow)
    assert is_flow(declared_one)
    assert not isinstance(3, Flow)


def test_a_flow_that_an_object_holds_stays_the_same() -> None:
    class Holder:
        flow = Flow("f")

    assert Holder().flow is Holder.flow


def test_a_flow_knows_the_module_and_file_that_declare_it() -> None:
    declared_here = Flow("f")

    assert (declared_here.__module__, declared_here.file) == (__name__, __file__)


# -- tasks and edges -------------------------------------------------------------------------


def test_tasks_edges_and_constants_are_told_as_copies() -> None:
    a, b = steps("ab")
    flow = Flow("f", edges=[Edge(a, b)])
    flow.set_dependencies(b, keyword_tasks={"x": 1})

    flow.tasks.clear()
    flow.edges.clear()
    flow.constants[b]["x"] = 2

    assert (flow.tasks, flow.edges, flow.constants) == ({a, b}, {Edge(a, b)}, {b: {"x": 1}})


def test_adding_a_task_twice_adds_it_once() -> None:
    (a,) = steps("a")
    flow = Flow("f")

    added = flow.add_task(a)
    flow.add_task(a)

    assert added is a
    assert flow.tasks == {a}


def test_only_tasks_can_be_added() -> None:
    with pytest.raises(DefinitionError, match="The flow 'f' can only take tasks, not int: 3"):
        Flow("f").add_task(3)


def test_edges_are_values() -> None:
    a, b = steps("ab")

    assert Edge(a, b, "x", mapped=True) == Edge(a, b, "x", mapped=True)
    assert Edge(a, b, "x") != Edge(a, b, "y")
    assert len({Edge(a, b), Edge(a, b)}) == 1
    assert Edge(a, b).tasks == {a, b}
    assert repr(Edge(a, b, "x", mapped=True)) == "<Edge a to b (key='x', mapped)>"


def test_add_edge_adds_both_tasks_and_returns_the_edge() -> None:
    a, b = steps("ab")
    flow = Flow("f")

    edge = flow.add_edge(a, b, key="x", mapped=True, flattened=True)

    assert edge == Edge(a, b, "x", mapped=True, flattened=True)
    assert flow.tasks == {a, b}
    assert flow.add_edge(a, b, key="x", mapped=True, flattened=True) == edge


def test_an_argument_takes_one_edge() -> None:
    a, b, c = steps("abc")
    flow = Flow("f", edges=[Edge(a, c, "x")])

    with pytest.raises(ValueError, match=r"'x' of the task c-1 is given already in the flow 'f'. Call the task again"):
        flow.add_edge(b, c, key="x")


def test_nothing_comes_before_a_parameter() -> None:
    (a,) = steps("a")

    with pytest.raises(ValueError, match="The parameter 'p' cannot run after anything"):
        Flow("f").add_edge(a, Parameter("p"))


def test_chain_has_tasks_run_one_after_the_other() -> None:
    a, b, c = steps("abc")
    flow = Flow("f")

    edges = flow.chain(a, b, c)

    assert edges == [Edge(a, b), Edge(b, c)]


def test_set_dependencies_takes_what_comes_before_and_after_and_the_arguments() -> None:
    a, b, c, d = steps("abcd")
    flow = Flow("f")

    flow.set_dependencies(b, upstream_tasks=[a], downstream_tasks=[c], keyword_tasks={"x": d, "y": 3})

    assert flow.edges == {Edge(a, b), Edge(b, c), Edge(d, b, "x")}
    assert flow.constants == {b: {"y": 3}}


# -- slugs -----------------------------------------------------------------------------------


def test_slugs_are_names_with_a_number() -> None:
    a, b, c = steps("aab")

    assert Flow("f", tasks=[a, b, c]).slugs == {a: "a-1", b: "a-2", c: "b-1"}


def test_a_chosen_slug_is_kept_and_copies_are_numbered() -> None:
    step = Step(slug="first")

    with Flow("f") as flow:
        nodes: list[Any] = [step(), step(), step()]

    assert [flow.slugs[node] for node in nodes] == ["first", "first-2", "first-3"]


def test_no_slug_is_given_twice() -> None:
    with Flow("f") as flow:
        for step in (Step(slug="a-2"), Step(name="a"), Step(name="a"), Step(slug="a-2"), Step(name="a-2")):
            step()

    assert len(set(flow.slugs.values())) == 5


# -- questions -------------------------------------------------------------------------------


def test_queries_tell_the_edges_and_tasks_around_a_task() -> None:
    a, b, c = steps("abc")
    flow = Flow("f", edges=[Edge(a, b, "x"), Edge(a, b), Edge(b, c)])

    assert flow.edges_to(b) == {Edge(a, b, "x"), Edge(a, b)}
    assert flow.edges_from(b) == {Edge(b, c)}
    assert (flow.upstream_tasks(b), flow.downstream_tasks(b)) == ({a}, {c})
    assert flow.all_upstream_edges() == {a: set(), b: flow.edges_to(b), c: {Edge(b, c)}}
    assert flow.all_downstream_edges() == {a: flow.edges_to(b), b: {Edge(b, c)}, c: set()}
    assert (flow.root_tasks(), flow.terminal_tasks()) == ({a}, {c})


def test_asking_about_a_task_that_is_not_in_the_flow_says_so() -> None:
    @task
    def extract() -> None: ...

    with Flow("f") as flow:
        extract()

    words = r"The task extract is not in the flow 'f'\. A call .* use what the call returned"
    for ask in (flow.edges_to, flow.edges_from, flow.upstream_tasks, flow.downstream_tasks):
        with pytest.raises(ValueError, match=words):
            ask(extract)


def test_get_tasks_finds_by_name_slug_tags_and_class() -> None:
    a, b = Step(name="a", tags=["x", "y"]), Step(name="b", tags=["x"])
    p = Parameter("p")
    flow = Flow("f", tasks=[a, b, p])

    assert flow.get_tasks(name="a") == [a]
    assert flow.get_tasks(slug="b-1") == [b]
    assert flow.get_tasks(tags=["x"]) == [a, b]
    assert flow.get_tasks(tags=["x", "y"]) == [a]
    assert flow.get_tasks(task_type=Parameter) == [p]
    assert flow.get_tasks() == [a, b, p]
    assert flow.get_tasks(name="a", tags=["z"]) == []


def test_reference_tasks_are_the_terminal_ones_until_others_are_set() -> None:
    a, b, c = steps("abc")
    flow = Flow("f", edges=[Edge(a, b), Edge(a, c)])

    before = flow.reference_tasks()
    flow.set_reference_tasks([a])
    chosen = flow.reference_tasks()
    flow.set_reference_tasks([])

    assert (before, chosen, flow.reference_tasks()) == ({b, c}, {a}, {b, c})


def test_a_reference_task_must_be_in_the_flow() -> None:
    with pytest.raises(ValueError, match="The task a is not in the flow 'f'"):
        Flow("f").set_reference_tasks(steps("a"))


# -- order -----------------------------------------------------------------------------------


def test_sorted_tasks_stand_behind_what_comes_before_them_and_else_in_the_order_of_adding() -> None:
    a, b, c, d, e = steps("abcde")

    flow = Flow("f", tasks=[e, d, c, b, a], edges=[Edge(a, d), Edge(c, b)])

    assert flow.sorted_tasks() == (e, c, b, a, d)


def test_sorted_tasks_may_start_from_some_tasks() -> None:
    a, b, c, d = steps("abcd")
    flow = Flow("f", edges=[Edge(a, b), Edge(b, d), Edge(c, d)])

    assert flow.sorted_tasks(root_tasks=[b]) == (b, d)


def test_sorted_tasks_keep_every_edge_of_any_graph() -> None:
    chance = random.Random(7)
    for _ in range(20):
        some = [Step(name=str(number)) for number in range(30)]
        edges = [
            Edge(some[low], some[high]) for low in range(30) for high in range(low + 1, 30) if chance.random() < 0.1
        ]
        shuffled = chance.sample(some, 30)

        order = Flow("f", tasks=shuffled, edges=edges).sorted_tasks()

        places = {one: place for place, one in enumerate(order)}
        assert len(places) == 30
        assert all(places[edge.upstream_task] < places[edge.downstream_task] for edge in edges)


def test_a_cycle_is_an_error_that_names_its_tasks_one_by_one() -> None:
    a, b, c, d = steps("abcd")
    flow = Flow("f", edges=[Edge(d, a), Edge(a, b), Edge(b, c), Edge(c, a)])

    for ask in (flow.sorted_tasks, flow.validate):
        with pytest.raises(
            ValueError, match=r"The flow 'f' has a cycle, .*: a-1 -> b-1 -> c-1 -> a-1\. Take one edge out"
        ):
            ask()


def test_a_task_that_waits_for_itself_is_a_cycle() -> None:
    (a,) = steps("a")

    with pytest.raises(ValueError, match="a-1 -> a-1"):
        Flow("f", edges=[Edge(a, a)]).validate()


def test_a_long_cycle_takes_no_recursion() -> None:
    some = [Step() for _ in range(3000)]
    flow = Flow("f")
    flow.chain(*some, some[0])

    with pytest.raises(ValueError, match=r"Step-1 -> Step-2 -> .* -> Step-3000 -> Step-1"):
        flow.validate()


def test_edges_are_not_checked_as_they_are_added_unless_asked_for() -> None:
    a, b = steps("ab")
    flow, eager = Flow("f", edges=[Edge(a, b)]), Flow("f", edges=[Edge(a, b)], validate=True)

    with pytest.raises(ValueError, match="cycle"):
        eager.add_edge(b, a)
    with pytest.raises(ValueError, match="cycle"):
        flow.add_edge(b, a, validate=True)
    assert eager.edges == flow.edges == {Edge(a, b)}
    flow.add_edge(b, a)

    assert flow.edges == {Edge(a, b), Edge(b, a)}


def test_an_argument_that_a_task_does_not_take_is_found_by_validate() -> None:
    a, b = steps("ab")
    flow = Flow("f", edges=[Edge(a, b, "z")])

    with pytest.raises(ValueError, match="The task b-1 of the flow 'f' is given 'z', which it does not take"):
        flow.validate()


# -- changes ---------------------------------------------------------------------------------


def test_replace_puts_a_task_in_the_place_of_another() -> None:
    a, b, c, new = steps("abcn")
    flow = Flow("f", edges=[Edge(a, b, "x"), Edge(b, c, "x", mapped=True)], reference_tasks=[b])
    flow.set_dependencies(b, keyword_tasks={"y": 3})

    flow.replace(b, new)

    assert flow.tasks == {a, new, c}
    assert flow.edges == {Edge(a, new, "x"), Edge(new, c, "x", mapped=True)}
    assert flow.constants == {new: {"y": 3}}
    assert flow.reference_tasks() == {new}
    assert flow.sorted_tasks() == (a, new, c)
    assert set(flow.slugs) == flow.tasks


def test_replace_takes_a_constant_too() -> None:
    p, b = Parameter("p"), Step()
    flow = Flow("f", edges=[Edge(p, b, "x")])

    flow.replace(p, 5)

    (edge,) = flow.edges
    assert flow.parameters() == set()
    assert flow.constants[edge.upstream_task] == {"value": 5}
    assert edge.upstream_task.fn(value=5) == 5


def test_a_task_that_is_not_there_cannot_be_replaced() -> None:
    a, b = steps("ab")

    with pytest.raises(ValueError, match="The task a is not in the flow 'f'"):
        Flow("f").replace(a, b)


def test_update_adds_all_of_another_flow() -> None:
    a, b, c = steps("abc")
    flow, other = Flow("f", tasks=[a]), Flow("other", edges=[Edge(b, c, "x")], reference_tasks=[b])
    other.set_dependencies(c, keyword_tasks={"y": 3})

    flow.update(other)

    assert flow.in_order_of_adding() == [a, b, c]
    assert flow.edges == {Edge(b, c, "x")}
    assert flow.constants == {c: {"y": 3}}
    assert flow.reference_tasks() == {a, c}
    assert other.tasks == {b, c}


def test_update_may_merge_reference_tasks() -> None:
    a, b, c = steps("abc")
    flow, other = Flow("f", tasks=[a]), Flow("other", edges=[Edge(b, c)], reference_tasks=[b])

    flow.update(other, merge_reference_tasks=True)

    assert flow.reference_tasks() == {a, b}


def test_update_merges_parameters_of_one_name_only_when_asked_to() -> None:
    mine, theirs, a, b = Parameter("p"), Parameter("p"), Step(name="a"), Step(name="b")
    flow, other = Flow("f", edges=[Edge(mine, a, "x")]), Flow("other", edges=[Edge(theirs, b, "x")])

    with pytest.raises(ValueError, match="The flow 'f' has a parameter named 'p' already"):
        flow.copy().update(other)
    flow.update(other, merge_parameters=True)

    assert flow.edges == {Edge(mine, a, "x"), Edge(mine, b, "x")}
    assert flow.parameters() == {mine}


def test_a_copy_is_changed_by_itself() -> None:
    a, b = steps("ab")
    flow = Flow("f", edges=[Edge(a, b)])
    flow.set_dependencies(b, keyword_tasks={"x": 1})

    twin = flow.copy()
    twin.set_dependencies(b, upstream_tasks=steps("c"), keyword_tasks={"y": 2})
    twin.state_handlers.append(print)

    assert (flow.tasks, flow.edges, flow.constants) == ({a, b}, {Edge(a, b)}, {b: {"x": 1}})
    assert flow.state_handlers == []
    assert len(twin.tasks) == 3


def test_other_options_make_a_copy() -> None:
    flow = Flow("f", tasks=steps("a"))

    other = flow.with_options(name="g", executor="sequential", on_failure=print)

    assert (other.name, other.executor, other.failure_callback) == ("g", "sequential", print)
    assert (flow.name, flow.executor, flow.failure_callback) == ("f", None, None)
    with pytest.raises(DefinitionError, match="'f' has no option 'retries'"):
        flow.with_options(retries=3)


def test_hooks_are_added_by_decorators() -> None:
    flow = Flow("f")

    @flow.on_completion
    def told(flow: Any, run: Any, state: Any) -> None: ...

    assert flow.hooks.completion == (told,)


def test_serialize_tells_the_graph_as_plain_data() -> None:
    a, p = Step(name="a", tags=["t"]), Parameter("p", default=3)
    flow = Flow("f", edges=[Edge(p, a, "x")])

    assert flow.serialize() == {
        "name": "f",
        "tasks": [
            {"slug": "p", "name": "p", "type": "Parameter", "tags": []},
            {"slug": "a-1", "name": "a", "type": "Step", "tags": ["t"]},
        ],
        "edges": [{"upstream_task": "p", "downstream_task": "a-1", "key": "x", "mapped": False, "flattened": False}],
        "parameters": [{"name": "p", "default": 3, "required": False}],
        "reference_tasks": ["a-1"],
    }
    with pytest.raises(DefinitionError, match="has no storage to build"):
        flow.serialize(build=True)


@task(name="doubled", tags=["kept"])
def double(x: Any) -> Any:
    return 2 * x


def test_a_flow_is_saved_and_loaded(tmp_path: Path) -> None:
    with Flow("f") as flow:
        p = Parameter("p", default=2)
        done: Any = double(p)
        Step(name="s")(x=[done, 1], y=done + 1)

    path = flow.save(tmp_path / "flows" / "f.bin")
    again = Flow.load(path)

    assert again.serialize() == flow.serialize()
    assert again.tasks.isdisjoint(flow.tasks)
    assert list(again.constants.values()) == list(flow.constants.values())
    assert [one.fn(x=4) for one in again.get_tasks(name="doubled")] == [8]


def test_a_file_that_holds_something_else_is_no_flow(tmp_path: Path) -> None:
    import pickle

    (tmp_path / "other").write_bytes(pickle.dumps(3))

    with pytest.raises(DefinitionError, match="other holds no declared flow, but int"):
        Flow.load(tmp_path / "other")
