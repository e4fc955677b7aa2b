"""docs/reference/prefect-names.md says what the code says: what is the same, what is elsewhere, what is not here."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.migrating.names import Found, find
from tests.test_reference import named, rows

PAGE = "prefect-names.md"
HEADINGS = ["## Prefect 3", "## Prefect 2", "## Prefect 1"]
ROOT = Path(__file__).parents[2]


def told() -> Iterator[tuple[str, str]]:
    """Each name of Prefect's on the page, and what is said of it."""
    for heading in HEADINGS:
        for left, here, _ in rows(PAGE, heading):
            module, colon, names = left.partition(": ")
            for name in named(names if colon else left):
                yield (f"{named(module)[0]}.{name}" if colon else name), here


def imported(found: Found) -> object:
    module = importlib.import_module(found.module)
    return getattr(module, found.name) if found.name else module


@pytest.mark.parametrize(("name", "here"), list(told()))
def test_a_name_of_prefects_is_where_the_page_says(name: str, here: str) -> None:
    found = find(name)

    if here == "not here":
        assert found is None, f"it is here now: {found and found.dotted}"
        return
    assert found is not None
    assert imported(found) is not None
    if here == "same":
        assert found.dotted == name.replace("prefect", "nadi", 1)
    elif here.startswith("in "):
        assert found == Found(named(here)[0], name.rpartition(".")[2])
    else:
        assert found.dotted == named(here)[0]


def test_no_name_is_told_twice_of_one_generation() -> None:
    for heading in HEADINGS:
        cells = [row[0] for row in rows(PAGE, heading)]

        assert len(cells) == len(set(cells))


def test_every_prefect_import_in_our_pages_is_on_the_page_of_names() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    used = {
        f"{module}.{name.strip()}"
        for page in pages
        for module, names in re.findall(
            r"^(?:>>> )?from (prefect[\w.]*) import ([\w, ]+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        for name in names.split(",")
    }

    assert used - {name for name, _ in told()} == set()
