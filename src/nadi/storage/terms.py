"""Search terms: a run's tags and the values of its parameters, each as one text that an index can hold."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from nadi.model.runs import FlowRun, RunFilter

#: A longer term is known by its beginning and a digest of all of it.
_MOST = 120

_read = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder(order="sorted").encode
_members = msgspec.json.Decoder(dict[str, object]).decode


def search_terms(tags: tuple[str, ...], parameters: bytes) -> set[str]:
    """Return the terms under which a run is found; parameters that are no JSON object give none."""
    found = {_bounded(f"tag {tag}") for tag in tags}
    try:
        members = _members(parameters)
        found.update(_of_parameter(name, _write(value).decode()) for name, value in members.items())
    except (ValueError, RecursionError):
        pass
    return found


def wanted_terms(which: RunFilter) -> list[str]:
    """Return the terms that a run must have to fit; a parameter's value that is no JSON means that text itself."""
    tags = [_bounded(f"tag {tag}") for tag in which.tags]
    return tags + [_of_parameter(name, _canonical(text)) for name, text in which.parameters]


def has_terms(run: FlowRun, wanted: list[str]) -> bool:
    """Tell whether a run has all these terms."""
    return search_terms(run.tags, run.parameters).issuperset(wanted)


def _of_parameter(name: str, value: str) -> str:
    return _bounded(f"parameter {name}={value}")


def _canonical(text: str) -> str:
    try:
        return _write(_read(text)).decode()
    except (ValueError, RecursionError):
        return _write(text).decode()


def _bounded(term: str) -> str:
    if len(term) <= _MOST:
        return term
    # Lone surrogates, which a file name may bring, have bytes too.
    return f"{term[:40]}... {sha256(term.encode('utf-8', 'surrogatepass')).hexdigest()}"
