"""Cache keys: a large array beside hashing its bytes, and small arguments beside hashing their pickle."""

from __future__ import annotations

import pickle
import resource
import sys
from hashlib import blake2b

from benchmarks.figures import Figure, Size, in_turn, timed
from nadi import task
from nadi.cache_policies import DEFAULT, CacheContext

NUMBERS = {Size.FULL: 125_000_000, Size.QUICK: 12_500_000, Size.TINY: 10_000}
KEYS = {Size.FULL: 20_000, Size.QUICK: 2_000, Size.TINY: 10}
ARGUMENTS = {"rows": 1000, "columns": ["a", "b", "c"], "options": {"scale": True, "rate": 0.1}}
#: Bytes that the system's unit of peak memory has.
_UNIT = 1 if sys.platform == "darwin" else 1024


@task
def prepare(rows: int, columns: list[str], options: dict[str, float]) -> None:
    """Take part in keys; never called."""


def measure(size: Size) -> list[Figure]:
    import numpy

    array = numpy.arange(NUMBERS[size], dtype="f8")
    before = _peak()
    key_of(data=array)
    grown = _peak() - before
    times = 3 if size is Size.FULL else 1
    large = in_turn(lambda: timed(lambda: key_of(data=array)), lambda: timed(lambda: blake2b(array.data)), times)
    small = in_turn(lambda: timed(lambda: keys(size)), lambda: timed(lambda: pickles(size)), 5)
    megabytes = array.nbytes // 1_000_000
    return [
        Figure(
            what=f"cache key of a NumPy array, {megabytes:,} MB",
            value=large.ours,
            unit="s",
            yardstick="blake2b of its bytes",
            beside=large.yardstick,
            budget=1.5 * large.yardstick,
        ),
        Figure(
            what="memory that this takes beside the array",
            value=grown / 1e6,
            unit="MB",
            budget=max(1.0, 0.1 * megabytes),
        ),
        Figure(
            what="cache key of small arguments",
            value=small.ours / KEYS[size] * 1e6,
            unit="us",
            yardstick="blake2b of their pickle",
            beside=small.yardstick / KEYS[size] * 1e6,
        ),
    ]


def key_of(**parameters: object) -> str | None:
    return DEFAULT.compute_key(CacheContext(task=prepare.spec, parameters=parameters, run_id="run"))


def keys(size: Size) -> None:
    for _ in range(KEYS[size]):
        key_of(**ARGUMENTS)


def pickles(size: Size) -> None:
    for _ in range(KEYS[size]):
        blake2b(pickle.dumps(ARGUMENTS)).hexdigest()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
