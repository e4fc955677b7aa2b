"""The child process that looks at code to be deployed: `python -m nadi.engine.deployed_code`, begun in its folder.

It reads one `CodeAsked` as JSON from standard input, loads the flow (which runs its imports and definitions, and no
flow), writes one `CodeSeen` to standard output and ends. What the code prints goes to standard error. So whatever
happens as it is loaded ends with that process, and what is loaded is what a worker's process would load.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from nadi.engine.flow_code import description_of
from nadi.engine.flow_lookup import name_of
from nadi.engine.loading import load_flow
from nadi.exceptions import NadiError, ParameterError
from nadi.model.code import is_user_file
from nadi.model.digests import blake2b
from nadi.model.secrets import Secret
from nadi.model.specs import FlowSpec
from nadi.model.text import one_line


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters that runs will be given."""

    parameters: dict[str, Any]
    #: Whether that is all that they will be given: then nothing may be missing.
    is_all: bool = False


class CodeAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked about code."""

    entrypoint: str
    #: Folder that the code has to lie in; "" for anywhere.
    within: str = ""
    given: tuple[Given, ...] = ()


class Unfit(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter that the flow does not take as it is given, or that is missing."""

    #: Which of those asked about.
    number: int
    parameter: str
    #: What is wrong, as a sentence.
    message: str


class CodeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What code says of itself."""

    #: Name of the flow; "" where it could not be loaded.
    flow: str = ""
    #: Why not, as a sentence.
    error: str = ""
    description: str = ""
    #: JSON Schema of its parameters.
    schema: dict[str, Any] = {}
    #: Digest of the flow's file and of what it imported from its folder: paths and contents, nothing else.
    code: str = ""
    unfit: tuple[Unfit, ...] = ()


def code_seen(asked: CodeAsked) -> CodeSeen:
    """Load a flow and return what its code says.

    Raises:
        NadiError: it cannot be loaded, its graph has a cycle, or its parameters cannot be described.
    """
    flow = load_flow(asked.entrypoint)
    _check_place(flow, asked.within)
    try:
        spec = flow.spec
    except ValueError as error:  # a declared flow whose graph has a cycle
        return CodeSeen(error=one_line(str(error)))
    if not isinstance(spec, FlowSpec):
        return CodeSeen(error=f"{asked.entrypoint} names the flow {name_of(flow)!r}, which no worker can run.")
    return CodeSeen(
        flow=spec.name,
        description=_description_of(flow) or spec.description,
        schema=_schema_of(spec),
        code=digest_of_code(os.getcwd()),
        unfit=tuple(one for number, given in enumerate(asked.given) for one in _unfit(spec, number, given)),
    )


def _check_place(flow: Any, within: str) -> None:
    """Raise where a symbolic link has led out of the folder of code that was fetched."""
    module = sys.modules.get(getattr(getattr(flow, "fn", None), "__module__", ""))
    file = getattr(module, "__file__", None)
    root = os.path.realpath(within) if within else ""
    if root and isinstance(file, str) and not os.path.realpath(file).startswith(root + os.sep):
        raise NadiError(f"The flow {name_of(flow)!r} lies in {file}, outside of what was fetched.")


def _description_of(flow: Any) -> str:
    # What stands for the function of a declared flow is ours, and has our docstring.
    function = getattr(flow, "fn", None)
    return description_of(function.__doc__) if inspect.isroutine(function) else ""


def _schema_of(spec: FlowSpec) -> dict[str, Any]:
    try:
        return msgspec.json.decode(msgspec.json.encode(spec.parameters.schema()), type=dict[str, Any])
    # Annotations are the user's code and may raise anything when they are looked up.
    except Exception as error:
        told = str(error) if isinstance(error, NadiError) else f"{type(error).__name__}: {error}"
        raise NadiError(f"The parameters of {spec.name!r} cannot be described: {one_line(told)}") from None


def _unfit(spec: FlowSpec, number: int, given: Given) -> list[Unfit]:
    found = []
    for name, value in given.parameters.items():
        try:
            [taken] = spec.parameters.validate_named({name: value}).values()
        except ParameterError as error:
            found.append(Unfit(number=number, parameter=name, message=_told(error)))
            continue
        if isinstance(taken, Secret):
            told = f"is a secret of {spec.name!r}, and no store keeps one: let the flow read it from its environment"
            found.append(Unfit(number=number, parameter=name, message=f"{name} {told}."))
    if given.is_all and not found:
        try:
            spec.parameters.bind_named(given.parameters)
        except ParameterError as error:
            found.append(Unfit(number=number, parameter="", message=_told(error)))
    return found


def _told(error: ParameterError) -> str:
    return one_line(" ".join(str(error).split())).rstrip(".") + "."


def digest_of_code(folder: str) -> str:
    """Return a digest of the modules of a folder that are loaded; times, and where the folder lies, count nothing."""
    root = os.path.realpath(folder)
    digest = blake2b(digest_size=16)
    for path in sorted(_files_in(root, sys.modules)):
        with open(os.path.join(root, path), "rb") as file:
            content = file.read()
        name = os.fsencode(path)
        digest.update(b"%d:%b%d:" % (len(name), name, len(content)))
        digest.update(content)
    return digest.hexdigest()


def _files_in(root: str, modules: Mapping[str, Any]) -> set[str]:
    files = set()
    for module in list(modules.values()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not is_user_file(file):
            continue
        real = os.path.realpath(file)
        if real.startswith(root + os.sep) and os.path.isfile(real):
            files.add(os.path.relpath(real, root))
    return files


def main() -> None:
    """Answer what standard input asks."""
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=CodeAsked)
    # Whatever prints, also what is written in C, must not come between: the answer has the only way out.
    answer_to = os.dup(1)
    os.dup2(2, 1)
    try:
        seen = code_seen(asked)
    except NadiError as error:
        seen = CodeSeen(error=str(error))
    with open(answer_to, "wb") as out:
        out.write(msgspec.json.encode(seen))
    sys.stderr.flush()
    # Threads that the code has started as it was loaded are nobody's concern here.
    os._exit(0)


if __name__ == "__main__":
    main()
