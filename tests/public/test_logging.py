from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from nadi import flow, get_run_logger, task
from nadi.engine.logs import LINES_PER_SECOND, LONGEST_LINE, ConsoleFormatter, RunHandler
from nadi.engine.session import LogOrigin
from nadi.exceptions import ContextError
from nadi.logging import disable_run_logger, get_logger
from nadi.testing import Records, TestClock, nadi_test_harness
from tests.public.runs import in_flow

SRC = str(Path(__file__).parents[2] / "src")


def test_what_a_flow_and_a_task_log_belongs_to_each(records: Records) -> None:
    @task
    def load() -> None:
        get_run_logger().warning("%d rows", 5)

    @flow
    def work() -> None:
        get_run_logger().info("beginning")
        load.submit().result()

    work()

    [run] = records.task_runs()
    assert [(line.text, line.level) for line in records.logs("5 rows") if line.task == run.id] == [("5 rows", 30)]
    assert [line.task for line in records.logs("beginning")] == [""]


def test_a_run_logger_keeps_its_run_in_threads_of_the_users_own(records: Records) -> None:
    @flow
    def work() -> None:
        logger = get_run_logger()
        thread = threading.Thread(target=lambda: logger.info("from a thread"))
        thread.start()
        thread.join()

    work()

    assert len(records.logs("from a thread")) == 1


def test_outside_of_a_run_there_is_no_run_logger() -> None:
    with pytest.raises(ContextError, match="inside of a flow or task"):
        get_run_logger()


def test_with_run_loggers_disabled_plain_functions_run_and_log_nowhere(records: Records) -> None:
    @task
    def load() -> str:
        get_run_logger().info("not recorded")
        return "loaded"

    with disable_run_logger():
        assert load.fn() == "loaded"
        assert in_flow(lambda: load()) == "loaded"

    assert records.logs("not recorded") == []
    in_flow(lambda: load())
    assert len(records.logs("not recorded")) == 1


def test_prints_are_logged_where_log_prints_is_set_and_inherited_by_what_leaves_it_open(
    records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    @task
    def inherits() -> None:
        print("inherited", 1, sep="-")

    @task(log_prints=False)
    def declines() -> None:
        print("only printed")

    @flow
    def inner() -> None:
        print("from the subflow")

    @flow(log_prints=True)
    def work() -> None:
        inherits.submit().result()
        declines()
        inner()
        print("to a file", file=sys.stderr)

    @flow
    def silent() -> None:
        inherits()

    work()
    silent()

    assert [line.text for line in records.logs("inherited")] == ["inherited-1"]
    assert len(records.logs("from the subflow")) == 1
    assert records.logs("only printed") == []
    assert records.logs("to a file") == []
    shown = capsys.readouterr()
    assert shown.out == "only printed\ninherited-1\n"
    assert "to a file" in shown.err


def test_a_line_is_cut_at_64_kib_and_says_what_is_missing(records: Records) -> None:
    @flow
    def work() -> None:
        get_run_logger().info("x" * (LONGEST_LINE + 10))

    work()

    [line] = records.logs("xxxx")
    assert line.text == "x" * LONGEST_LINE + "… (10 more characters left out)"


@task
def log_fast() -> None:
    logger = get_run_logger()
    for number in range(LINES_PER_SECOND + 500):
        logger.info("line %d", number)


def test_a_task_that_logs_too_fast_is_sampled_with_a_mark_and_a_count() -> None:
    @flow
    def work() -> None:
        log_fast.submit().result()

    with nadi_test_harness(clock=TestClock(tick=0.0)) as records:
        work()

        [run] = records.flow_runs()
        assert len(records.logs("line ")) == LINES_PER_SECOND
        assert len(records.logs("the rest of this second is left out")) == 1
        assert run.dropped["sampled log lines"] == 500


def test_what_a_flow_logs_too_fast_is_counted_too() -> None:
    with nadi_test_harness(clock=TestClock(tick=0.0)) as records:
        flow(name="work")(log_fast.fn)()

        [run] = records.flow_runs()
        assert run.dropped["sampled log lines"] >= 500


def test_a_failed_task_logs_the_users_frames_and_none_of_ours(records: Records) -> None:
    @task
    def burst() -> None:
        raise ValueError("too many")

    @flow
    def work() -> None:
        burst.submit().wait()

    with pytest.raises(Exception, match="too many"):
        work()

    told = "\n".join(line.text for line in records.logs("Traceback"))
    assert "in burst" in told
    assert "ValueError: too many" in told
    assert f"{os.sep}nadi{os.sep}engine{os.sep}" not in told


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_a_record_that_cannot_be_formatted_is_told_of_and_fails_nothing(records: Records) -> None:
    @flow
    def work() -> str:
        get_run_logger().info("%s", Unprintable())
        return "done"

    handler = logging.getLogger().handlers[:]
    logging.getLogger().handlers[:] = []  # pytest's own handler raises what a formatter raises
    try:
        assert work() == "done"
    finally:
        logging.getLogger().handlers[:] = handler

    assert len(records.logs("could not be formatted: no text")) == 1


SCRIPT = """
import logging, os
from nadi import flow, task

library = logging.getLogger("my.library")

@task
def work():
    library.info("from the library")
    library.debug("too detailed")

@flow(executor=os.environ["EXECUTOR"])
def main():
    work.submit().result()

if __name__ == "__main__":
    main()
    library.warning("outside of a run")
    from nadi.engine.recording import recorder
    recorder().barrier()
    from nadi.model.runs import RunFilter
    store = recorder().store()
    [run] = store.flow_runs(RunFilter(), limit=5)
    print([line.text for line in store.logs(run.id) if line.logger == "my.library" and line.task])
"""


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_the_lines_of_chosen_standard_loggers_become_lines_of_the_run(tmp_path: Path, executor: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    environ = {
        **os.environ,
        "NADI_HOME": str(tmp_path / "home"),
        "NADI_EXTRA_LOGGERS": "other, my.library",
        "PYTHONPATH": SRC,
        "EXECUTOR": executor,
    }

    done = subprocess.run(
        [sys.executable, str(script)], env=environ, capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "['from the library']\n"
    assert done.stderr.count("outside of a run") == 1


def test_nadis_own_loggers_are_standard_loggers_below_nadi() -> None:
    assert [get_logger().name, get_logger("my.part").name, get_logger("nadi.x").name] == [
        "nadi",
        "nadi.my.part",
        "nadi.x",
    ]


def test_a_run_handler_lets_records_from_outside_of_runs_pass() -> None:
    record: Any = logging.LogRecord("x", 20, "", 0, "text", (), None)

    RunHandler().emit(record)


def test_the_console_shows_a_run_name_without_obeying_it() -> None:
    record: Any = logging.LogRecord("nadi.runs", 20, "", 0, "text", (), None)
    record.nadi_origin = LogOrigin(None, "", "", "red\x1b[31m")  # type: ignore[arg-type]  # only its name is read

    assert ConsoleFormatter().format(record).endswith(r" | red\x1b[31m | text")
