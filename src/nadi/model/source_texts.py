"""The syntax tree of a function, found in its file, and what of it counts.

Comments, blank lines, docstrings, annotations, `pass` and the places where things stand count nothing. What is
left is written down in a form that does not depend on the version of Python that parsed it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from nadi.model.code import encode_str, plain_value

#: A node of a syntax tree. Its kind is told by the name of its class: to load the classes themselves takes 1 ms, also
#: in processes that cache nothing.
_Node = Any
_FUNCTIONS = ("FunctionDef", "AsyncFunctionDef", "Lambda")
#: Fields that say nothing of what the code does, or that only some versions of Python have.
_SILENT = frozenset(
    {"annotation", "ctx", "kind", "lineno", "returns", "simple", "type_comment", "type_ignores", "type_params"}
)

Place = tuple[str, int]


def _is(node: _Node, *kinds: str) -> bool:
    return type(node).__name__ in kinds


class _File:
    """One source text: its functions by name and line, and the code that it compiles to."""

    def __init__(self, text: str, name: str) -> None:
        from ast import PyCF_ONLY_AST  # 4 ms

        try:
            tree = compile(text, name, "exec", PyCF_ONLY_AST, dont_inherit=True)
        except SystemError:
            # CPython counts the depth for all threads together, and may be put out when another one, or a finaliser
            # in the middle of this, makes a tree too (python/cpython#106905).
            tree = compile(text, name, "exec", PyCF_ONLY_AST, dont_inherit=True)
        self.nodes: dict[Place, list[_Node]] = {}
        for node in _walk(tree):
            if _is(node, *_FUNCTIONS):
                self.nodes.setdefault(_place(node), []).append(node)
        self.codes = set(_nested(compile(text, name, "exec", dont_inherit=True)))

    def node(self, code: CodeType) -> _Node | None:
        """The syntax of compiled code; None where it is not this text's, or which it is cannot be told."""
        if code not in self.codes:
            # The file was changed since it was loaded, or what was loaded was changed on the way.
            return None
        found = self.nodes.get((code.co_name, code.co_firstlineno), [])
        if len(found) > 1:
            places = set(code.co_positions())
            found = [node for node in found if _is(node, "Lambda") and _span(node.body) in places]
        return found[0] if len(found) == 1 else None


def function_syntax(fn: FunctionType) -> _Node | None:
    """The node of a function or lambda; None where its source cannot be read, or is not what runs.

    That is so for code made at run time, and when the file was changed after it was loaded.
    """
    import linecache  # loads the tokenizer; it has the cells of notebooks too

    code = fn.__code__
    # What was read before comes nearer to what runs than what is in the file now; unless that was loaded again.
    for look in (lambda file: None, linecache.checkcache):
        look(code.co_filename)
        try:
            text = "".join(linecache.getlines(code.co_filename, fn.__globals__))
            node = _file(text, code.co_filename).node(code) if text else None
        except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
            node = None
        if node is not None:
            return node
    return None


@functools.lru_cache(maxsize=32)
def _file(text: str, name: str) -> _File:
    return _File(text, name)


def _place(node: Any) -> Place:
    if _is(node, "Lambda"):
        return "<lambda>", node.lineno
    return node.name, min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _span(node: Any) -> tuple[int, int, int, int]:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _children(node: _Node) -> Iterator[_Node]:
    for name in node._fields:
        value = getattr(node, name, None)
        for child in value if isinstance(value, list) else (value,):
            if hasattr(child, "_fields"):
                yield child


def _walk(node: _Node) -> Iterator[_Node]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += _children(one)


# -- what counts ------------------------------------------------------------------------------


class SourceCode:
    """The syntax of a function as far as it counts, and the names that it uses from outside."""

    def __init__(self, node: _Node, local: set[str], *, is_silent: Callable[[tuple[str, ...]], bool]) -> None:
        """Read `node`; names in `local` are its own, and decorators of which `is_silent` says so do not count."""
        self._is_silent = is_silent
        self._found: set[tuple[str, ...]] = set()
        #: By id: what stands before the last dot of a chain that was noted as a whole.
        self._beginnings: set[int] = set()
        self.names: set[str] = set()
        self.data = self._tell(node)
        self.chains = sorted(chain for chain in self._found if chain[0] not in local)

    def _tell(self, node: _Node) -> bytes:
        if _is(node, "Name", "Attribute"):
            self._note(node)
        if _is(node, "AnnAssign"):
            return self._tell_fields("Assign", [("targets", [node.target]), ("value", node.value)])
        return self._tell_fields(type(node).__name__, self._fields(node))

    def _tell_fields(self, kind: str, fields: Iterable[tuple[str, Any]]) -> bytes:
        told = [kind.encode()]
        for name, value in fields:
            if isinstance(value, list):
                part = b"".join(self._tell_value(each) for each in value)
                part = b"[%d:%b" % (len(value), part) if value else b""
            else:
                part = self._tell_value(value)
            if part:
                told.append(encode_str(name) + part)
        return b"(%d:%b)" % (len(told), b"".join(told))

    def _tell_value(self, value: Any) -> bytes:
        if hasattr(value, "_fields"):
            return self._tell(value)
        if value is None:
            return b"-"
        return plain_value(value, frozen=True) or encode_str(repr(value))

    def _fields(self, node: _Node) -> Iterator[tuple[str, Any]]:
        """The fields that count, empty ones left out: those that a newer Python adds are empty in older code."""
        for name in sorted(set(node._fields) - _SILENT):
            value: Any = getattr(node, name, None)
            if name == "value" and _is(node, "Constant"):
                yield name, value
            elif name == "decorator_list":
                yield name, [each for each in value if not self._is_silent(chain_of(each))]
            elif name in ("body", "orelse", "finalbody") and isinstance(value, list):
                yield name, [each for each in value if not _says_nothing(each)]
            elif name == "values" and _is(node, "JoinedStr"):
                yield name, list(_joined(value))
            elif value is not None and not (_is(value, "JoinedStr") and not value.values):
                yield name, value

    def _note(self, node: _Node) -> None:
        self.names.add(node.id if _is(node, "Name") else node.attr)
        if id(node) not in self._beginnings and _is(node.ctx, "Load") and (chain := chain_of(node)):
            self._found.add(chain)
        if _is(node, "Attribute"):
            self._beginnings.add(id(node.value))


def chain_of(node: _Node) -> tuple[str, ...]:
    """`("a", "b")` of `a.b`, and of a call of it; empty for what is no chain of names."""
    if _is(node, "Call"):
        node = node.func
    names: list[str] = []
    while _is(node, "Attribute"):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if _is(node, "Name") else ()


def _says_nothing(statement: _Node) -> bool:
    """Whether a statement does nothing: a docstring or another bare constant, `pass`, or an annotation alone."""
    if _is(statement, "Expr"):
        return _is(statement.value, "Constant")
    return _is(statement, "Pass") or (_is(statement, "AnnAssign") and statement.value is None)


def _joined(parts: list[Any]) -> Iterator[Any]:
    """The parts of an f-string; versions of Python differ in how they split the text between the braces."""
    text = ""
    for part in parts:
        if _is(part, "Constant") and isinstance(part.value, str):
            text += part.value
            continue
        if text:
            yield text
        text = ""
        yield part
    if text:
        yield text
