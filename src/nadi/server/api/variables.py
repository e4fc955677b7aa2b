"""Variables: named JSON values for what changes more often than code."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime

import msgspec

from nadi.engine.variables import checked_variable
from nadi.exceptions import NotFound, ValueRefused
from nadi.model.access import Permission
from nadi.model.runs import Variable, when
from nadi.model.text import one_line, shorten
from nadi.server.fields import Text, UpTo200
from nadi.server.routing import Call, Routes

routes = Routes("variables")


class VariableShape(msgspec.Struct, frozen=True, kw_only=True):
    """One variable."""

    name: str
    value: msgspec.Raw
    tags: tuple[str, ...]
    updated: datetime | None


class VariablesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which variables."""

    #: The `next` of the page before.
    after: Text = ""
    limit: UpTo200 = 100


class VariablePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some variables, by name."""

    variables: list[VariableShape]
    #: Give this as `after` for the next page; "" when there are no more.
    next: str


class NewVariable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a variable holds from now on."""

    value: msgspec.Raw
    tags: tuple[Text, ...] = ()


@routes.add("GET", "/api/variables", Permission.READ)
def list_variables(call: Call, query: VariablesQuery) -> VariablePage:
    """List variables, by name."""
    everything = call.context.store.variables()
    start = bisect_right(everything, query.after, key=lambda one: one.name) if query.after else 0
    found = everything[start : start + query.limit]
    following = found[-1].name if start + query.limit < len(everything) else ""
    return VariablePage(variables=[_shape(one) for one in found], next=following)


@routes.add("GET", "/api/variables/{name}", Permission.READ, errors=(NotFound,))
def show_variable(call: Call, name: str) -> VariableShape:
    """Show one variable."""
    found = call.context.store.variable(name) if len(name) <= 255 else None
    if found is None:
        raise _missing(name)
    return _shape(found)


@routes.add("PUT", "/api/variables/{name}", Permission.OPERATE, errors=(ValueRefused,), audit="set_variable")
def set_variable(call: Call, name: str, body: NewVariable) -> VariableShape:
    """Keep a value under a name, in place of what was there."""
    variable = checked_variable(name, body.value, tags=body.tags, now=call.now)
    call.context.store.set_variable(variable, overwrite=True)
    return _shape(variable)


@routes.add("DELETE", "/api/variables/{name}", Permission.OPERATE, errors=(NotFound,), audit="unset_variable")
def unset_variable(call: Call, name: str) -> None:
    """Forget a variable."""
    if len(name) > 255 or not call.context.store.unset_variable(name):
        raise _missing(name)


def _missing(name: str) -> NotFound:
    return NotFound(f"There is no variable {shorten(one_line(name), 80)!r}.")


def _shape(variable: Variable) -> VariableShape:
    return VariableShape(
        name=variable.name,
        value=msgspec.Raw(variable.value),
        tags=variable.tags,
        updated=when(variable.updated),
    )
