"""What the source text of a flow says, with nothing of it loaded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nadi.engine.flow_code import FlowCode, description_of
from nadi.engine.source_previews import ReadModule, preview_of_source

HEAD = "from nadi import flow, task\n\n@task\ndef load(n): ...\n\n@task\ndef fit(n): ...\n\n"


def preview(text: str, flow: str = "train", **given: Any) -> FlowCode:
    return preview_of_source(text, f"flows.py:{flow}", **given)


def calls(code: FlowCode) -> list[str]:
    return [node.name for node in code.graph.nodes] if code.graph is not None else []


def edges(code: FlowCode) -> list[tuple[str, str]]:
    assert code.graph is not None
    names = {node.id: node.name for node in code.graph.nodes}
    return [(names[edge.source], names[edge.target]) for edge in code.graph.edges]


def properties(code: FlowCode) -> Any:
    return msgspec.json.decode(code.parameters)["properties"]


def modules(**texts: str) -> ReadModule:
    return {name.replace("__", "."): text for name, text in texts.items()}.get


def test_nothing_of_the_text_is_run() -> None:
    code = preview("raise SystemExit\n" + HEAD + "@flow\ndef train(n: int = 1 / 0):\n    load(exit())")

    assert calls(code) == ["load"]


def test_tasks_are_called_as_the_flow_calls_them() -> None:
    code = preview(HEAD + "@flow\ndef train():\n    data = load(1)\n    for n in range(3):\n        fit.submit(data)")

    assert calls(code) == ["load", "fit"]
    assert edges(code) == [("load", "fit")]
    assert code.graph is not None
    assert code.graph.nodes[1].remark == "for each of range(3)"


@pytest.mark.parametrize(
    "imports",
    [
        "from nadi import flow as f, task as t",
        "import nadi\nf, t = None, None\nfrom nadi.flows import flow as f\nfrom nadi.tasks import task as t",
    ],
)
def test_marks_are_known_by_what_they_were_imported_as(imports: str) -> None:
    code = preview(f"{imports}\n@t(name='Load it')\ndef load(): ...\n@f(name='Train')\ndef train():\n    load()")

    assert calls(code) == ["Load it"]
    assert code.graph is not None
    assert code.graph.title == "Train"


def test_a_flow_is_found_by_its_variable_its_own_name_and_its_class() -> None:
    text = (
        HEAD
        + "@flow(name='my flow')\ndef train():\n    load(1)\n\n"
        + "class Jobs:\n    @flow\n    def run(self, n: int):\n        fit(1)"
    )

    assert calls(preview(text)) == calls(preview(text, "my flow")) == ["load"]
    assert calls(preview(text, "Jobs.run")) == ["fit"]
    assert list(properties(preview(text, "Jobs.run"))) == ["n"]


def test_what_is_made_by_a_call_is_known_by_its_new_name() -> None:
    text = "import nadi\ndef raw(): ...\nload = nadi.task(raw)\nbig = load.with_options(name='big')\n"
    text += "@nadi.flow\ndef train():\n"

    assert calls(preview(text + "    load()\n    big()")) == ["raw", "big"]


def test_tasks_of_modules_beside_it_are_known() -> None:
    read = modules(
        steps="from nadi import task\n@task\ndef load(): ...",
        pack="",
        pack__fits="from steps import load\nfrom nadi import task\n@task\ndef fit(x): ...",
    )
    text = "from nadi import flow\nimport steps\nfrom pack.fits import fit, load as again\n@flow\ndef train():\n"

    code = preview(text + "    fit(steps.load())\n    again()", read=read)

    assert calls(code) == ["load", "fit", "load"]


def test_modules_that_import_each_other_come_to_an_end() -> None:
    read = modules(a="import b\nfrom nadi import task\n@task\ndef one(): ...", b="import a")

    assert calls(preview("import a\nfrom nadi import flow\n@flow\ndef train(): a.one()", read=read)) == ["one"]


def test_a_name_that_stands_for_something_else_is_no_task() -> None:
    assert calls(preview("from nadi import flow\n@flow\ndef train():\n    print(len(load()))")) == []


def test_parameters_are_told_as_far_as_their_types_are_known_to_all() -> None:
    code = preview(
        "from datetime import date\nfrom typing import Literal, Optional\nfrom nadi import flow\n"
        "from mine import Thing\n"
        "@flow\ndef train(day: date, mode: Literal['a', 'b'], many: 'list[int] | None' = None,"
        " old: Optional[str] = 'x', thing: Thing = None, *, rate: float = 0.5, other=Thing()):\n"
        '    """Train it.\n\n    Slowly.\n\n    Args:\n        rate: How fast.\n    """'
    )

    assert properties(code) == {
        "day": {"title": "day", "type": "string", "format": "date"},
        "mode": {"title": "mode", "type": "string", "enum": ["a", "b"]},
        "many": {
            "title": "many",
            "anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}],
            "default": None,
        },
        "old": {"title": "old", "anyOf": [{"type": "string"}, {"type": "null"}], "default": "x"},
        "thing": {"title": "thing", "default": None},
        "rate": {"title": "rate", "type": "number", "description": "How fast.", "default": 0.5},
        "other": {"title": "other"},
    }
    assert msgspec.json.decode(code.parameters)["required"] == ["day", "mode"]
    assert code.description == "Train it.\n\nSlowly."
    assert "has to be loaded" in code.note


def test_the_default_of_a_secret_is_not_told() -> None:
    code = preview("from nadi import Secret, flow\n@flow\ndef train(token: Secret[str] = 'hunter2'): ...")

    assert "hunter2" not in bytes(code.parameters).decode()


def test_a_declared_flow_tells_that_its_code_has_to_be_loaded() -> None:
    code = preview("from nadi import Flow\nwith Flow('nightly') as train:\n    pass")

    assert (code.graph, bytes(code.parameters)) == (None, b"null")
    assert "declared" in code.note


@pytest.mark.parametrize(
    "text",
    [
        "def broken(:",
        "\0",
        HEAD + "@flow\ndef train():\n    return " + "(" * 5000,
        HEAD + "@flow\ndef train():\n    return a" + ".b" * 50_000,
        HEAD + "@flow\ndef train():\n    return 1" + "+1" * 50_000,
        HEAD + "@flow\ndef train(a=" + "-" * 50_000 + "1): ...",
    ],
)
def test_text_that_cannot_be_read_is_said_to_be_so(text: str) -> None:
    code = preview(text)

    assert (code.graph, code.note) == (None, "The source text of the flow cannot be read as Python.")


def test_text_with_halves_of_characters_has_a_form_in_json() -> None:
    code = preview("from nadi import flow\n@flow(name='\\ud800')\ndef train(a='\\ud800'):\n    '''\\ud800'''")

    assert msgspec.json.decode(msgspec.json.encode(code))["description"] == "?"


def test_a_description_ends_where_its_sections_begin() -> None:
    assert description_of("Do it.\n\n    Well.\n\n    Parameters\n    ----------\n    n : int") == "Do it.\n\nWell."
    assert description_of("Do it.\n\nReturns:\n    Nothing.") == "Do it."
    assert description_of(None) == ""


def test_code_that_nobody_wrote_by_hand_has_no_graph_and_takes_no_memory() -> None:
    lines = "".join("    kept.append(step(kept))\n" for _ in range(1_500))
    text = f"from nadi import flow, task\n@task\ndef step(x): ...\n@flow\ndef large():\n    kept = []\n{lines}"

    assert preview_of_source(text, "large.py:large").graph is None


def test_imports_of_other_libraries_do_not_use_up_the_files_that_are_read() -> None:
    others = "".join(f"import library_{n}\n" for n in range(40))
    text = f"{others}from nadi import flow\nfrom mine import step\n@flow\ndef run():\n    step()\n"
    mine = "from nadi import task\n@task\ndef step(): ...\n"

    code = preview_of_source(text, "run.py:run", read=lambda name: mine if name == "mine" else None)

    assert code.graph is not None
    assert [node.name for node in code.graph.nodes] == ["step"]


@pytest.mark.parametrize("name", ["__slots__", "__qualname__", "__classcell__"])
def test_a_method_of_an_odd_name_is_left_out(name: str) -> None:
    text = f"from nadi import flow, task\nclass Odd:\n    @task\n    def {name}(self): ...\n@flow\ndef run(): ...\n"

    assert preview_of_source(text, "run.py:run").graph is not None
