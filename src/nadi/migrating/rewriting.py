"""Rewriting one file on its syntax tree: what is not touched keeps every blank and comment. Needs libcst."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper

from nadi.migrating.names import Found, find, is_prefects
from nadi.migrating.plans import Note, Plan, dotted_node, dotted_text
from nadi.migrating.reading import plan_of


class Rewritten(NamedTuple):
    """What became of a file."""

    code: bytes
    #: What was left for a person, by line.
    notes: list[Note]


def rewrite(code: bytes) -> Rewritten:
    """Rewrite a file for Nadi.

    Rewriting what was rewritten changes nothing.

    Raises:
        SyntaxError: it is not Python.
    """
    try:
        module = cst.parse_module(code)
    except cst.ParserSyntaxError as error:
        raise SyntaxError(f"line {error.raw_line}: {error.message}") from None
    except (UnicodeDecodeError, LookupError) as error:
        raise SyntaxError(str(error)) from None
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    plan = plan_of(wrapper)
    changed = module.visit(_Rewriter(plan))
    return Rewritten(changed.bytes, sorted(plan.notes))


class _Rewriter(cst.CSTTransformer):
    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan
        self._imports = _Imports(plan)

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node not in self._plan.replace and super().on_visit(node)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]  # as wide
        instead = self._plan.replace.get(original_node)
        if instead is not None:
            return instead.visit(self)  # what it took over from the original may be replaced too
        return super().on_leave(original_node, updated_node)

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine] | cst.RemovalSentinel:
        body = self._statements(updated_node.body)
        if body is None:
            return updated_node
        if not body:
            return cst.RemoveFromParent()
        if len(updated_node.body) > 1 or len(body) == 1:
            return updated_node.with_changes(body=body)
        # One line each; the comment above stays above, the one behind stays behind.
        lines = [cst.SimpleStatementLine([statement]) for statement in body]
        lines[0] = lines[0].with_changes(leading_lines=updated_node.leading_lines)
        lines[-1] = lines[-1].with_changes(trailing_whitespace=updated_node.trailing_whitespace)
        return cst.FlattenSentinel(lines)

    def leave_SimpleStatementSuite(
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.SimpleStatementSuite:
        body = self._statements(updated_node.body)
        return updated_node if body is None else updated_node.with_changes(body=body or [cst.Pass()])

    def _statements(self, body: Sequence[cst.BaseSmallStatement]) -> list[cst.BaseSmallStatement] | None:
        """The statements with imports rewritten; `None` where nothing changes."""
        made: list[cst.BaseSmallStatement] = []
        for statement in body:
            if isinstance(statement, cst.ImportFrom):
                made += self._imports.of_from(statement)
            elif isinstance(statement, cst.Import):
                made += self._imports.of_import(statement)
            else:
                made.append(statement)
        return None if made == list(body) else made


class _Imports:
    """What becomes of import statements."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    # -- import a.b --

    def of_import(self, node: cst.Import) -> list[cst.BaseSmallStatement]:
        """Return the statements that stand for one."""
        if not any(is_prefects(dotted_text(alias.name)) for alias in node.names):
            return [node]
        wanted: dict[tuple[str, str], None] = {}
        kept = False
        for alias in node.names:
            name = dotted_text(alias.name)
            bound = dotted_text(alias.asname.name) if alias.asname is not None else ""
            targets = self._targets(name, bound)
            kept = kept or ((name, bound) in targets and is_prefects(name))
            wanted |= dict.fromkeys(targets)
        aliases = [_alias(name, bound) for name, bound in wanted]
        if kept and len(aliases) == len(node.names) == 1:
            return [node]
        return [cst.Import([alias]) for alias in aliases] if len(node.names) == 1 else [cst.Import(_listed(aliases))]

    def _targets(self, name: str, bound: str) -> list[tuple[str, str]]:
        """What is imported instead, each with the name that it is bound to; "" for its own."""
        if not is_prefects(name):
            return [(name, bound)]
        found = find(name)
        if found is None or name in self._plan.stays:
            return [(name, bound)]
        if bound and name != "prefect":
            return [(found.module, bound)]
        plan = self._plan
        targets: list[tuple[str, str]] = []
        if plan.root_stays:
            targets.append((name, bound))
            bound = ""
            if not plan.modules:
                return targets
        if name != "prefect":
            return [*targets, (found.module, "")]
        targets.append(("nadi", bound))
        return [*targets, *((module, "") for module in plan.modules if module not in plan.imported)]

    # -- from a import b --

    def of_from(self, node: cst.ImportFrom) -> list[cst.BaseSmallStatement]:
        """Return the statements that stand for one."""
        module = dotted_text(node.module)
        if node.relative or not is_prefects(module) or isinstance(node.names, cst.ImportStar):
            return [node]
        groups: dict[str, list[cst.ImportAlias]] = {}
        added: dict[Found, None] = {}
        for alias in node.names:
            name = f"{module}.{dotted_text(alias.name)}"
            added |= self._plan.instead.get(name, {})
            if not self._plan.drops(name):
                place, renamed = self._moved(module, name, alias)
                groups.setdefault(place, []).append(renamed)
        made: list[cst.BaseSmallStatement] = []
        for place in sorted(groups, key=lambda place: is_prefects(place)):
            more = [cst.ImportAlias(cst.Name(found.name)) for found in added if found.module == place]
            made.append(_from(node, place, groups[place], more))
        for place in dict.fromkeys(found.module for found in added if found.module not in groups):
            names = [cst.ImportAlias(cst.Name(found.name)) for found in added if found.module == place]
            made.append(cst.ImportFrom(dotted_node(place), _listed(names)))
        return made

    def _moved(self, module: str, name: str, alias: cst.ImportAlias) -> tuple[str, cst.ImportAlias]:
        found = find(name)
        if found is None or name in self._plan.stays:
            return module, alias
        place, _, last = found.dotted.rpartition(".")
        if last == dotted_text(alias.name):
            return place, alias
        if not found.name and alias.asname is None:
            # A module: its uses go on under the name that they have.
            asname = cst.AsName(cst.Name(dotted_text(alias.name)))
            return place, alias.with_changes(name=cst.Name(last), asname=asname)
        return place, alias.with_changes(name=cst.Name(last))


