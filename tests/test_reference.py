"""The reference pages say what the code says: keywords, defaults, settings, states, records, public names, commands."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from nadi.cli.main import COMMANDS, cli
from nadi.engine import checking, doctor, explaining, graphs, limit_reasons, shapes
from nadi.flows import Flow
from nadi.model import records
from nadi.model.states import StateType, may_follow
from nadi.services.retention import Removed
from nadi.storage.contracts.retention import Size
from nadi.storage.contracts.upkeep import DatabaseStatus
from nadi.storage.home import Home
from nadi.storage.settings import VARIABLES, Settings
from nadi.tasks import Task

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
PACKAGE = Path(__file__).parent.parent / "src" / "nadi"
CODE = re.compile(r"`([^`\n]+)`")


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the tables below a heading, up to the next heading, without head and rule."""
    text = "\n" + (REFERENCE / page).read_text(encoding="utf-8")
    _, found, below = text.partition(f"\n{heading}\n")
    assert found, f"{page} has no heading {heading!r}"
    section = re.split(r"\n#+ ", below)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for index, row in enumerate(cells) if not is_rule(row) and not heads(cells, index)]


def is_rule(row: list[str]) -> bool:
    return all(set(cell) <= {"-", ":"} for cell in row)


def heads(cells: list[list[str]], index: int) -> bool:
    return index + 1 < len(cells) and is_rule(cells[index + 1])


def named(cell: str) -> list[str]:
    return CODE.findall(cell)


@pytest.mark.parametrize(("heading", "kind"), [("## `@flow`", Flow), ("## `@task`", Task)])
def test_every_keyword_of_a_decorator_is_described_with_its_default(heading: str, kind: Any) -> None:
    parameters = list(inspect.signature(kind.__init__).parameters.values())[2:]

    described = {named(row[0])[0]: named(row[2])[0] for row in rows("decorators.md", heading)}

    assert described == {one.name: repr(one.default) for one in parameters}


@pytest.mark.parametrize(("heading", "kind"), [("## `@flow`", Flow), ("## `@task`", Task)])
def test_what_is_said_to_have_no_effect_yet_is_only_kept(heading: str, kind: Any) -> None:
    said = {named(row[0])[0] for row in rows("decorators.md", heading) if "no effect yet" in row[3]}

    kept = kind(lambda: None, name="kept").spec.kept_keywords

    assert said == set(kept)


def test_every_setting_is_described_with_its_variable_and_default() -> None:
    described = {named(row[0])[0]: (named(row[1])[0], row[3]) for row in rows("settings.md", "# Settings")}

    assert {name: variable for name, (variable, _) in described.items()} == VARIABLES
    for name, (_, told) in described.items():
        default = getattr(Settings(), name)
        if default != "":
            assert named(told)[0].lower() == str(default).lower()


def test_the_table_of_transitions_is_that_of_the_state_machine() -> None:
    final = {kind for kind in StateType if not any(may_follow(kind, other) for other in StateType)}
    told: dict[StateType, set[StateType]] = {}
    for start, to in rows("states.md", "## What may follow what"):
        goals = {StateType(name) for name in named(to)} | (final if "any final" in to else set())
        told |= {StateType(name): goals for name in named(start)}

    assert told == {old: {new for new in StateType if may_follow(old, new)} for old in StateType}


def test_every_type_of_state_is_described_with_whether_it_is_final() -> None:
    described = {named(row[0])[0]: row[2] == "yes" for row in rows("states.md", "## Types")[: len(StateType)]}

    assert described == {kind: not may_follow(kind, StateType.CANCELLED) for kind in StateType}


def test_every_place_in_the_home_is_in_the_tree() -> None:
    places = [name for name, value in vars(Home).items() if isinstance(value, property)]
    tree = (REFERENCE / "journal.md").read_text(encoding="utf-8").split("```")[1]

    missing = [name for name in places if f"── {getattr(Home('/home'), name).name}" not in tree]

    assert missing == []


def test_every_kind_of_record_is_described_with_its_fields() -> None:
    kinds = [kind for kind in vars(records).values() if inspect.isclass(kind) and issubclass(kind, records.Record)]
    common = records.Record.__struct_fields__

    described = {named(row[0])[0]: tuple(named(row[2])) for row in rows("journal.md", "## Kinds of records")}

    assert described == {
        str(kind.__struct_config__.tag): kind.__struct_fields__[len(common) :]
        for kind in kinds
        if kind is not records.Record
    }


def public_modules() -> dict[str, list[str]]:
    """The modules that python.md describes, each with the names in its table."""
    text = (REFERENCE / "python.md").read_text(encoding="utf-8")
    modules = re.findall(r"^## `(nadi[\w.]*)`$", text, flags=re.MULTILINE)
    return {
        module: [name for row in rows("python.md", f"## `{module}`") for name in named(row[0])] for module in modules
    }


