"""What the source text of a flow says, with nothing of it loaded or run: for whoever may look and not run.

Names are looked up as the text binds them: functions that it marks as tasks and flows, and those of files beside it.
What only running the code can tell (a graph that is declared, classes of the code's own as types) is left out.
"""

from __future__ import annotations

import ast
import builtins
import collections.abc
import datetime
import decimal
import inspect
import typing
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from nadi.engine.flow_code import NOT_TOLD, FlowCode, description_of
from nadi.engine.previews import Marked, PreviewTooLarge, graph_of_body
from nadi.model.parameters import Parameters
from nadi.model.secrets import Secret

#: Reads the source text of a module by its name, with leading dots where it is relative; `None` where it is not there.
ReadModule = Callable[[str], str | None]

#: How many files are read beside that of the flow, and of how many names it is looked whether one is there.
MOST_FILES = 20
MOST_NAMES = 500
#: Characters of a source that are read; code with more of them was not written by hand.
MOST_SOURCE = 256 * 1024

_DECLARED = (
    "This flow is declared: its graph and parameters are there once its code is loaded, which is not done to show this."
)
_NOT_FOUND = "The flow is not where the newest run found it: its file may have changed since."
_UNREADABLE = "The source text of the flow cannot be read as Python."
_TYPES = (
    "What stands for a type or a default by a name of the code's own is not told: for that the code has to be loaded."
)

