from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nadi import flow

T = TypeVar("T")


def in_flow(body: Callable[[], T]) -> T:
    """Run something in a flow run of its own."""
    return flow(name="around")(body)()
