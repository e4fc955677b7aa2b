"""SQL as SQL: queries lie in `storage/sql/*.sql`, each under the name of what it does."""

from __future__ import annotations

import os
import re

_FOLDER = os.path.join(os.path.dirname(__file__), "sql")


def named_queries(file: str) -> dict[str, str]:
    """Return the queries of one file by name; each begins with a line `-- name: claim_run`.

    Names in braces, such as `{rows}`, stand for what the caller puts in: rows of parameters, or
    fixed conditions with parameters, never a value.
    """
    with open(os.path.join(_FOLDER, file), encoding="utf-8") as text:
        _, *parts = re.split(r"^-- name: ", text.read(), flags=re.MULTILINE)
    queries = {}
    for part in parts:
        name, _, sql = part.partition("\n")
        lines = (line for line in sql.splitlines() if line.strip() and not line.startswith("--"))
        queries[name.strip()] = " ".join(line.strip() for line in lines).rstrip("; ")
    return queries
