"""How log lines look on the console."""

from __future__ import annotations

import json
import logging

import pytest

from nadi import flow, get_run_logger, task
from nadi.engine import logs
from nadi.exceptions import SettingError
from nadi.model.secrets import Secret
from nadi.storage.settings import read_settings
from tests.conftest import Recorded


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.usefixtures("recorded")
def test_in_json_a_log_line_is_one_object_that_names_its_run(
    recorded: Recorded, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.configure("INFO", console=True, log_format="json")

    @task(task_run_name="the {part}")
    def work(part: str, password: Secret[str]) -> None:
        get_run_logger().warning("two\nlines with %s", password.get())

    @flow
    def outer() -> None:
        work("first", Secret("tiger-in-the-tank"))

    outer()
    logs.configure("INFO", console=False)

    lines = said(capsys)
    line = next(line for line in lines if line["level"] == "WARNING")
    assert line["message"] == "two\nlines with ****"
    assert line["name"] == "the first"
    assert line["flow_run"] == recorded.root.id
    assert line["task_run"] == recorded.task_runs[0].id
    assert str(line["at"]).endswith("Z")


def test_a_format_that_does_not_exist_is_one_sentence() -> None:
    with pytest.raises(SettingError, match="NADI_LOG_FORMAT sets log_format to 'yaml'; expected text or json"):
        read_settings({"NADI_LOG_FORMAT": "yaml"})
