"""Pictures of declared flows: the real graph before it ran, the colours of its states after."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from nadi import Flow, Parameter, case, task, unmapped
from nadi.declarative.drawing import graph_of_flow
from nadi.engine.drawing import Format, draw
from nadi.engine.graphs import Edge, Graph
from nadi.signals import SKIP
from nadi.triggers import any_failed
from tests.conftest import Recorded

SVG = "{http://www.w3.org/2000/svg}"


@task
def load(rows: Any) -> Any:
    return list(range(rows))


@task
def clean(row: Any, scale: Any = 1) -> Any:
    if row == 1:
        raise SKIP("one")
    if row == 2:
        raise ValueError("two")
    return row * scale


@task
def store(rows: Any) -> Any:
    return len(rows)


@task(trigger=any_failed, max_retries=2, retry_delay=datetime.timedelta(0))
def warn() -> None: ...


def a_flow() -> tuple[Flow, dict[str, Any]]:
    with Flow("nightly") as flow:
        rows = Parameter("rows", default=4)
        loaded = load(rows)
        cleaned = clean.map(loaded, scale=unmapped(rows))
        warned = warn(upstream_tasks=[cleaned])
        stored = store(loaded, upstream_tasks=[warned])
    return flow, {"rows": rows, "load": loaded, "clean": cleaned, "warn": warned, "store": stored}


def edge(graph: Graph, source: str, target: str) -> Edge:
    names = {node.id: node.name for node in graph.nodes}
    [found] = [one for one in graph.edges if (names[one.source], names[one.target]) == (source, target)]
    return found


def test_a_declared_flow_is_drawn_before_it_ran_with_every_task_and_edge() -> None:
    flow, _ = a_flow()

    graph = graph_of_flow(flow)

    assert [node.name for node in graph.nodes] == ["rows", "load", "clean", "warn", "store"]
    assert len(graph.edges) == len(flow.edges) == 6
    assert {node.state for node in graph.nodes} == {""}


def test_edges_are_labelled_with_their_key_and_mapped_ones_are_marked() -> None:
    graph = graph_of_flow(a_flow()[0])

    assert edge(graph, "load", "clean").label == "row"
    assert edge(graph, "load", "clean").is_mapped
    assert not edge(graph, "rows", "clean").is_mapped
    assert edge(graph, "warn", "store").label == ""


def test_mapped_tasks_are_stacks_marked_as_maps_with_dashed_edges_in_svg() -> None:
    drawn = ElementTree.fromstring(a_flow()[0].visualize())

    boxes = {
        group.findtext(f"{SVG}text"): len(group.findall(f"{SVG}rect"))
        for group in drawn.iter(f"{SVG}g")
        if group.find(f"{SVG}text") is not None and group.find(f"{SVG}rect") is not None
    }
    dashed = [path for path in drawn.iter(f"{SVG}path") if "mapped" in path.get("class", "")]
    assert boxes == {"rows": 1, "load": 1, "clean <map>": 3, "warn": 1, "store": 1}
    assert len(dashed) == 1


def test_what_decides_whether_a_task_runs_is_told_before_it_ran() -> None:
    remarks = {node.name: node.remark for node in graph_of_flow(a_flow()[0]).nodes}

    assert remarks == {"rows": "= 4", "load": "", "clean": "", "warn": "any_failed, 2 retries", "store": ""}


def test_with_the_state_of_a_run_each_task_has_the_colour_of_its_state(recorded: Recorded) -> None:
    flow, _ = a_flow()

    state = flow.run()
    nodes = {node.name: node for node in graph_of_flow(flow, state).nodes}
    drawn = flow.visualize(state)

    assert nodes["clean"].count == 4
    assert nodes["clean"].states == {"Success": 2, "Skipped": 1, "Failed": 1}
    assert nodes["clean"].state == "FAILED"
    assert nodes["load"].states == {"Success": 1}
    assert 'class="box failed"' in drawn
    assert 'class="box completed"' in drawn
    assert "clean ×4" in drawn


def test_skipped_and_trigger_failed_tasks_have_colours_of_their_own(recorded: Recorded) -> None:
    with Flow("colours") as flow:
        loaded = load(1)
        with case(loaded, []):
            store(loaded)
        clean(2, task_args={"name": "fails"}) | store([1], task_args={"name": "stops"})

    drawn = flow.visualize(flow.run())

    for colour in ("completed", "skipped", "failed", "blocked"):
        assert f'class="box {colour}"' in drawn


def test_a_map_over_nothing_is_told_as_such(recorded: Recorded) -> None:
    flow, _ = a_flow()

    [cleaned] = [node for node in graph_of_flow(flow, flow.run(rows=0)).nodes if node.name == "clean"]

    assert (cleaned.states, cleaned.remark) == ({"Mapped": 1}, "of nothing")


def test_names_are_escaped_in_every_form() -> None:
    with Flow("escaped") as flow:
        load(1, task_args={"name": 'load "<b>" & \x1b[31m'})

    svg, mermaid, tree = (flow.visualize(format=form) for form in ("svg", "mermaid", "text"))

    assert "load &quot;&lt;b&gt;&quot; &amp; \\x1b[31m" in svg
    assert ElementTree.fromstring(svg) is not None
    assert 'n1["load #34;#60;b#62;#34; #38; \\x1b[31m"]' in mermaid
    assert tree.endswith('load "<b>" & \\x1b[31m')


def test_the_tree_tells_which_argument_takes_what() -> None:
    lines = a_flow()[0].visualize(format="text").splitlines()

    assert lines[0] == "nightly"
    assert lines[1].split() == ["└─", "rows", "=", "4"]
    assert lines[3].strip().startswith("└─ clean <map>")
    assert lines[3].endswith("row = each of load, scale = rows")


def test_mermaid_draws_parameters_maps_labels_and_directions() -> None:
    flow, _ = a_flow()

    lines = flow.visualize(format="mermaid", horizontal=True).splitlines()

    assert lines[0] == "flowchart LR"
    assert '    n1(["rows<br/>= 4"])' in lines
    assert '    n2 -.->|"row"| n3' in lines
    assert "    n4 --> n5" in lines
    assert "    class n3 map" in lines


def test_tasks_of_one_name_are_told_apart_by_their_slugs() -> None:
    with Flow("twins") as flow:
        load(load(1))

    assert [node.name for node in graph_of_flow(flow).nodes] == ["load-1", "load-2"]


def test_the_same_flow_gives_the_same_picture() -> None:
    assert a_flow()[0].visualize() == a_flow()[0].visualize()


def test_a_picture_is_written_to_a_file_in_the_form_of_its_ending(tmp_path: Path) -> None:
    flow, _ = a_flow()

    flow.visualize(filename=str(tmp_path / "graph.mmd"))
    flow.visualize(filename=str(tmp_path / "graph"), format="svg")
    flow.visualize(filename=str(tmp_path / "v1.2"), format="text")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph.mmd", "graph.svg", "v1.2.txt"]
    assert (tmp_path / "graph.mmd").read_text().startswith("flowchart TD")
    assert (tmp_path / "graph.svg").read_text().startswith("<svg")


def test_a_notebook_shows_svg_as_a_picture() -> None:
    flow, _ = a_flow()

    assert flow.visualize()._repr_svg_() == str(flow.visualize())
    assert flow.visualize(format="text")._repr_svg_() is None


@pytest.mark.parametrize("given", [{"format": "png"}, {"filename": "graph.pdf"}])
def test_a_form_that_is_not_drawn_is_refused(given: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"flows are drawn|Flows are drawn"):
        a_flow()[0].visualize(**given)  # type: ignore[arg-type]  # one of the two at a time


def test_a_flow_with_a_cycle_is_not_drawn_and_the_error_names_the_cycle() -> None:
    with Flow("round") as flow:
        first = load(1)
        second = store(first)
    flow.add_edge(second, first)

    with pytest.raises(ValueError, match="load-1 -> store-1 -> load-1"):
        flow.visualize()


def test_a_thousand_tasks_are_drawn_within_seconds() -> None:
    with Flow("large") as flow:
        tasks = [load(1)]
        for number in range(1, 1000):
            tasks.append(store(tasks[number // 3], upstream_tasks=[tasks[number - 1]] if number % 7 else []))

    started = time.perf_counter()
    drawn = flow.visualize()

    assert drawn.count("<rect") == 1001
    assert time.perf_counter() - started < 10


def test_a_form_is_drawn_from_left_to_right_on_demand() -> None:
    graph = graph_of_flow(a_flow()[0])

    below, beside = draw(graph, Format.SVG), draw(graph, Format.SVG, horizontal=True)

    def size(drawn: str) -> tuple[int, int]:
        root = ElementTree.fromstring(drawn)
        return int(root.get("width", "")), int(root.get("height", ""))

    assert size(below)[1] > size(beside)[1]
    assert size(below)[0] < size(beside)[0]
