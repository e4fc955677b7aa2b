"""Errors as values: every error can be stored, as itself where it survives that, else as a report of what it was."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

from nadi.exceptions import FailedRun
from nadi.model.scripts import without_script_names
from nadi.model.secrets import mask, mask_value
from nadi.storage.pickles import pickled, unpickled

#: How many causes of an error are kept with it.
_MOST_CAUSES = 20


def pickled_error(error: BaseException) -> bytes:
    """The pickle of an error and its chain of causes, each stored by itself so that one bad link spoils no other."""
    links: list[bytes] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(links) < _MOST_CAUSES:
        seen.add(id(link))
        links.append(_dump_link(link))
        link = link.__cause__
    return links[0] if len(links) == 1 else pickled(_Chain(links))


class _Chain:
    """Stands for an error with causes in its pickle."""

    def __init__(self, links: list[bytes]) -> None:
        self.links = links

    def __reduce__(self) -> tuple[Any, ...]:
        return restore_chain, (self.links,)


class _Rebuilt:
    """Stands for an error whose own `__init__` does not take its `args` back."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild_error, (type(self.error), self.error.args, dict(self.error.__dict__))


def restore_chain(links: list[bytes]) -> BaseException:
    """An error with its causes. Stored in pickles by name."""
    errors: list[BaseException] = [unpickled(link) for link in links]
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def rebuild_error(kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:
    """An error with its `args` and attributes, made without calling its `__init__`. Stored in pickles by name."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


def _dump_link(error: BaseException) -> bytes:
    # Many errors pickle well and cannot be read: pickle calls `__init__` with `args`, which is often
    # the finished message only. The one proof is to read it again.
    for form in (error, _Rebuilt(error)):
        try:
            data = pickled(form)
            again = unpickled(data)
            if type(again) is type(error) and str(again) == str(error):
                return data
        except (Exception, SystemExit):
            continue
    return pickled(_told(error))


def _told(error: BaseException) -> FailedRun:
    """A FailedRun that tells what `error` was: `error_type`, `error_message`, `traceback`, and its notes."""
    import traceback

    kind, message = type_name(error), text_of(error)
    told = FailedRun(f"{kind}: {message}" if message else kind)
    try:
        lines = "".join(traceback.format_exception(error, chain=False))
    except Exception:
        lines = f"{kind}: {message}\n"
    notes = getattr(error, "__notes__", None) or ()
    told.__dict__.update(error_type=kind, error_message=message, traceback=lines)
    for note in notes:
        if isinstance(note, str):
            told.add_note(note)
    return told


def masked_error(error: BaseException) -> FailedRun:
    """A FailedRun that tells what `error` was, secrets masked; without its causes, which may tell them too."""
    told = _told(error)
    masked = FailedRun(mask(str(told)))
    masked.__dict__.update(mask_value(dict(told.__dict__)))
    return masked


def type_name(value: Any) -> str:
    """The name of a value's type, with its module unless it is a builtin."""
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return without_script_names(f"{module}{kind.__qualname__}")


def text_of(error: BaseException) -> str:
    """The message of an error; empty where its own `__str__` fails."""
    try:
        return str(error)
    except Exception:
        return ""


def reason_of(error: BaseException) -> str:
    """Why a value could not be stored, as the end of a sentence, from the error that stood in the way."""
    if isinstance(error, RecursionError) or isinstance(error.__context__, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "there is not enough memory for a copy of it"
    text = " ".join(text_of(error).split()).rstrip(".") or "no reason given"
    kind = type(error)
    if kind in (pickle.PicklingError, TypeError, AttributeError):
        return text
    return f"{kind.__name__}: {text}"
