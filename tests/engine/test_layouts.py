"""Layouts of graphs: every rule holds for every random graph."""

from __future__ import annotations

import itertools
import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from nadi.engine.drawings.layouts import Box, Layout, lay_out

Pairs = list[tuple[str, str]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, tuple[float, float]], Pairs]:
    ids = [f"n{number}" for number in range(draw(st.integers(0, 30)))]
    sizes = {id: (float(draw(st.integers(40, 200))), float(draw(st.sampled_from([34, 46])))) for id in ids}
    pairs = [pair for pair in itertools.combinations(ids, 2) if draw(st.integers(0, 9)) == 0]
    return sizes, pairs


def overlap(one: Box, other: Box) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    above = one.y + one.height <= other.y or other.y + other.height <= one.y
    return not (beside or above)


@given(graphs(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_boxes_keep_their_size_stand_inside_of_the_picture_and_never_overlap(
    graph: tuple[dict[str, tuple[float, float]], Pairs], horizontal: bool
) -> None:
    sizes, pairs = graph

    layout = lay_out(sizes, pairs, horizontal=horizontal)

    assert {id: (box.width, box.height) for id, box in layout.boxes.items()} == sizes
    for one, other in itertools.combinations(layout.boxes.values(), 2):
        assert not overlap(one, other)
    for box in layout.boxes.values():
        assert box.x >= -0.01
        assert box.y >= -0.01
        assert box.x + box.width <= layout.width + 0.01
        assert box.y + box.height <= layout.height + 0.01


@given(graphs(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_each_edge_is_one_line_from_the_border_of_its_source_forward_to_the_border_of_its_target(
    graph: tuple[dict[str, tuple[float, float]], Pairs], horizontal: bool
) -> None:
    sizes, pairs = graph

    layout = lay_out(sizes, [*pairs, *pairs], horizontal=horizontal)

    assert [(line.source, line.target) for line in layout.lines] == pairs
    for line in layout.lines:
        source, target = layout.boxes[line.source], layout.boxes[line.target]
        along = [point[0] if horizontal else point[1] for point in line.points]
        assert along == sorted(along)
        assert along[0] == (source.x + source.width if horizontal else source.y + source.height)
        assert along[-1] == (target.x if horizontal else target.y)


def crossings(layout: Layout) -> int:
    """How often lines of neighbouring layers cross, by the order of their ends."""
    ends = [(line.points[0], line.points[-1]) for line in layout.lines]
    return sum((a[0] - c[0]) * (b[0] - d[0]) < 0 and a[1] == c[1] for (a, b), (c, d) in itertools.combinations(ends, 2))


def test_a_tree_is_drawn_without_crossings_whatever_the_order_of_its_nodes() -> None:
    shuffled = list(range(1, 32))
    random.Random(5).shuffle(shuffled)
    ids = [
        "n0",
        *(
            f"n{number}"
            for number in sorted(shuffled, key=lambda number: (number.bit_length(), shuffled.index(number)))
        ),
    ]
    pairs = [(f"n{number // 2}" if number > 1 else "n0", f"n{number}") for number in range(1, 32)]

    layout = lay_out(dict.fromkeys(ids, (80.0, 34.0)), pairs)

    assert crossings(layout) == 0


def test_the_same_graph_gives_the_same_layout() -> None:
    ids = {f"n{number}": (100.0, 34.0) for number in range(40)}
    chance = random.Random(3)
    pairs = [pair for pair in itertools.combinations(ids, 2) if chance.random() < 0.06]

    assert lay_out(ids, pairs) == lay_out(ids, pairs)


def test_many_nodes_side_by_side_are_broken_into_rows() -> None:
    ids = dict.fromkeys(["first", *(f"n{number}" for number in range(100)), "last"], (100.0, 34.0))
    pairs = [("first", f"n{number}") for number in range(100)] + [(f"n{number}", "last") for number in range(100)]

    layout = lay_out(ids, pairs)

    assert layout.width < 4 * layout.height


def test_an_edge_to_an_earlier_node_is_drawn_backward() -> None:
    layout = lay_out(dict.fromkeys("abc", (80.0, 34.0)), [("a", "b"), ("b", "c"), ("c", "a"), ("b", "b")])

    [back] = [line for line in layout.lines if line.source == "c"]
    assert back.points[0][1] == layout.boxes["c"].y
    assert back.points[-1][1] == layout.boxes["a"].y + layout.boxes["a"].height


def test_a_thousand_nodes_are_laid_out_within_seconds() -> None:
    ids = {f"n{number}": (100.0, 34.0) for number in range(1000)}
    chance = random.Random(7)
    pairs = [(f"n{chance.randrange(max(0, n - 300), n)}", f"n{n}") for n in range(1, 1000) for _ in range(2)]

    started = time.perf_counter()
    lay_out(ids, pairs)

    assert time.perf_counter() - started < 5
