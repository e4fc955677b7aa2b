"""Plans: what is to become of a file, as it was read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import libcst as cst

from nadi.migrating.names import Found


@dataclass(frozen=True, order=True)
class Note:
    """Something that was left for a person."""

    line: int
    message: str


@dataclass
class Plan:
    """What is to become of a file."""

    #: What stands for what, by the node itself.
    replace: dict[cst.CSTNode, cst.CSTNode] = field(default_factory=dict)
    #: Full names bound by imports that stay as they are: something of them is not here.
    stays: set[str] = field(default_factory=set)
    #: By full name bound by a `from` import: what its rewritten uses need instead.
    instead: dict[str, dict[Found, None]] = field(default_factory=dict)
    #: How often a name bound by a `from` import is used, and how many of the uses are rewritten to something else.
    uses: Counter[str] = field(default_factory=Counter)
    rewritten: Counter[str] = field(default_factory=Counter)
    #: Modules that rewritten uses of `prefect.` need, and those that statements of their own import.
    modules: dict[str, None] = field(default_factory=dict)
    imported: set[str] = field(default_factory=lambda: {"nadi"})
    #: Whether something is used by way of `import prefect` that is not here.
    root_stays: bool = False
    notes: set[Note] = field(default_factory=set)

    def drops(self, dotted: str) -> bool:
        """Whether nothing uses an imported name any more."""
        return dotted in self.instead and self.uses[dotted] == self.rewritten[dotted]


def dotted_node(dotted: str) -> cst.Name | cst.Attribute:
    """Return the expression of a full name."""
    first, *rest = dotted.split(".")
    node: cst.Name | cst.Attribute = cst.Name(first)
    for part in rest:
        node = cst.Attribute(node, cst.Name(part))
    return node


def dotted_text(node: cst.CSTNode | None) -> str:
    """Return the text of a name or of names with dots between; "" for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        before = dotted_text(node.value)
        return f"{before}.{node.attr.value}" if before else ""
    return ""
