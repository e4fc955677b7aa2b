"""What a file itself defines: its flows and tasks, and where it keeps futures."""

from __future__ import annotations

import libcst as cst
from libcst.metadata import QualifiedNameProvider
from libcst.metadata import QualifiedNameSource as Source

from nadi.migrating.names import is_prefects


def prefect_name(visitor: cst.CSTVisitor, node: cst.CSTNode) -> str:
    """Return the full name of what an expression names, where an import of Prefect's says so; else ""."""
    for found in visitor.get_metadata(QualifiedNameProvider, node, None) or ():
        if found.source is Source.IMPORT and is_prefects(found.name):
            return str(found.name)
    return ""


class Known(cst.CSTVisitor):
    """What the file itself defines: its flows and tasks, and the futures that it keeps under a name."""

    METADATA_DEPENDENCIES = (QualifiedNameProvider,)

    def __init__(self) -> None:
        super().__init__()
        self._flows: set[str] = set()
        self._tasks: set[str] = set()
        self._futures: set[str] = set()
        #: Names of collections of futures.
        self._lists: set[str] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        for decorator in node.decorators:
            made = decorator.decorator
            name = prefect_name(self, made.func if isinstance(made, cst.Call) else made).rpartition(".")[2]
            if name in ("flow", "task"):
                (self._flows if name == "flow" else self._tasks).add(node.name.value)

    def visit_WithItem(self, node: cst.WithItem) -> None:
        if self._makes_flow(node.item) and node.asname is not None and isinstance(node.asname.name, cst.Name):
            self._flows.add(node.asname.name.value)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self._assign(target.target, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self._assign(node.target, node.value)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._assign(node.target, node.value)

    def _assign(self, target: cst.BaseExpression, value: cst.BaseExpression) -> None:
        if isinstance(target, cst.Tuple | cst.List):
            self._assign_each([element.value for element in target.elements], value)
        if not isinstance(target, cst.Name):
            return
        if self._makes_flow(value):
            self._flows.add(target.value)
        if self.is_future(value):
            self._futures.add(target.value)
        if self._are_futures(value):
            self._lists.add(target.value)

    def _assign_each(self, targets: list[cst.BaseExpression], value: cst.BaseExpression) -> None:
        if isinstance(value, cst.Tuple | cst.List) and len(value.elements) == len(targets):
            for target, element in zip(targets, value.elements, strict=True):
                self._assign(target, element.value)
        elif self._are_futures(value):
            self._futures.update(target.value for target in targets if isinstance(target, cst.Name))

    def visit_Call(self, node: cst.Call) -> None:
        """`futures.append(task.submit(...))`."""
        func = node.func
        if not isinstance(func, cst.Attribute) or func.attr.value != "append" or len(node.args) != 1:
            return
        if isinstance(func.value, cst.Name) and self.is_future(node.args[0].value):
            self._lists.add(func.value.value)

    def visit_For(self, node: cst.For) -> None:
        self._iterate(node.target, node.iter)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._iterate(node.target, node.iter)

    def _iterate(self, target: cst.BaseExpression, over: cst.BaseExpression) -> None:
        if isinstance(target, cst.Name) and self._are_futures(over):
            self._futures.add(target.value)

    def _are_futures(self, node: cst.BaseExpression) -> bool:
        node = _awaited(node)
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            return node.func.attr.value == "map" and self.is_task(node.func.value)
        if isinstance(node, cst.ListComp | cst.GeneratorExp):
            return self.is_future(node.elt)
        if isinstance(node, cst.List | cst.Tuple):
            return bool(node.elements) and all(self.is_future(element.value) for element in node.elements)
        return isinstance(node, cst.Name) and node.value in self._lists

    def _makes_flow(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Call) and prefect_name(self, node.func).rpartition(".")[2] == "Flow"

    def is_flow(self, node: cst.BaseExpression) -> bool:
        """Whether an expression names a flow of this file."""
        return isinstance(node, cst.Name) and node.value in self._flows

    def is_task(self, node: cst.BaseExpression) -> bool:
        """Whether an expression names a task of this file, perhaps with other options."""
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            return node.func.attr.value == "with_options" and self.is_task(node.func.value)
        return isinstance(node, cst.Name) and node.value in self._tasks

    def is_future(self, node: cst.BaseExpression) -> bool:
        """Whether an expression gives a future of a task of this file."""
        node = _awaited(node)
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            return node.func.attr.value == "submit" and self.is_task(node.func.value)
        return isinstance(node, cst.Name) and node.value in self._futures


def _awaited(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.expression if isinstance(node, cst.Await) else node
