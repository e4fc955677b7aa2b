"""Draws graphs: as a tree of text, for Mermaid, or as SVG with a layout of our own."""

from __future__ import annotations

from enum import StrEnum

from nadi.engine.drawings.mermaid import mermaid
from nadi.engine.drawings.svg import svg
from nadi.engine.drawings.trees import tree
from nadi.engine.graphs import Graph


class Format(StrEnum):
    """How to draw."""

    TEXT = "text"
    MERMAID = "mermaid"
    SVG = "svg"


#: The form that a file gets by its ending.
ENDINGS = {".svg": Format.SVG, ".mmd": Format.MERMAID, ".mermaid": Format.MERMAID, ".txt": Format.TEXT}


def draw(graph: Graph, how: Format, *, ascii_only: bool = False, horizontal: bool = False) -> str:
    """Return the picture of a graph; the same graph gives the same picture.

    Args:
        graph: What to draw.
        how: In which form.
        ascii_only: Draw the tree with plain characters.
        horizontal: Let what comes later stand to the right, not below; a tree of text knows no such thing.
    """
    if how is Format.MERMAID:
        return mermaid(graph, horizontal=horizontal)
    return svg(graph, horizontal=horizontal) if how is Format.SVG else tree(graph, ascii_only=ascii_only)
