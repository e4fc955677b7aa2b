from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque, namedtuple
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from nadi.exceptions import SettingError
from nadi.model.secrets import Secret
from nadi.model.text import human_bytes, human_duration, parse_duration, plural, safe_repr, shorten


@dataclass
class Rows:
    count: int
    password: str = field(default="", repr=False)
    data: list[int] = field(default_factory=list)


class Point(msgspec.Struct):
    x: int
    y: Any = None


Pair = namedtuple("Pair", "left right")


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Loud(list[int]):
    def __repr__(self) -> str:
        return "Loud!"


@pytest.mark.parametrize(("limit", "short"), [(5, "abcde"), (4, "abc…"), (1, "…"), (0, "")])
def test_shortened_text_keeps_to_its_limit_and_shows_the_cut(limit: int, short: str) -> None:
    assert shorten("abcde", limit) == short


def test_a_count_comes_with_the_right_noun() -> None:
    assert [plural(n, "task") for n in (0, 1, 2, 12_000)] == ["0 tasks", "1 task", "2 tasks", "12,000 tasks"]
    assert plural(2, "retry", "retries") == "2 retries"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.00000042, "0.4 µs"),
        (0.00012, "120 µs"),
        (0.0099, "9.9 ms"),
        (0.9999, "1 s"),
        (1.2, "1.2 s"),
        (59.97, "1 min"),
        (184, "3 min 4 s"),
        (3599.7, "1 h"),
        (7500, "2 h 5 min"),
        (86399, "1 d"),
        (273_600, "3 d 4 h"),
        (-1.5, "-1.5 s"),
        (float("inf"), "for ever"),
    ],
)
def test_a_duration_is_said_in_at_most_two_units(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1536, "1.5 KiB"),
        (1024**2 - 1, "1 MiB"),
        (32 * 1024**2, "32 MiB"),
        (-2048, "-2 KiB"),
    ],
)
def test_an_amount_of_data_is_said_in_units_of_1024(size: int, text: str) -> None:
    assert human_bytes(size) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("1.5 h", 5400),
        ("250ms", 0.25),
        (" 2d ", 172_800),
        ("0", 0),
    ],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "5x", "1h30", "-5", "1..5s", "m", "inf", "1h,2m"])
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(SettingError, match=r"no length of time.*1h30m"):
        parse_duration(text)


@pytest.mark.parametrize(
    "value",
    [
        1, 1.5, None, "it's", b"x\x00", [], (), set(), {}, [1, [2]], (1,), {"a": {1}}, frozenset({1}), deque([1]),
        Pair(1, "b"), Point(1, [2]), Rows(3, "pw", [1]), Loud([1]), bytearray(b"x"), frozenset(), Rows,
    ],
)  # fmt: skip
def test_small_values_are_shown_as_repr_shows_them(value: object) -> None:
    assert safe_repr(value) == repr(value)


def test_a_repr_that_raises_is_told_and_its_neighbours_are_shown() -> None:
    assert safe_repr([1, Broken(), 2]) == "[1, <Broken whose repr raised RuntimeError>, 2]"


@pytest.mark.parametrize(
    "value",
    [
        list(range(1_000_000)), dict.fromkeys(range(1_000_000)), "x" * 50_000_000, b"\x00" * 50_000_000,
        OrderedDict.fromkeys(range(300_000)), Rows(1, data=[0] * 1_000_000), Point(1, [0] * 1_000_000),
        Pair(1, [0] * 1_000_000), 1 << 10_000_000, [[["x" * 1_000_000] * 1000] * 1000] * 1000,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_huge_values_are_read_only_as_far_as_they_are_shown(value: object) -> None:
    started = time.perf_counter()

    text = safe_repr(value, 100)

    assert len(text) <= 100
    assert text.endswith(("…", "bits>"))
    assert time.perf_counter() - started < 0.1


def test_a_value_that_contains_itself_ends() -> None:
    loop: list[Any] = []
    loop += [loop, loop]

    assert len(safe_repr(loop, 5000)) < 5000
    assert "..." in safe_repr(loop, 5000)


def test_a_subclass_of_dict_with_its_own_repr_uses_it() -> None:
    assert safe_repr(Counter("aab")) == "Counter({'a': 2, 'b': 1})"


@pytest.mark.parametrize("limit", range(1, 80))
def test_no_part_of_a_secret_is_shown_wherever_the_cut_falls(limit: int) -> None:
    secret = Secret("QWERTYUIOP")
    value = {"a" * 20: "token QWERTYUIOP end", "b": b"bytes QWERTYUIOP", "c": secret, "d": [secret.get()]}

    text = safe_repr(value, limit)

    assert len(text) <= limit
    assert "QW" not in text
