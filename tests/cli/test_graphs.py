"""Graphs of runs and of code, and what is drawn of them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from nadi import flow, task
from nadi.engine.drawing import Format, draw
from nadi.engine.graphs import Graph, graph_of_run
from nadi.engine.previews import graph_of_code
from nadi.storage.memory import MemoryStore
from tests.cli.conftest import Nadi
from tests.storage.telling import T0, S, Writer, a_call, an_id, flow_begun, task_begun, task_moved


@task
def load(path: str) -> str:
    return path


@task
def fit(x: object, y: object = None) -> object:
    return x


@flow
def inner(x: object) -> object:
    return fit(x)


@flow
def everything(paths: list[str], best: bool = False) -> object:
    loaded = load.map(paths)
    models = []
    for part in loaded:
        models.append(fit.with_options(name="fit-one").submit(part))
    model = fit(models) if best else None
    if best:
        model = inner(models)
    else:
        return inner(fit(load("x")))
    return fit.submit(model, y=[each for each in loaded if each])


def edges(graph: Graph) -> list[tuple[str, str]]:
    names = {node.id: node.name for node in graph.nodes}
    return [(names[edge.source], names[edge.target]) for edge in graph.edges]


def test_the_graph_of_code_has_each_call_and_follows_variables_lists_and_loops() -> None:
    graph = graph_of_code(everything)

    assert [node.name for node in graph.nodes] == ["load", "fit", "fit", "inner", "load", "fit", "inner", "fit"]
    assert edges(graph) == [
        ("load", "fit"),
        ("fit", "fit"),
        ("fit", "inner"),
        ("load", "fit"),
        ("fit", "inner"),
        ("load", "fit"),
        ("fit", "fit"),
        ("inner", "fit"),
    ]


def test_the_graph_of_code_tells_under_which_condition_a_call_is_made() -> None:
    nodes = graph_of_code(everything).nodes

    remarks = [node.remark for node in nodes]
    assert [node.is_map for node in nodes[:2]] == [True, False]
    assert remarks[1] == "for each of loaded"
    assert remarks[3] == "if best"
    assert remarks[4] == "if not: best"


def run_graph(maps: int = 3) -> Graph:
    store, root = MemoryStore(), an_id(1)
    writer = Writer(store)
    writer.tell(flow_begun(root, name="brisk-otter"))
    writer.tell(task_begun(root, an_id(2), task="load", name="load-0"), task_moved(root, an_id(2), S.COMPLETED))
    for index in range(maps):
        call = a_call(root, index)
        id = an_id(10 + index)
        writer.tell(
            task_begun(root, id, task="fit", name=f"fit-{index}", map_index=index, call=call, upstream=(an_id(2),))
        )
        writer.tell(task_moved(root, id, S.FAILED if index == 1 else S.COMPLETED, state_name=""))
    late = tuple(an_id(10 + index) for index in range(maps))
    writer.tell(task_begun(root, an_id(90), task="pick", name='pick <"&', upstream=(*late, an_id(2)), state=S.PENDING))
    run = store.flow_run(root)
    assert run is not None
    return graph_of_run(run, store.recorded_calls(root), now=T0 + 9)


def test_the_graph_of_a_run_folds_a_map_into_one_node_with_its_worst_state() -> None:
    graph = run_graph()

    assert [(node.name, node.count, node.state) for node in graph.nodes] == [
        ("load-0", 1, "COMPLETED"),
        ("fit", 3, "FAILED"),
        ('pick <"&', 1, "PENDING"),
    ]
    assert edges(graph) == [("load-0", "fit"), ("load-0", 'pick <"&'), ("fit", 'pick <"&')]


def test_the_graph_of_a_run_tells_which_node_each_task_run_is_part_of_in_the_order_of_ids() -> None:
    graph = run_graph(maps=4)

    assert graph.tasks == [0, 1, 1, 4, 2, 1]
    assert graph.flows == []


def test_the_graph_of_a_run_tells_which_subflow_made_a_call() -> None:
    store, root, sub, deeper = MemoryStore(), an_id(1), an_id(3), an_id(5)
    writer = Writer(store)
    writer.tell(flow_begun(root))
    writer.tell(task_begun(root, an_id(2), task="load"))
    writer.tell(flow_begun(root, id=sub, flow="inner", parent=root, call=a_call(root, 1)))
    writer.tell(task_begun(root, an_id(4), task="fit", run=sub, call=a_call(sub, 0), upstream=(an_id(2),)))
    writer.tell(flow_begun(root, id=deeper, flow="deeper", parent=sub, call=a_call(an_id(4), 1)))
    writer.tell(task_begun(root, an_id(6), task="score", run=deeper, call=a_call(deeper, 0)))
    run = store.flow_run(root)
    assert run is not None

    graph = graph_of_run(run, store.recorded_calls(root), now=T0)

    assert [(node.name, node.within) for node in graph.nodes] == [
        ("clean-0", ""),
        ("inner", ""),
        ("clean-0", sub),
        ("deeper", sub),
        ("clean-0", deeper),
    ]
    assert (graph.tasks, graph.flows) == ([0, 1, 2, 1, 4, 1], [1, 1, 3, 1])


def test_a_graph_is_drawn_as_a_tree_with_what_else_comes_before() -> None:
    drawn = draw(run_graph(), Format.TEXT).splitlines()

    assert drawn[0] == "nightly: brisk-otter"
    assert drawn[1].startswith("└─ load-0")
    assert drawn[2].startswith("   └─ fit ×3")
    assert drawn[3].startswith('      └─ pick <"& (also after load-0)')
    assert draw(run_graph(), Format.TEXT, ascii_only=True).splitlines()[1].startswith("`- load-0")


def test_a_graph_is_drawn_for_mermaid_with_its_states() -> None:
    drawn = draw(run_graph(), Format.MERMAID)

    assert drawn.startswith("flowchart TD\n")
    assert "n1 --> n2" in drawn
    assert "class n2 failed" in drawn
    assert "pick #60;#34;#38;" in drawn


def test_a_graph_is_drawn_as_svg_that_parses_and_shows_every_node_and_edge() -> None:
    drawn = ElementTree.fromstring(draw(run_graph(), Format.SVG))

    name = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in drawn.iter(f"{name}text")]
    assert {"load-0", "fit ×3", 'pick <"&'} <= set(texts)
    assert len([path for path in drawn.iter(f"{name}path") if path.get("marker-end")]) == 3
    assert len([rect for rect in drawn.iter(f"{name}rect") if "box" in rect.get("class", "")]) == 1 + 3 + 1


def test_a_chain_longer_than_python_calls_deep_is_drawn() -> None:
    store, root = MemoryStore(), an_id(1)
    writer = Writer(store)
    writer.tell(flow_begun(root))
    for n in range(2000):
        before = (an_id(10 + n - 1),) if n else ()
        writer.tell(task_begun(root, an_id(10 + n), name=f"step-{n}", upstream=before, call=a_call(root, n)))
    run = store.flow_run(root)
    assert run is not None

    graph = graph_of_run(run, store.recorded_calls(root), now=T0)

    assert len(graph.nodes) == 2000
    assert "step-1999" in draw(graph, Format.TEXT)
    assert "step-1999" in draw(graph, Format.SVG)


def test_a_picture_of_a_kind_that_is_not_drawn_is_refused_and_not_written(nadi: Nadi, loads: None) -> None:
    Path("flow.py").write_text("from nadi import flow\n\n@flow\ndef report(): ...\n")

    said = nadi("graph", "flow.py", "-o", "report.png")

    assert said.status == 2
    assert "report.png: graphs are drawn as .svg, .mmd or .txt." in said.err
    assert not Path("report.png").exists()
    assert nadi("graph", "flow.py", "-o", "report.png", "--format", "text").status == 0


# -- declared flows --

PROGRAM = """
from nadi import Flow, Parameter, task