def public_names(module: Any) -> set[str]:
    """What a module offers: its `__all__`, or, of exceptions.py, the classes that are defined there."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    return {
        name for name, value in vars(module).items() if inspect.isclass(value) and value.__module__ == module.__name__
    }


@pytest.mark.parametrize("module", public_modules())
def test_every_public_name_of_a_module_is_described(module: str) -> None:
    told = [name.partition("(")[0] for name in public_modules()[module]]

    assert set(told) == public_names(importlib.import_module(module))


@pytest.mark.parametrize("module", public_modules())
def test_a_described_signature_is_that_of_the_code(module: str) -> None:
    found = importlib.import_module(module)

    told = {name: arguments for name, bracket, arguments in map(split, public_modules()[module]) if bracket}

    assert told == {name: plain(inspect.signature(getattr(found, name))) for name in told}


def split(told: str) -> tuple[str, str, str]:
    return told.partition("(")


def plain(signature: inspect.Signature) -> str:
    """What stands after the opening bracket, without annotations."""
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))[1:]


def test_every_public_module_is_described() -> None:
    flat = {f"nadi.{path.stem}" for path in PACKAGE.glob("*.py") if not path.stem.startswith("_")}

    assert flat - set(public_modules()) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_described(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")

    described = rows("cli.md", f"## `nadi {name}`")

    assert f"(#nadi-{name})" in text
    assert {flag for row in described for flag in re.findall(r"(?<!\S)--?[a-z][\w-]*", named(row[0])[0])} == {
        flag for one in options for flag in (*one.opts, *one.secondary_opts)
    }


def groups() -> list[str]:
    return [name for name in COMMANDS if isinstance(cli.get_command(click.Context(cli), name), click.Group)]


@pytest.mark.parametrize("name", groups())
def test_every_command_of_a_group_is_described_with_its_options(name: str) -> None:
    group = cli.get_command(click.Context(cli), name)
    assert isinstance(group, click.Group)
    _, _, below = (REFERENCE / "cli.md").read_text(encoding="utf-8").partition(f"\n## `nadi {name}`\n")
    whole = re.split(r"\n## ", below)[0]
    sections = re.split(r"\n(?=### )", whole)[1:]

    for called, command in group.commands.items():
        (section,) = [one for one in sections if re.search(rf"`nadi {name} {called}\b", one.splitlines()[0])]
        options = {flag for one in command.params if isinstance(one, click.Option) for flag in one.opts}
        # Where it is said once for all of them that `--json` prints JSON, it need not be said again.
        told = section + ("`--json`" if "`--json` prints JSON, here and below" in whole else "")
        assert {flag for flag in options if flag.startswith("--") and not re.search(rf"{flag}\b", told)} == set(), (
            called
        )


def test_every_metric_of_the_server_is_described() -> None:
    text = (PACKAGE / "server" / "prometheus.py").read_text(encoding="utf-8")
    # Counters are named without the end that Prometheus gives them.
    made = {name.removesuffix("_total") for name in re.findall(r'"(nadi_\w+)"', text)}

    cells = [row[0] for row in rows("../how-to/observability.md", "## Metrics")]

    described = {name.partition("{")[0].removesuffix("_total") for cell in cells for name in named(cell)}
    assert {name for name in described if name.startswith("nadi_")} == made


def test_every_test_that_the_page_on_security_names_is_there() -> None:
    page = (REFERENCE.parent / "explanation" / "security.md").read_text(encoding="utf-8")
    named_there = set(re.findall(r"`(test_\w+)(?:\.py)?`", page))
    files = list(Path(__file__).parent.rglob("test_*.py"))

    there = {path.stem for path in files}
    there |= {name for path in files for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))}

    assert named_there - there == set()


def test_every_shape_of_json_is_described_with_its_fields() -> None:
    own = [kind for kind in vars(shapes).values() if getattr(kind, "__module__", "") == shapes.__name__]
    own += [explaining.Explanation, explaining.Reason, graphs.Graph, graphs.Node, graphs.Edge]
    own += [checking.Checked, checking.CheckedFlow, checking.CheckedDeployment, checking.CheckedSchedule]
    own += [checking.Finding, doctor.Sign, limit_reasons.LimitUse]
    own += [DatabaseStatus, Removed, Size]
    structs = [kind for kind in own if inspect.isclass(kind) and issubclass(kind, msgspec.Struct)]

    described = sorted(tuple(named(row[2])) for row in rows("cli.md", "## JSON"))

    assert described == sorted(kind.__struct_fields__ for kind in structs)


@pytest.mark.parametrize(
    "folder",
    ["engine", "executors", "server", "services", "storage", "storage/http", "storage/postgres", "storage/sqlite"],
)
def test_every_file_of_a_floor_is_named_in_the_architecture(folder: str) -> None:
    files = {path.name for path in (PACKAGE / folder).glob("*.py")} - {"__init__.py"}
    text = (REFERENCE.parent / "explanation" / "architecture.md").read_text(encoding="utf-8")

    assert files - set(named(text)) == set()
