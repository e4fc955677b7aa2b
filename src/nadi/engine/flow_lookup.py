"""Finding flows in a loaded module. A flow is whatever says that it is one: `__nadi_flow__ = True` and a `name`."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any


def is_flow(value: object) -> bool:
    """Whether `value` is a flow, imperative or declared."""
    try:
        return getattr(value, "__nadi_flow__", False) is True and not isinstance(value, type)
    # Things in the user's module may answer getattr with anything.
    except Exception:
        return False


def flows_in(module: ModuleType) -> dict[str, Any]:
    """The flows that `module` defines, by the name of their variable or `Class.method`.

    Flows that it only imported are left out, unless it defines none itself. Each flow is listed once.
    """
    own: dict[str, Any] = {}
    imported: dict[str, Any] = {}
    seen: set[int] = set()
    for name, value in list(vars(module).items()):
        for path, flow in _flows_at(name, value, module):
            if id(flow) not in seen:
                seen.add(id(flow))
                made_in = getattr(getattr(flow, "fn", None), "__module__", module.__name__)
                (own if made_in == module.__name__ else imported)[path] = flow
    return own or imported


def _flows_at(name: str, value: Any, module: ModuleType) -> Iterator[tuple[str, Any]]:
    if is_flow(value):
        yield name, value
    elif isinstance(value, type) and value.__module__ == module.__name__:
        for attribute, raw in list(vars(value).items()):
            # Only flows are asked for through the class: reading anything else could run the user's descriptors.
            if is_flow(raw) or is_flow(getattr(raw, "__func__", None)):
                yield f"{name}.{attribute}", getattr(value, attribute)


def find_flow(module: ModuleType, name: str) -> Any | None:
    """The flow called `name`, or without a name the only one; None if there is none, or several without a name."""
    if not name:
        flows = flows_in(module)
        return next(iter(flows.values())) if len(flows) == 1 else None
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if is_flow(found):
        return found
    called = [flow for flow in flows_in(module).values() if name_of(flow) == name]
    return called[0] if len(called) == 1 else None


def name_of(flow: object) -> str:
    """The flow's own name."""
    return str(getattr(flow, "name", None) or type(flow).__name__)


def why_not_found(module: ModuleType, target: str, name: str) -> str:
    """The sentence for a flow that `find_flow` did not find in what the user called `target`."""
    flows = flows_in(module)
    listed = ", ".join(path if name_of(flow) == path else f"{path} ({name_of(flow)!r})" for path, flow in flows.items())
    if not name:
        if not flows:
            return f"{target} has no flow. Mark a function in it with @flow."
        return f"{target} has {len(flows)} flows: {listed}. Say which one, for example {target}:{next(iter(flows))}."
    there = f"Its flows are: {listed}." if flows else "It has no flow at all."
    if len([flow for flow in flows.values() if name_of(flow) == name]) > 1:
        return f"{target} has several flows named {name!r}. {there} Use the name of the variable."
    if name in vars(module):
        kind = type(vars(module)[name]).__name__
        return f"{name!r} in {target} is a {kind}, not a flow. Mark it with @flow if it is to be one. {there}"
    names = [*flows, *(name_of(flow) for flow in flows.values())]
    return f"{target} has no flow {name!r}. {there}{did_you_mean(closest(name, names))}"


def closest(wanted: str, names: list[str]) -> str | None:
    """The one of `names` that `wanted` may be a slip of."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(wanted, names, 1)), None)


def did_you_mean(near: str | None) -> str:
    """The question that ends an error message; empty where nothing is near."""
    return f" Did you mean {near!r}?" if near else ""