@task
def load(rows): return list(range(rows))

@task
def clean(row): return row

with Flow("nightly") as flow:
    clean.map(load(Parameter("rows", default=3)))

if __name__ == "__main__":
    raise SystemExit("not while it is loaded")

flow.run()
"""


def test_the_command_draws_a_declared_flow_without_running_it(nadi: Nadi, loads: None) -> None:
    Path("flow.py").write_text(PROGRAM)

    said = nadi("graph", "flow.py:flow")

    assert said.status == 0, said.err
    assert [line.split() for line in said.out.splitlines()[:2]] == [["nightly"], ["└─", "rows", "=", "3"]]
    assert "clean <map>" in said.out
    assert nadi("runs", "--json").json == []


def test_the_command_draws_every_form_of_a_declared_flow(nadi: Nadi, loads: None) -> None:
    Path("flow.py").write_text(PROGRAM)

    svg, mermaid = (
        nadi("graph", "flow.py", "--format", "svg"),
        nadi("graph", "flow.py", "--format", "mermaid", "--horizontal"),
    )
    graph = json.loads(nadi("graph", "flow.py", "--format", "json").out)

    assert svg.out.startswith("<svg")
    assert mermaid.out.startswith("flowchart LR")
    assert [(node["name"], node["is_map"], node["is_parameter"]) for node in graph["nodes"]] == [
        ("rows", False, True),
        ("load", False, False),
        ("clean", True, False),
    ]
    assert graph["edges"][1] == {"source": "n2", "target": "n3", "takes": True, "label": "row", "is_mapped": True}
