"""Conditions of lists, as PostgreSQL takes them: those of SQLite with other marks for their parameters."""

from __future__ import annotations

from nadi.storage.listing import Where
from nadi.storage.postgres.database import COMPLETE_BEFORE


def with_marks(where: str) -> str:
    """Return conditions with the marks of psycopg. No text in them holds a question mark or a percent sign."""
    return where.replace("?", "%s")


def complete(which: Where) -> Where:
    """Return the conditions of a list by change number that stops before what a slow writer may still add to."""
    where, values = which
    return f"seq < {COMPLETE_BEFORE} AND {where}", values