def _alias(name: str, bound: str) -> cst.ImportAlias:
    return cst.ImportAlias(dotted_node(name), cst.AsName(cst.Name(bound)) if bound else None)


def _listed(aliases: Iterable[cst.ImportAlias]) -> list[cst.ImportAlias]:
    """The aliases with plain commas between and none behind."""
    return [alias.with_changes(comma=cst.MaybeSentinel.DEFAULT) for alias in aliases]


def _from(
    node: cst.ImportFrom, place: str, names: Sequence[cst.ImportAlias], more: Sequence[cst.ImportAlias]
) -> cst.ImportFrom:
    """The same statement for another module and some of its names, each with the comment that stands behind it."""
    assert not isinstance(node.names, cst.ImportStar)
    same = list(names) == list(node.names) and not more
    if same:
        return node if dotted_text(node.module) == place else node.with_changes(module=dotted_node(place))
    module = dotted_node(place)
    if node.lpar is None or node.rpar is None:
        return node.with_changes(module=module, names=_listed([*names, *more]))
    last, rpar = names[-1], node.rpar
    if last.evaluated_name != node.names[-1].evaluated_name and isinstance(last.comma, cst.Comma):
        # It is the last one now; what stood behind its comma, perhaps a comment, stays there.
        behind, ending = last.comma.whitespace_after, node.names[-1].comma
        if isinstance(ending, cst.Comma):
            last = last.with_changes(
                comma=ending.with_changes(whitespace_after=_ended(behind, ending.whitespace_after))
            )
        else:
            last = last.with_changes(comma=ending)
            rpar = rpar.with_changes(whitespace_before=_ended(behind, rpar.whitespace_before))
    return node.with_changes(module=module, names=[*names[:-1], *_with_commas(last, more)], rpar=rpar)


def _with_commas(last: cst.ImportAlias, more: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
    if not more:
        return [last]
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    *others, final = more
    return [
        last.with_changes(comma=comma),
        *(one.with_changes(comma=comma) for one in others),
        final.with_changes(comma=last.comma),
    ]


def _ended(
    behind: cst.BaseParenthesizableWhitespace, end: cst.BaseParenthesizableWhitespace
) -> cst.BaseParenthesizableWhitespace:
    """What stands behind a name, indented as the end of the list is."""
    if isinstance(behind, cst.ParenthesizedWhitespace) and isinstance(end, cst.ParenthesizedWhitespace):
        return behind.with_changes(indent=end.indent, last_line=end.last_line)
    return end
