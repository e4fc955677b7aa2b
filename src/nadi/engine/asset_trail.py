"""Which assets the values of a session carry: what lineage is read off."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from nadi.model.assets import AssetRef

#: Values that cannot be watched from outside, and are told apart by being the very same object. `None`, truth
#: values and numbers are shared by all who use them, so they carry nothing.
_KEPT = (str, bytes, list, dict, tuple)
#: The most such values of one session, the last ones: each is kept alive by being remembered.
MOST_KEPT = 100

Carried = tuple[AssetRef, ...]


class AssetTrail:
    """Follows assets from run to run, by the ids of runs and by the values that they hand out. Thread-safe."""

    def __init__(self, origin: Callable[[Any], bytes | None]) -> None:
        """Follow; `origin` tells which run a live object came from, as `HandedOut.origin` does."""
        self._origin = origin
        self._runs: dict[str, Carried] = {}
        self._values: OrderedDict[int, tuple[Any, Carried]] = OrderedDict()

    def carry(self, run: str, value: Any, assets: Carried) -> None:
        """Note that a run, and the value that it gave, carry these assets."""
        self._runs[run] = assets
        if isinstance(value, _KEPT) and value:
            self._values[id(value)] = (value, assets)
            while len(self._values) > MOST_KEPT:
                self._values.popitem(last=False)

    def read_by(self, upstream: Iterable[str], inputs: Mapping[str, Any]) -> Carried:
        """Return what a run reads whose futures are those of the runs `upstream`, and whose arguments are `inputs`."""
        found = [self._runs.get(run, ()) for run in upstream]
        found += [self._of(value) for argument in inputs.values() for value in _inside(argument)]
        # By key: what else is told of an asset may not be hashable.
        return tuple({asset.key: asset for assets in found for asset in assets}.values())

    def _of(self, value: Any) -> Carried:
        held = self._values.get(id(value))
        if held is not None and held[0] is value:
            return held[1]
        origin = self._origin(value)
        return self._runs.get(origin.decode().rpartition(":")[0], ()) if origin is not None else ()


def _inside(argument: Any) -> Iterator[Any]:
    """An argument, and what lies in it where it is a collection."""
    yield argument
    if isinstance(argument, list | tuple | set):
        yield from argument
    elif isinstance(argument, dict):
        yield from argument.values()
