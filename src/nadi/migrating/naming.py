"""Names of a file: which of them are Prefect's, by way of which import, and what is to become of each."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst
from libcst.metadata import ParentNodeProvider, PositionProvider, QualifiedNameProvider

from nadi.migrating.definitions import Known, prefect_name
from nadi.migrating.names import Found, advice_for, find, is_prefects
from nadi.migrating.plans import Note, Plan, dotted_node, dotted_text


class Naming(cst.CSTVisitor):
    """Walks over a file and plans what becomes of its imports, and of the names used by way of them."""

    METADATA_DEPENDENCIES = (PositionProvider, QualifiedNameProvider, ParentNodeProvider)

    def __init__(self, known: Known, *, root_stays: bool = False) -> None:
        """Read; `root_stays` says that `import prefect` stays beside `import nadi`."""
        super().__init__()
        self.plan = Plan()
        self.known = known
        self.root_stays = root_stays
        #: By imported name: what it is called here, for annotations in quotes.
        self._quoted: dict[str, str] = {}

    # -- what names mean --

    def dotted(self, node: cst.CSTNode) -> str:
        """Return the full name of what an expression names, where an import of Prefect's says so; else ""."""
        return prefect_name(self, node)

    def line(self, node: cst.CSTNode) -> int:
        """Return the line on which something begins."""
        return int(self.get_metadata(PositionProvider, node).start.line)

    def note(self, node: cst.CSTNode, message: str) -> None:
        """Leave something for a person."""
        self.plan.notes.add(Note(self.line(node), message))

    # -- imports --

    def visit_Import(self, node: cst.Import) -> bool:
        for alias in node.names:
            name = dotted_text(alias.name)
            found = find(name)
            if is_prefects(name) and found is None:
                self.plan.stays.add(name)
                self.note(node, f"{name}: {advice_for(name)}")
            elif found is not None and alias.asname is None:
                self.plan.imported.add(found.module)
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        module = dotted_text(node.module)
        if node.relative or not is_prefects(module):
            return False
        if isinstance(node.names, cst.ImportStar):
            self.note(node, f"{module}: a star names nothing; import the names that are used.")
            return False
        for alias in node.names:
            name = f"{module}.{dotted_text(alias.name)}"
            found = find(name)
            if found is None:
                self.plan.stays.add(name)
                self.note(alias, f"{name}: {advice_for(name)}")
            elif alias.asname is None and found.name:
                self._quoted[dotted_text(alias.name)] = found.name
        return False

    # -- uses --

    def visit_Name(self, node: cst.Name) -> None:
        dotted = self.dotted(node)
        if dotted == "prefect":
            self.plan.root_stays = True  # used as a value
            self.note(node, "prefect is used as a value here; nothing stands for it.")
        elif dotted:
            self._use(node, dotted)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        root = root_of(node)
        if root is None:
            return True
        bound, dotted = self.dotted(root), self.dotted(node)
        if not bound:
            return False
        if bound == "prefect":
            self._use_of_root(node, root, dotted)
        elif self._is_module(bound):
            self._use_of_module(bound, dotted, node)
        else:
            self._use(root, bound)
        return False

    def visit_Annotation(self, node: cst.Annotation) -> None:
        """In quotes, names are text."""
        text = node.annotation
        if not isinstance(text, cst.SimpleString):
            return
        value = re.sub(r"\bprefect(?:\.\w+)+|(?<![\w.])\w+", lambda found: self._in_quotes(found[0], node), text.value)
        if value != text.value:
            self.plan.replace[text] = text.with_changes(value=value)

    def _in_quotes(self, name: str, node: cst.Annotation) -> str:
        if "." not in name:
            return self._quoted.get(name, name)
        found = find(name)
        if found is None or not found.name:
            self.note(node, f"{name}, in quotes: {advice_for(name)}")
            return name
        self.plan.modules[found.module] = None
        return found.dotted

    def _use(self, node: cst.Name, dotted: str) -> None:
        self.plan.uses[dotted] += 1
        found = find(dotted)
        if found is not None and found.name and node.value == dotted.rpartition(".")[2] != found.name:
            self.plan.replace[node] = node.with_changes(value=found.name)

    def _use_of_root(self, node: cst.Attribute, root: cst.Name, dotted: str) -> None:
        for part in _parts(node):
            found = find(self.dotted(part))
            if found is None or (not found.name and part is not node):
                continue
            self._replace_from_root(part, root, found)
            return
        self.plan.root_stays = True
        self.note(node, f"{dotted}: {advice_for(dotted)}")

    def _replace_from_root(self, part: cst.BaseExpression, root: cst.Name, found: Found) -> None:
        self.plan.modules[found.module] = None
        made = self.from_root(root, found)
        self.plan.replace[part] = made.with_changes(lpar=part.lpar, rpar=part.rpar)

    def from_root(self, root: cst.Name, found: Found) -> cst.Name | cst.Attribute:
        """A name by way of `import nadi`, or of the alias that `import prefect as ...` gave."""
        _, dot, rest = found.dotted.partition(".")
        first = "nadi" if root.value == "prefect" or self.root_stays else root.value
        return dotted_node(first + dot + rest)

    def _is_module(self, bound: str) -> bool:
        found = find(bound)
        return found is not None and not found.name

    def _use_of_module(self, bound: str, dotted: str, node: cst.Attribute) -> None:
        module = find(bound)
        assert module is not None
        for part in _parts(node):
            name = self.dotted(part)
            if name == bound:
                break
            found = find(name)
            if found is not None and found.dotted == f"{module.module}.{name.removeprefix(bound + '.')}":
                return
        self.plan.stays.add(bound)
        self.note(node, f"{dotted}: {advice_for(dotted)}")


def root_of(node: cst.CSTNode) -> cst.Name | None:
    """Return the first name of names with dots between; `None` where it begins with something else."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return node if isinstance(node, cst.Name) else None


def _parts(node: cst.Attribute) -> Iterator[cst.BaseExpression]:
    """A chain of names, then without its last, and so on."""
    part: cst.BaseExpression = node
    while isinstance(part, cst.Attribute):
        yield part
        part = part.value
    yield part
