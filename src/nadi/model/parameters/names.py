"""Words for errors about names."""

from __future__ import annotations

from collections.abc import Iterable


def close_match(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'rows'?)` where a known name is close, else nothing."""
    from difflib import get_close_matches  # 3 ms, and only when something is wrong

    found = get_close_matches(name, list(known), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""