#: Modules that types are looked up in, and types of ours: all they do is to be named.
_TYPE_MODULES: dict[str, Any] = {
    "typing": typing,
    "collections.abc": collections.abc,
    "datetime": datetime,
    "decimal": decimal,
    "uuid": uuid,
}
_TYPES_KNOWN: dict[str, Any] = {"pathlib.Path": Path, "nadi.Secret": Secret}
_BUILTIN_TYPES = {
    *("int", "float", "str", "bool", "bytes", "list", "dict", "tuple", "set", "frozenset", "complex", "object", "type")
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def preview_of_source(text: str, entrypoint: str, *, read: ReadModule = lambda name: None) -> FlowCode:
    """Return what the source text of a flow says.

    Args:
        text: All of its file.
        entrypoint: What the flow is loaded by; what stands after the last colon is looked for.
        read: Gives the text of other modules that it imports.
    """
    if len(text) > MOST_SOURCE:
        return _nothing(entrypoint, f"Its file has more than {MOST_SOURCE:,} characters, which are not read here.")
    try:
        return _preview(ast.parse(text), entrypoint, read)
    # What is nested beyond what Python can take ends in one of these, wherever that shows.
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return _nothing(entrypoint, _UNREADABLE)


def _preview(tree: ast.Module, entrypoint: str, read: ReadModule) -> FlowCode:
    module = _Module(tree, _Files(read))
    found = module.flow(entrypoint.rpartition(":")[2])
    if found is None:
        return _nothing(entrypoint, _NOT_FOUND)
    function = found.function
    if function is None:
        return _nothing(entrypoint, _DECLARED)
    described = _Described(module.origins)
    docstring = ast.get_docstring(function)
    try:
        graph = graph_of_body(found.name, function.body, module.names, is_bounded=True)
    except PreviewTooLarge:
        graph = None
    return FlowCode(
        entrypoint=entrypoint,
        description=description_of(docstring),
        parameters=described.schema(function, docstring, is_method=found.is_method),
        graph=graph,
        note=_TYPES if described.left_out else "",
    )


def _nothing(entrypoint: str, why: str) -> FlowCode:
    return FlowCode(entrypoint=entrypoint, description="", parameters=NOT_TOLD, graph=None, note=why)


# -- names --------------------------------------------------------------------------------------


class _Files:
    """The modules beside a file, each read once and only so many."""

    def __init__(self, read: ReadModule) -> None:
        self._read = read
        self._known: dict[str, ModuleType | None] = {}
        self._files = 0

    def module(self, name: str) -> ModuleType | None:
        """Return what stands for a module: with its tasks and flows, and nothing else."""
        if name not in self._known:
            self._known[name] = None  # two that import each other end here
            is_looked_for = self._files < MOST_FILES and len(self._known) <= MOST_NAMES
            text = self._read(name) if is_looked_for else None
            if text is not None:
                self._files += 1
                try:
                    tree = ast.parse(text)
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    return None
                stand_in = ModuleType(name.lstrip("."))
                vars(stand_in).update(_Module(tree, self).names)
                self._known[name] = stand_in
        return self._known[name]


class _Module:
    """What the names of one file stand for."""

    def __init__(self, tree: ast.Module, files: _Files) -> None:
        #: Tasks, flows, and modules and classes that hold some.
        self.names: dict[str, Any] = {}
        #: Where other names were imported from, dotted.
        self.origins: dict[str, str] = {}
        self._files = files
        for statement in _statements(tree.body):
            self._bind(statement)

    def flow(self, name: str) -> Marked | None:
        """Return the flow of this variable (or `Class.method`), or with this name of its own."""
        found: Any = self.names.get(name.split(".")[0])
        for part in name.split(".")[1:]:
            found = vars(found).get(part) if isinstance(found, type) else None
        if isinstance(found, Marked) and found.is_flow:
            return found
        flows = [one for one in self.names.values() if isinstance(one, Marked) and one.is_flow]
        called = [one for one in flows if one.name == name]
        return called[0] if len(called) == 1 else None

    def _bind(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Import():
                for alias in statement.names:
                    self._import(alias)
            case ast.ImportFrom():
                module = "." * statement.level + (statement.module or "")
                for alias in statement.names:
                    self._import_from(module, alias)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                marked = self._marked(statement)
                if marked is not None:
                    self.names[statement.name] = marked
            case ast.ClassDef():
                inside = {
                    one.name: marked
                    for one in statement.body
                    if isinstance(one, Function)
                    and not one.name.startswith("__")
                    and (marked := self._marked(one, is_method=True)) is not None
                }
                if inside:
                    self.names[statement.name] = type(statement.name, (), inside)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._assign(name, value)
            case ast.With(items=items):
                for item in items:
                    if isinstance(item.optional_vars, ast.Name):
                        self._assign(item.optional_vars.id, item.context_expr)

    def _import(self, alias: ast.alias) -> None:
        name = alias.asname or alias.name.split(".")[0]
        self.origins[name] = alias.name if alias.asname else name
        module = self._files.module(alias.name) if alias.asname or "." not in alias.name else None
        if module is not None:
            self.names[name] = module

    def _import_from(self, module: str, alias: ast.alias) -> None:
        name = alias.asname or alias.name
        self.origins[name] = f"{module}.{alias.name}"
        if module.split(".")[0] == "nadi":
            return
        found = self._files.module(module)
        value = vars(found).get(alias.name) if found is not None else None
        if value is None:
            joined = module + alias.name if module.endswith(".") else f"{module}.{alias.name}"
            value = self._files.module(joined) if found is not None or module.endswith(".") else None
        if value is not None:
            self.names[name] = value

    def _assign(self, name: str, value: ast.expr) -> None:
        if isinstance(value, ast.Name) and value.id in self.names:
            self.names[name] = self.names[value.id]
        elif isinstance(value, ast.Call):
            marked = self._made(value)
            if marked is not None:
                self.names[name] = marked

    def _made(self, call: ast.Call) -> Marked | None:
        """Return what `Flow("name")`, `task(fn)`, `flow(name=...)(fn)` or `task.with_options(...)` makes."""
        if self._origin(call.func) == "nadi.Flow":
            return Marked(_text(call.args[0], "") if call.args else _keyword(call, "name", ""), is_flow=True)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "with_options":
            known = self.names.get(call.func.value.id) if isinstance(call.func.value, ast.Name) else None
            return known.renamed(_keyword(call, "name", known.name)) if isinstance(known, Marked) else None
        mark = self._mark(call.func)
        if mark and len(call.args) == 1 and isinstance(call.args[0], ast.Name):
            given = call if not isinstance(call.func, ast.Call) else call.func
            return Marked(_keyword(given, "name", _titled(call.args[0].id, mark)), is_flow=mark == "flow")
        return None

    def _marked(self, function: Function, *, is_method: bool = False) -> Marked | None:
        for decorator in function.decorator_list:
            mark = self._mark(decorator)
            if mark:
                name = _keyword(decorator, "name", _titled(function.name, mark))
                free = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in function.decorator_list)
                return Marked(name, is_flow=mark == "flow", function=function, is_method=is_method and not free)
        return None

    def _mark(self, node: ast.expr) -> str:
        """Return "task" or "flow" for what marks a function as one; else ""."""
        origin = self._origin(node.func if isinstance(node, ast.Call) else node)
        return {"nadi.task": "task", "nadi.flow": "flow", "nadi.materialize": "task"}.get(origin, "")

    def _origin(self, node: ast.expr) -> str:
        """Return where a name comes from; of ours without the modules in between, as they all give the same."""
        told = _dotted(node, self.origins)
        return f"nadi.{told.rpartition('.')[2]}" if told.startswith("nadi.") else told


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those under conditions too."""
    for statement in body:
        yield statement
        match statement:
            case ast.If() | ast.Try():
                yield from _statements(statement.body)
                yield from _statements(statement.orelse)


def _dotted(node: ast.expr, origins: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return origins.get(node.id, "")
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value, origins)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _keyword(node: ast.expr, name: str, otherwise: str) -> str:
    given = node.keywords if isinstance(node, ast.Call) else []
    return next((_text(one.value, otherwise) for one in given if one.arg == name), otherwise)


def _text(node: ast.expr, otherwise: str) -> str:
    found = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else otherwise
    return found.encode("utf-8", "replace").decode()  # half a character, as "\\ud800" writes it, has no form in JSON


def _titled(function: str, mark: str) -> str:
    return function.replace("_", "-") if mark == "flow" else function


# -- parameters ---------------------------------------------------------------------------------


class _Described:
    """Makes the schema of a function's parameters from how they are written."""

    def __init__(self, origins: dict[str, str]) -> None:
        self._origins = origins
        #: Whether there was a type or a default that only running the code would tell.
        self.left_out = False

    def schema(self, function: Function, docstring: str | None, *, is_method: bool) -> msgspec.Raw:
        def stub() -> None: ...

        stub.__qualname__ = function.name
        stub.__doc__ = docstring
        stub.__signature__ = inspect.Signature(self._parameters(function.args))  # type: ignore[attr-defined]  # read by inspect
        return msgspec.Raw(msgspec.json.encode(Parameters.of(stub, skip_first=is_method).schema()))

    def _parameters(self, given: ast.arguments) -> list[inspect.Parameter]:
        kinds = inspect.Parameter
        by_place = [
            *((one, kinds.POSITIONAL_ONLY) for one in given.posonlyargs),
            *((one, kinds.POSITIONAL_OR_KEYWORD) for one in given.args),
        ]
        defaults = [None] * (len(by_place) - len(given.defaults)) + [*given.defaults]
        made = [self._parameter(one, kind, default) for (one, kind), default in zip(by_place, defaults, strict=True)]
        if given.vararg is not None:
            made.append(self._parameter(given.vararg, kinds.VAR_POSITIONAL, None))
        for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
            made.append(self._parameter(one, kinds.KEYWORD_ONLY, default))
        if given.kwarg is not None:
            made.append(self._parameter(given.kwarg, kinds.VAR_KEYWORD, None))
        return made

    def _parameter(self, told: ast.arg, kind: Any, default: ast.expr | None) -> inspect.Parameter:
        value = inspect.Parameter.empty if default is None else self._default(default)
        return inspect.Parameter(told.arg, kind, default=value, annotation=self._type(told.annotation))

    def _default(self, node: ast.expr) -> Any:
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError):
            self.left_out = True
            return msgspec.UNSET  # there is one, and it has no form in JSON

    def _type(self, node: ast.expr | None) -> Any:
        if node is None:
            return Any
        try:
            return self._known(node)
        except (LookupError, TypeError, ValueError, SyntaxError):
            self.left_out = True
            return Any

    def _known(self, node: ast.expr) -> Any:
        """Return the type that an annotation names.

        Raises:
            LookupError: it is none that is known here.
        """
        match node:
            case ast.Constant(value=None):
                return None
            case ast.Constant(value=str(text)):
                return self._known(ast.parse(text, mode="eval").body)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return typing.Union[self._known(left), self._known(right)]  # noqa: UP007  # made of values
            case ast.Subscript(value=value, slice=inside):
                return self._filled(self._known(value), inside)
            case ast.Name(id=name) if name in _BUILTIN_TYPES and name not in self._origins:
                return getattr(builtins, name)
        module, _, name = _dotted(node, self._origins).rpartition(".")
        if f"{module}.{name}" in _TYPES_KNOWN:
            return _TYPES_KNOWN[f"{module}.{name}"]
        return vars(_TYPE_MODULES[module])[name]

    def _filled(self, known: Any, inside: ast.expr) -> Any:
        parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        if known is typing.Literal:
            return known[tuple(ast.literal_eval(part) for part in parts)]
        if known is typing.Annotated:
            return self._known(parts[0])
        types = tuple(
            ... if isinstance(part, ast.Constant) and part.value is ... else self._known(part) for part in parts
        )
        return known[types if len(types) > 1 else types[0]]
