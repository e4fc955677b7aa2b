"""Answers of `nadi.runtime` put in the place of the true ones: by a test, or by the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from nadi.exceptions import SettingError

#: What variables of the environment begin with: NADI__RUNTIME__FLOW_RUN__NAME is `nadi.runtime.flow_run.name`.
PREFIX = "NADI__RUNTIME__"

#: What tests put in, the innermost last: by "flow_run", "task_run" or "deployment", and attribute.
_instead: list[dict[tuple[str, str], Any]] = []


def overridden(subject: str, name: str, kind: str) -> tuple[Any, ...]:
    """Return the one answer that is put in for an attribute; empty when there is none.

    Args:
        subject: "flow_run", "task_run" or "deployment".
        name: The attribute.
        kind: Its type as it is annotated, to which text of the environment is converted; "" leaves it text.

    Raises:
        SettingError: the text cannot be converted.
    """
    for answers in reversed(_instead):
        if (subject, name) in answers:
            return (answers[subject, name],)
    variable = f"{PREFIX}{subject.upper()}__{name.upper()}"
    text = os.environ.get(variable)
    return () if text is None else (_converted(variable, text, kind),)


@contextmanager
def overriding(answers: Mapping[str, Mapping[str, Any] | None]) -> Iterator[None]:
    """Put in answers while the body runs, in all threads; by subject, then by attribute."""
    given = {(subject, name): value for subject, of in answers.items() for name, value in (of or {}).items()}
    _instead.append(given)
    try:
        yield
    finally:
        # By identity: two tests may put in the same.
        _instead[:] = [one for one in _instead if one is not given]


def _converted(variable: str, text: str, kind: str) -> Any:
    wanted, convert = _CONVERSIONS.get(kind.partition("[")[0].partition(" ")[0], ("text", str))
    try:
        return convert(text)
    except (ValueError, msgspec.MsgspecError):
        raise SettingError(f"{variable} is {text!r}; it takes {wanted}.") from None


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


_CONVERSIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "int": ("a whole number", int),
    "datetime": ("a time such as 2030-01-31T12:00:00+00:00", _moment),
    "list": ('a JSON array of texts, such as ["a", "b"]', lambda text: msgspec.json.decode(text, type=list[str])),
    "Mapping": ('a JSON object, such as {"rows": 5}', lambda text: msgspec.json.decode(text, type=dict[str, Any])),
}
