"""Lines of a TOML text: of each key, as it is written."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from typing import Any

from nadi.model.toml_lines import Path, line_of, lines_of, tables_named_twice

TEXT = """\
# a comment with [deployments.no]
top = 1

[deployments.a]  # line 4
entrypoint = "x.py:f"
parameters.rows = 3
parameters."odd key" = '''
[deployments.inside]
rows = 4'''
list = [
  1,  # ]
  { deep = "}", more = [2,
    3] },
]

[[deployments.a.steps]]
name = "first"
[[deployments.a.steps]]
name = "second"
[deployments.a.steps.of]
x = 2026-01-01T06:00:00Z
["deployments"."b\\u002ec"]
y = \"\"\"one
\\\"\"\" = ]
\"\"\"\"
z = -1e5
"""


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield (*path, number)
            yield from paths(item, (*path, number))


def test_every_key_has_the_line_on_which_it_stands() -> None:
    lines = lines_of(TEXT)

    assert set(paths(tomllib.loads(TEXT))) - lines.keys() == {("deployments",)}
    assert lines[("deployments", "a")] == 4
    assert lines[("deployments", "a", "parameters", "rows")] == 6
    assert lines[("deployments", "a", "parameters", "odd key")] == 7
    assert lines[("deployments", "a", "list", 1, "more", 1)] == 13
    assert lines[("deployments", "a", "steps", 1, "name")] == 19
    assert lines[("deployments", "a", "steps", 1, "of", "x")] == 21
    assert lines[("deployments", "b.c", "z")] == 26


def test_what_is_not_there_has_the_line_of_what_would_hold_it() -> None:
    lines = lines_of(TEXT)

    assert line_of(lines, ("deployments", "a", "queue")) == 4
    assert line_of(lines, ("nothing",)) == 1


def test_a_table_that_stands_twice_is_found_in_a_text_that_is_no_toml() -> None:
    text = "[deployments.a]\nx = 1\n\n[deployments.b]\n[deployments.a]\nx = 2\n"

    assert tables_named_twice(text) == [(("deployments", "a"), 1, 5)]


def test_no_text_makes_it_raise_or_take_for_ever() -> None:
    rng = random.Random(6)

    for _ in range(3000):
        start = rng.randrange(len(TEXT))
        text = TEXT[start : start + rng.randrange(80)] + rng.choice(["", '"', "'''", "[", "{", "\\", "=", "]]"])
        lines_of(text)


def written(rng: random.Random, depth: int) -> str:
    """A value of TOML, written at random."""
    kinds = ["1", "'a # b'", '"]}\\""', "true", "2026-01-01", '"""x\n"y"""', "'''\n[t]\n'''"]
    if depth == 0 or rng.random() < 0.5:
        return rng.choice(kinds)
    items = [written(rng, depth - 1) for _ in range(rng.randrange(4))]
    if rng.random() < 0.5:
        gap = rng.choice([" ", "\n  ", " # ]\n"])
        return "[" + "".join(f"{gap}{item}," for item in items) + gap + "]"
    # An inline table has no line breaks of its own.
    return "{" + ", ".join(f"k{number} = {item}" for number, item in enumerate(items)) + "}"


def test_of_random_documents_every_key_is_found_on_its_line() -> None:
    rng = random.Random(60)
    for _ in range(300):
        names = iter(range(100))
        text = "".join(
            f"[t{next(names)}.x]\n" if rng.random() < 0.3 else f"key{next(names)} = {written(rng, 3)}\n"
            for _ in range(8)
        )

        lines = lines_of(text)

        rows = text.splitlines()
        for path in paths(tomllib.loads(text)):
            if path not in lines:
                [name] = path  # a table that only holds another one
                assert str(name).startswith("t")
            elif isinstance(path[-1], str):
                assert path[-1] in rows[lines[path] - 1]
