"""Operators on tasks: what `a + b`, `a[key]`, `a > b` and the like become in a declared flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def add(x: Any, y: Any) -> Any:
    """Give `x + y`."""
    return x + y


def sub(x: Any, y: Any) -> Any:
    """Give `x - y`."""
    return x - y


def mul(x: Any, y: Any) -> Any:
    """Give `x * y`."""
    return x * y


def div(x: Any, y: Any) -> Any:
    """Give `x / y`."""
    return x / y


def floor_div(x: Any, y: Any) -> Any:
    """Give `x // y`."""
    return x // y


def mod(x: Any, y: Any) -> Any:
    """Give `x % y`."""
    return x % y


def power(x: Any, y: Any) -> Any:
    """Give `x ** y`."""
    return x**y


def equal(x: Any, y: Any) -> Any:
    """Give `x == y`."""
    return x == y


def not_equal(x: Any, y: Any) -> Any:
    """Give `x != y`."""
    return x != y


def greater(x: Any, y: Any) -> Any:
    """Give `x > y`."""
    return x > y


def greater_or_equal(x: Any, y: Any) -> Any:
    """Give `x >= y`."""
    return x >= y


def less(x: Any, y: Any) -> Any:
    """Give `x < y`."""
    return x < y


def less_or_equal(x: Any, y: Any) -> Any:
    """Give `x <= y`."""
    return x <= y


def both(x: Any, y: Any) -> Any:
    """Give `x and y`."""
    return x and y


def either(x: Any, y: Any) -> Any:
    """Give `x or y`."""
    return x or y


def negated(x: Any) -> Any:
    """Give `not x`."""
    return not x


def get_item(task_result: Any, key: Any) -> Any:
    """Give `task_result[key]`."""
    return task_result[key]


#: The function behind each operation; its parameters are the keys of the edges.
OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "Add": add,
    "Sub": sub,
    "Mul": mul,
    "Div": div,
    "FloorDiv": floor_div,
    "Mod": mod,
    "Pow": power,
    "Equal": equal,
    "NotEqual": not_equal,
    "GreaterThan": greater,
    "GreaterThanOrEqual": greater_or_equal,
    "LessThan": less,
    "LessThanOrEqual": less_or_equal,
    "And": both,
    "Or": either,
    "Not": negated,
    "GetItem": get_item,
}
