"""Reading a file on its syntax tree: names, and what differs by more than its name.

Nothing is changed here: `plan_of` gathers what `rewriting.py` carries out.
"""

from __future__ import annotations

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider

from nadi.migrating.definitions import Known
from nadi.migrating.idioms import DEPLOYING, NOT_FLOW_KEYWORDS, executor_call
from nadi.migrating.names import EXECUTOR_MODULES, Found
from nadi.migrating.naming import Naming, root_of
from nadi.migrating.plans import Plan, dotted_text


class Reading(Naming):
    """Walks over a file and plans what becomes of it."""

    def __init__(self, known: Known, *, root_stays: bool = False) -> None:
        """Read; `root_stays` says that `import prefect` stays beside `import nadi`."""
        super().__init__(known, root_stays=root_stays)
        #: Calls that were seen to by the expression around them.
        self._seen_to: set[cst.CSTNode] = set()

    def visit_Call(self, node: cst.Call) -> bool:
        if node in self._seen_to:
            return True
        return not (self._executor(node) or self._logger_of_context(node.func, node) or self._method(node))

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        if self.dotted(node.value) != "prefect.context" or len(node.slice) != 1:
            return True
        index = node.slice[0].slice
        return not (isinstance(index, cst.Index) and self._logger(node, node.value, index.value))

    def _executor(self, node: cst.Call) -> bool:
        dotted = self.dotted(node.func)
        parent, _, name = dotted.rpartition(".")
        if parent not in EXECUTOR_MODULES:
            return False
        made = executor_call(name, node)
        if made is None:
            return False
        self._rewrite(node, node.func, Found("nadi.executors", dotted_text(made.func)), made)
        return True

    def _rewrite(self, node: cst.CSTNode, named: cst.CSTNode, found: Found, call: cst.Call) -> None:
        """Let `call` stand for `node`, whose name of Prefect's is `named`; `found` is what is called."""
        root = named if isinstance(named, cst.Name) else root_of(named)
        assert root is not None
        bound = self.dotted(root)
        if bound == "prefect":
            self.plan.modules[found.module] = None
            call = call.with_changes(func=self.from_root(root, found))
        else:
            self.plan.uses[bound] += 1
            self.plan.rewritten[bound] += 1
            self.plan.instead.setdefault(bound, {})[found] = None
        self.plan.replace[node] = call

    def _logger_of_context(self, func: cst.BaseExpression, node: cst.Call) -> bool:
        """`prefect.context.get("logger")`, Prefect 1's way to the logger."""
        if not isinstance(func, cst.Attribute) or func.attr.value != "get" or len(node.args) != 1:
            return False
        return self.dotted(func.value) == "prefect.context" and self._logger(node, func.value, node.args[0].value)

    def _logger(self, node: cst.BaseExpression, context: cst.BaseExpression, key: cst.BaseExpression) -> bool:
        if not isinstance(key, cst.SimpleString) or key.evaluated_value != "logger":
            return False
        call = cst.Call(cst.Name("get_run_logger"), lpar=node.lpar, rpar=node.rpar)
        self._rewrite(node, context, Found("nadi", "get_run_logger"), call)
        if not self._inside_function(node):
            self.note(node, "get_run_logger() answers inside of a task or flow only: call it there.")
        return True

    def _inside_function(self, node: cst.CSTNode) -> bool:
        above: cst.CSTNode | None = node
        while above is not None and not isinstance(above, cst.Module):
            if isinstance(above, cst.FunctionDef):
                return True
            above = self.get_metadata(ParentNodeProvider, above, None)
        return False

    def _inside_flow(self, node: cst.CSTNode) -> bool:
        above: cst.CSTNode | None = node
        while above is not None and not isinstance(above, cst.Module):
            if isinstance(above, cst.FunctionDef) and self.known.is_flow(above.name):
                return True
            above = self.get_metadata(ParentNodeProvider, above, None)
        return False

    def _method(self, node: cst.Call) -> bool:
        func = node.func
        if not isinstance(func, cst.Attribute):
            self._flow_keywords(node)
            return False
        self._flow_keywords(node)
        method, of = func.attr.value, func.value
        if method == "gather":
            self._gather(node)
        elif method == "result":
            self._result(node, of)
        elif method == "wait" and self.known.is_future(of) and not self._is_statement(node):
            self.note(node, "wait() gave the state in Prefect 2, and gives nothing here: call it, then take `.state`.")
        elif method in DEPLOYING and self._deploys(method, of, node):
            self.note(node, f".{method}(): {DEPLOYING[method]}")
        return False

    def _gather(self, node: cst.Call) -> None:
        """`asyncio.gather(future.result(), *[future.result() for ...])`, of Prefect 2: a future is awaited itself."""
        for arg in node.args:
            value = arg.value.elt if isinstance(arg.value, cst.ListComp | cst.GeneratorExp) else arg.value
            if not isinstance(value, cst.Call) or value.args or not isinstance(value.func, cst.Attribute):
                continue
            if value.func.attr.value == "result" and self.known.is_future(value.func.value):
                self.plan.replace[value] = value.func.value

    def _result(self, node: cst.Call, of: cst.BaseExpression) -> None:
        """`future.wait().result()` and `state.result(fetch=True)`, of Prefect 2."""
        changed = node
        if (
            isinstance(of, cst.Call)
            and isinstance(of.func, cst.Attribute)
            and of.func.attr.value == "wait"
            and self.known.is_future(of.func.value)
        ):
            self._seen_to.add(of)
            if not of.args:
                func = cst.ensure_type(node.func, cst.Attribute)
                changed = changed.with_changes(func=func.with_changes(value=of.func.value))
            else:
                self.note(node, "wait(timeout) gives nothing here: write result(timeout=...) instead of both.")
        changed = _without_fetch(changed)
        if changed is not node:
            self.plan.replace[node] = changed

    def _is_statement(self, node: cst.CSTNode) -> bool:
        above = self.get_metadata(ParentNodeProvider, node, None)
        if isinstance(above, cst.Await):
            above = self.get_metadata(ParentNodeProvider, above, None)
        return isinstance(above, cst.Expr)

    def visit_Await(self, node: cst.Await) -> None:
        """Prefect 2 had `submit` and `result` to be awaited in async flows."""
        call = node.expression
        if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
            return
        method, of = call.func.attr.value, call.func.value
        inner: cst.BaseExpression | None = None
        if method in ("submit", "map"):
            if self.known.is_task(of):
                inner = call
            elif self._inside_flow(node):
                self.note(
                    node,
                    f"await ...{method}(): if this is a task of yours, take `await` away here and write"
                    " `await future` for `await future.result()`.",
                )
        elif method == "result" and _without_fetch(call) is not call:
            self._seen_to.add(call)
            inner = _without_fetch(call)  # only states took it, and theirs is not awaited
        elif method == "result" and self.known.is_future(of):
            if not call.args:
                self.plan.replace[call] = of
            else:
                inner = call
        elif method == "wait" and self.known.is_future(of):
            inner = call
        if inner is not None:
            self.plan.replace[node] = inner.with_changes(lpar=[*node.lpar, *inner.lpar], rpar=[*inner.rpar, *node.rpar])

    def _deploys(self, method: str, of: cst.BaseExpression, node: cst.Call) -> bool:
        return method == "run_agent" or self.known.is_flow(of)

    def _flow_keywords(self, node: cst.Call) -> None:
        if self.dotted(node.func) not in ("prefect.Flow", "prefect.core.flow.Flow"):
            return
        for arg in node.args:
            if arg.keyword is not None and arg.keyword.value in NOT_FLOW_KEYWORDS:
                self.note(arg, f"Flow({arg.keyword.value}=...): {NOT_FLOW_KEYWORDS[arg.keyword.value]}")

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        target = node.target
        if isinstance(target, cst.Attribute) and self.known.is_flow(target.value):
            name = target.attr.value
            if name in NOT_FLOW_KEYWORDS:
                self.note(node, f"flow.{name} = ...: {NOT_FLOW_KEYWORDS[name]}")


def _without_fetch(call: cst.Call) -> cst.Call:
    """The same call where it has no `fetch=`, else one without it."""
    kept = [arg for arg in call.args if arg.keyword is None or arg.keyword.value != "fetch"]
    if len(kept) == len(call.args):
        return call
    kept[-1:] = [arg.with_changes(comma=cst.MaybeSentinel.DEFAULT) for arg in kept[-1:]]
    return call.with_changes(args=kept)


def plan_of(wrapper: MetadataWrapper) -> Plan:
    """Read a file and return what is to become of it."""
    known = Known()
    for _ in range(2):  # a flow may stand above the tasks that it submits
        wrapper.visit(known)
    first = Reading(known)
    wrapper.visit(first)
    if not first.plan.root_stays:
        return first.plan
    again = Reading(known, root_stays=True)
    wrapper.visit(again)
    return again.plan
