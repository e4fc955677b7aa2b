"""What a docstring says about each parameter."""

from __future__ import annotations

import re

_GOOGLE_SECTION = r"(Args|Arguments|Parameters|Params):"
_GOOGLE_ENTRY = r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)"
_NUMPY_ENTRY = r"(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?"


def parameter_descriptions(docstring: str | None) -> dict[str, str]:
    """The parameters that a Google-style `Args:` or NumPy-style `Parameters` section describes."""
    if not docstring:
        return {}
    lines = docstring.expandtabs().splitlines()
    for number, line in enumerate(lines):
        indent = _indent(line)
        if re.fullmatch(_GOOGLE_SECTION, line.strip()):
            return _entries(_section(lines[number + 1 :], indent + 1), google=True)
        underline = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if line.strip() == "Parameters" and len(underline) >= 3 and set(underline) == {"-"}:
            return _entries(_numpy_section(lines[number + 2 :], indent), google=False)
    return {}


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _section(lines: list[str], indent: int) -> list[str]:
    """The lines up to the first that is indented less."""
    for number, line in enumerate(lines):
        if line.strip() and _indent(line) < indent:
            return lines[:number]
    return lines


def _numpy_section(lines: list[str], indent: int) -> list[str]:
    """The lines up to the next underlined heading."""
    for number, line in enumerate(lines):
        if number and re.fullmatch(r"-{3,}", line.strip()):
            return lines[: number - 1]
    return _section(lines, indent)


def _entries(lines: list[str], *, google: bool) -> dict[str, str]:
    """Name -> text, of entries that start at the section's own indent and go on deeper."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return {}
    indent = _indent(filled[0])
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in filled:
        if _indent(line) == indent:
            entry = re.fullmatch(_GOOGLE_ENTRY if google else _NUMPY_ENTRY, line.strip())
            names = [name.strip(" *") for name in entry[1].split(",")] if entry else []
            for name in names:
                found[name] = [entry[2]] if google and entry and entry[2] else []
        else:
            for name in names:
                found[name].append(line.strip())
    return {name: " ".join(words) for name, words in found.items() if words}
