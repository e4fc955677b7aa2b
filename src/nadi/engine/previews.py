"""The graph of a flow before it ran: read from its code, without running it.

Calls of tasks and flows become nodes; a variable that holds the outcome of one and is passed to another becomes an
edge. Branches and loops are drawn once, with their condition. What code decides while it runs cannot be seen here.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from nadi.engine.flow_lookup import is_flow, name_of
from nadi.engine.graphs import Edge, Graph, Node
from nadi.exceptions import LoadError
from nadi.model.specs import TaskSpec
from nadi.model.text import shorten

#: Methods that call a task or flow, and those that hand it on with other keywords.
_CALLING = {"submit", "map", "serve", "delay"}
_SAME = {"with_options"}

_NOTE = "Read from the code: what it decides while it runs (how many, which branch) is only known afterwards."


def graph_of_code(flow: Any) -> Graph:
    """Return the graph that the code of an imperative flow shows.

    Raises:
        LoadError: its source text is not there.
    """
    function = inspect.unwrap(getattr(flow, "fn", flow))
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError) as error:
        raise LoadError(
            f"The source text of the flow {name_of(flow)!r} cannot be read, so it cannot be drawn."
        ) from error
    body = next((node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)), None)
    names = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
    return graph_of_body(name_of(flow), body.body if body is not None else [], names)


class Marked:
    """Stands for a task or flow of which only the source text is known."""

    def __init__(
        self,
        name: str,
        *,
        is_flow: bool,
        function: ast.FunctionDef | ast.AsyncFunctionDef | None = None,
        is_method: bool = False,
    ) -> None:
        self.name = name
        self.is_flow = self.__nadi_flow__ = is_flow
        #: How it is written; `None` where that is elsewhere, or it is no function.
        self.function = function
        #: Whether its first parameter is `self` or `cls`.
        self.is_method = is_method

    def renamed(self, name: str) -> Marked:
        """Return the same under another name."""
        return Marked(name, is_flow=self.is_flow, function=self.function, is_method=self.is_method)


def graph_of_body(title: str, body: Iterable[ast.stmt], names: dict[str, Any], *, is_bounded: bool = False) -> Graph:
    """Return the graph that the statements of a flow show.

    Args:
        title: What the graph is of.
        body: The statements.
        names: What the names in them stand for: tasks and flows, or `Marked` in their place.
        is_bounded: Whether code that nobody wrote by hand is given up, as it could take all memory.

    Raises:
        PreviewTooLarge: it has more calls or links than are read, where they are bounded.
    """
    reader = _Reader(names, is_bounded)
    reader.read(body)
    return Graph(title=title, nodes=reader.nodes, edges=list(reader.edges), note=_NOTE)


#: Calls and links of a graph, at most; code with more of them was not written by hand.
MOST_NODES = 2_000
MOST_EDGES = 20_000


class PreviewTooLarge(ValueError):
    """Code with too many calls for a picture."""


class _Reader:
    """Walks the statements of a flow in order and remembers which variable holds whose outcome."""

    def __init__(self, names: dict[str, Any], is_bounded: bool) -> None:
        self._is_bounded = is_bounded
        self.nodes: list[Node] = []
        self.edges: dict[Edge, None] = {}
        self._names = names
        self._held: dict[str, set[str]] = {}
        self._where: list[str] = []

    def read(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                held = self._expression(value)
                for target in targets:
                    self._assign(target, held)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._assign(target, self._expression(value))
            case ast.AugAssign(target=target, value=value):
                self._assign(target, self._expression(value), more=True)
            case ast.For() | ast.AsyncFor():
                self._assign(node.target, self._expression(node.iter))
                self._under(f"for each of {ast.unparse(node.iter)}", node.body)
                self.read(node.orelse)
            case ast.While(test=test):
                self._expression(test)
                self._under(f"while {ast.unparse(test)}", node.body)
                self.read(node.orelse)
            case ast.If(test=test):
                self._expression(test)
                self._under(f"if {ast.unparse(test)}", node.body)
                self._under(f"if not: {ast.unparse(test)}", node.orelse)
            case ast.Try():
                self.read(node.body)
                for handler in node.handlers:
                    kind = ast.unparse(handler.type) if handler.type is not None else "anything"
                    self._under(f"on {kind}", handler.body)
                self.read(node.orelse)
                self.read(node.finalbody)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    held = self._expression(item.context_expr)
                    if item.optional_vars is not None:
                        self._assign(item.optional_vars, held)
                self.read(node.body)
            case ast.Match(subject=subject, cases=cases):
                self._expression(subject)
                for case in cases:
                    self._under(f"case {ast.unparse(case.pattern)}", case.body)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._expression(child)

    def _under(self, condition: str, statements: list[ast.stmt]) -> None:
        self._where.append(shorten(condition, 40))
        self.read(statements)
        self._where.pop()

    def _assign(self, target: ast.expr, held: set[str], *, more: bool = False) -> None:
        if isinstance(target, ast.Name):
            # In a branch or loop the value from before may stand as well.
            keep = more or bool(self._where)
            self._held[target.id] = held | (self._held.get(target.id, set()) if keep else set())
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._assign(part, held, more=more)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, held, more=more)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self._assign(target.value, held, more=True)

    def _expression(self, node: ast.expr) -> set[str]:
        """Return the nodes whose outcome the value of an expression carries."""
        if isinstance(node, ast.Name):
            return self._held.get(node.id, set())
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Lambda):
            return set()
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            return self._comprehension(node)
        held = set().union(*(self._expression(child) for child in _expressions(node)))
        if isinstance(node, ast.NamedExpr):
            self._assign(node.target, held)
        return held

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> set[str]:
        for part in node.generators:
            self._assign(part.target, self._expression(part.iter), more=True)
        self._where.append(shorten(f"for each of {ast.unparse(node.generators[0].iter)}", 40))
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        held = set().union(*map(self._expression, parts))
        self._where.pop()
        return held

    def _call(self, node: ast.Call) -> set[str]:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        called, how = self._called(node.func)
        # The arguments first: what is called inside of them comes before.
        held = set().union(*map(self._expression, given))
        if called is not None:
            return {self._add(called, how, held)}
        if isinstance(node.func, ast.Attribute):
            below = node.func.value
            if isinstance(below, ast.Name) and held and below.id in self._held | {below.id: set()}:
                # `futures.append(task.submit())`: the list holds what was put into it.
                self._held[below.id] = self._held.get(below.id, set()) | held
            return held | self._expression(below)
        return held | self._expression(node.func)

    def _called(self, func: ast.expr) -> tuple[Any, str]:
        """Return the task or flow that a call calls, and by which method; `None` when it calls something else."""
        how = ""
        if isinstance(func, ast.Attribute) and func.attr in _CALLING:
            how, func = func.attr, func.value
        while isinstance(func, ast.Call) and isinstance(func.func, ast.Attribute) and func.func.attr in _SAME:
            func = func.func.value
        value = self._value(func)
        known = is_flow(value) or isinstance(value, Marked) or isinstance(getattr(value, "spec", None), TaskSpec)
        return (value, how) if known else (None, "")

    def _value(self, node: ast.expr) -> Any:
        """Return what a name or dotted name stands for, where that is known without running anything of the user's."""
        if isinstance(node, ast.Name):
            return None if node.id in self._held else self._names.get(node.id, getattr(builtins, node.id, None))
        if isinstance(node, ast.Attribute):
            holder = self._value(node.value)
            # Only modules and classes: other objects may compute their attributes.
            return vars(holder).get(node.attr) if inspect.ismodule(holder) or inspect.isclass(holder) else None
        return None

    def _add(self, called: Any, how: str, sources: set[str]) -> str:
        if self._is_bounded and (len(self.nodes) >= MOST_NODES or len(self.edges) + len(sources) > MOST_EDGES):
            raise PreviewTooLarge(f"It has more than {MOST_NODES:,} calls or {MOST_EDGES:,} links between them.")
        node = Node(
            id=f"n{len(self.nodes) + 1}",
            name=name_of(called),
            is_flow=is_flow(called),
            is_map=how == "map",
            remark="; ".join(self._where),
        )
        self.nodes.append(node)
        for source in sorted(sources):
            self.edges[Edge(source, node.id)] = None
        return node.id


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        elif not isinstance(child, ast.stmt):
            yield from _expressions(child)
