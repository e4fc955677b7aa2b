"""Declared flows: `with Flow("name") as flow:` builds a graph of tasks, which runs later."""

from nadi.declarative.edges import Edge, flatten, mapped
from nadi.declarative.flow import Flow
from nadi.declarative.mapping import apply_map
from nadi.declarative.parameters import DateTimeParameter, Parameter
from nadi.declarative.running import raise_on_exception
from nadi.declarative.states import State

__all__ = [
    "DateTimeParameter",
    "Edge",
    "Flow",
    "Parameter",
    "State",
    "apply_map",
    "flatten",
    "mapped",
    "raise_on_exception",
]
