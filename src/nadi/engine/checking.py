"""Checking flow files, as CI wants it: do they load, can their flows be found and called, do they hold secrets?

Files are loaded, which runs their imports and definitions; no flow and no task is run.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType

import msgspec

from nadi.engine.flow_lookup import flows_in, name_of
from nadi.engine.loading import load_module, load_script
from nadi.engine.provenance import describe_source
from nadi.exceptions import LoadError, NadiError

#: Folders that hold what others wrote.
_NOT_OURS = {"__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "env"}


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong, and where."""

    file: str
    line: int
    #: load, entrypoint, parameters or secret; of deployments also deployment or source.
    kind: str
    message: str


class CheckedFlow(msgspec.Struct, frozen=True):
    """A flow that was found."""

    name: str
    entrypoint: str
    parameters: tuple[str, ...]


class CheckedSchedule(msgspec.Struct, frozen=True):
    """A schedule of a deployment that was found."""

    name: str
    #: What it says, for people.
    description: str
    #: When it would fire next, the first few times.
    next: tuple[datetime, ...]


class CheckedDeployment(msgspec.Struct, frozen=True):
    """A deployment that was found."""

    name: str
    file: str
    line: int
    #: Name of its flow; "" where that could not be loaded.
    flow: str
    entrypoint: str
    schedules: tuple[CheckedSchedule, ...]


class Checked(msgspec.Struct):
    """What a check came to."""

    files: int
    flows: list[CheckedFlow]
    findings: list[Finding]
    deployments: list[CheckedDeployment] = []


def check(path: Path) -> Checked:
    """Check one file, or all Python files below a folder; others than flow files are searched for secrets only."""
    checked = Checked(files=0, flows=[], findings=[])
    for file in python_files(path):
        checked.files += 1
        _check_file(file, checked)
    return checked


def python_files(path: Path) -> Iterator[Path]:
    """Yield a file, or the Python files below a folder, without hidden folders and environments."""
    if not path.is_dir():
        yield path
        return
    for folder, inside, files in os.walk(path):
        # An environment is known by its configuration, whatever it is called.
        inside[:] = sorted(
            name
            for name in inside
            if not name.startswith(".")
            and name not in _NOT_OURS
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        )
        # A pipe that nobody writes to could be read for ever.
        scripts = (Path(folder, name) for name in sorted(files) if name.endswith(".py"))
        yield from (script for script in scripts if script.is_file() or not script.exists())


def _check_file(file: Path, checked: Checked) -> None:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        told = getattr(error, "msg", None) or getattr(error, "strerror", None) or str(error)
        checked.findings.append(Finding(str(file), line, "load", f"It cannot be read as Python: {told}."))
        return
    checked.findings += sorted(secrets_in(tree, str(file)), key=lambda finding: finding.line)
    if not imports_nadi(tree):
        return
    try:
        module = _load(file)
    except LoadError as error:
        checked.findings.append(Finding(str(file), _line_in(str(error), file), "load", str(error)))
        return
    for place, flow in flows_in(module).items():
        _check_flow(file, place, flow, checked)


def _load(file: Path) -> ModuleType:
    """Load a script by its path, and a file of a package by its module name, so that relative imports work."""
    file = file.resolve()
    folder, parts = file.parent, [file.stem] if file.stem != "__init__" else []
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    if folder == file.parent:
        return load_script(str(file))
    return load_module(".".join(parts), cwd=folder)


def imports_nadi(tree: ast.AST) -> bool:
    """Whether a file imports Nadi at all."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        if any(name == "nadi" or name.startswith("nadi.") for name in names):
            return True
    return False


def _check_flow(file: Path, place: str, flow: object, checked: Checked) -> None:
    function = getattr(flow, "fn", flow)
    line = getattr(getattr(function, "__code__", None), "co_firstlineno", 1)
    source = describe_source(flow)
    if source.entrypoint is None:
        told = f"The flow {name_of(flow)!r} cannot be loaded again, so it cannot be resumed: {source.not_loadable}"
        checked.findings.append(Finding(str(file), line, "entrypoint", told))
    parameters: tuple[str, ...] = ()
    spec = getattr(flow, "spec", None)
    if spec is not None:
        parameters = tuple(spec.parameters.names)
        try:
            msgspec.json.encode(spec.parameters.schema())
        # Annotations are the user's code and may raise anything when they are looked up.
        except Exception as error:
            told = str(error) if isinstance(error, NadiError) else f"{type(error).__name__}: {error}"
            told = f"The parameters of {name_of(flow)!r} cannot be described: {told}"
            checked.findings.append(Finding(str(file), line, "parameters", told))
    checked.flows.append(CheckedFlow(name_of(flow), f"{file}:{place}", parameters))


def _line_in(message: str, file: Path) -> int:
    """Return the line of `file` that a sentence names."""
    found = re.search(rf"{re.escape(file.name)}, line (\d+)", message)
    return int(found[1]) if found else 1


# -- secrets --------------------------------------------------------------------------------

#: What keys of well-known services look like.
_KEYS = {
    "an AWS access key": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})\b"),
    "a Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "a Google API key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "an API key": re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    "a private key": re.compile(r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----"),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@{}]+:[^/\s:@{}]{3,}@"),
}
_SECRET_NAME = re.compile(
    r"(^|_)(password|passwd|pwd|secret|token|api_?key|access_?key|private_?key)s?$", re.IGNORECASE
)
#: Values that stand for a secret and are none.
_PLACEHOLDER = re.compile(
    r"^[<{$%*.x-]|example|change-?me|placeholder|dummy|your[_ -]|^(none|null|test|secret|password|token)$",
    re.IGNORECASE,
)


def secrets_in(tree: ast.AST, file: str) -> Iterator[Finding]:
    """Yield what looks like a secret in code; the value itself is not repeated.

    Two simple rules: text that has the form of a well-known key, and text of at least eight characters
    without spaces that is given to a name such as `password` or `api_key`.
    """
    told: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            kind = next((kind for kind, form in _KEYS.items() if form.search(node.value)), None)
            if kind is not None and node.lineno not in told:
                told.add(node.lineno)
                yield _secret(file, node.lineno, f"This looks like {kind}")
    for node in ast.walk(tree):
        for name, value in _named_values(node):
            if _SECRET_NAME.search(name) and _is_secret(value) and value.lineno not in told:
                told.add(value.lineno)
                yield _secret(file, value.lineno, f"{name!r} is given as plain text")


def is_secret_text(name: str, text: str) -> bool:
    """Tell whether a text that is given to a name looks like a secret, by the rules of `secrets_in`."""
    if any(form.search(text) for form in _KEYS.values()):
        return True
    return bool(_SECRET_NAME.search(name)) and _is_secret(ast.Constant(text))


def _secret(file: str, line: int, what: str) -> Finding:
    advice = "Read it from the environment, or keep it as a nadi.Secret parameter."
    return Finding(file, line, "secret", f"{what}. {advice}")


def _named_values(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield _name(target), node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield _name(node.target), node.value
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.arguments):
        takes = [*node.posonlyargs, *node.args]
        yield from ((one.arg, value) for one, value in zip(takes[::-1], node.defaults[::-1], strict=False))
        yield from ((one.arg, value) for one, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value)


def _name(target: ast.expr) -> str:
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")


def _is_secret(value: ast.expr) -> bool:
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        return False
    text = value.value
    return len(text) >= 8 and not any(letter.isspace() for letter in text) and not _PLACEHOLDER.search(text)
