"""What a person sees on a terminal of 80 columns."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from nadi.cli.main import COMMANDS
from nadi.cli.output import ago, cell_width, fit
from nadi.model.text import one_line, safe
from tests.cli.conftest import Nadi
from tests.journeys.places import Place

ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")

FLOW = """
    from nadi import flow, task

    @task
    def prepare_the_training_data_of_one_region(region): return region

    @task(retries=1, retry_delay_seconds=0.01)
    def fit(x, tried=[]):
        tried.append(x)
        if x == 2: raise ValueError("the rows of this region cannot be used: they are of another year than asked")
        return x

    @task
    def pick(xs): return max(xs)

    @flow
    def train_all_models_of_all_regions_and_pick_the_best(regions: int = 4):
        data = prepare_the_training_data_of_one_region.map(range(regions))
        return pick.submit(fit.map(data)).result()
"""


def on_terminal(place: Place, *args: str, **environ: str) -> tuple[int, str]:
    """Run a command on a pseudo-terminal of 80 columns; returns its status and what was written there."""
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nadi", *args],
        cwd=place.folder,
        env=place.environment(COLUMNS="80", LINES="24", TERM="xterm-256color", **environ),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        close_fds=True,
    )
    os.close(follower)
    written = b""
    try:
        while part := os.read(leader, 65536):
            written += part
    except OSError:  # how Linux says that nobody writes any more
        pass
    os.close(leader)
    return process.wait(timeout=30), written.decode().replace("\r\n", "\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are for POSIX")
def test_what_is_shown_on_a_terminal_fits_into_80_columns_and_has_colour_unless_it_is_not_wanted(place: Place) -> None:
    place.script(FLOW)

    status, shown = on_terminal(place, "run", "pipeline.py", "--name", "brisk-otter")
    answers = [on_terminal(place, command, "brisk-otter")[1] for command in ("show", "why", "graph")]
    plain = on_terminal(place, "runs", NO_COLOR="1")[1]

    assert status == 1
    assert "\x1b[" in answers[0]
    assert "\x1b[" not in plain
    long = [line for text in (*answers, plain) for line in ANSI.sub("", text).splitlines() if cell_width(line) > 80]
    assert [line for line in long if str(place.folder) not in line] == []
    assert "━" in shown
    assert "/4" in shown


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_each_help_has_an_example_and_fits_into_80_columns(nadi: Nadi, command: str) -> None:
    said = nadi(*filter(None, [command, "--help"]))

    assert said.status == 0
    assert "Examples:" in said.out
    assert f"nadi {command}".strip() in said.out.partition("Examples:")[2]
    assert [line for line in said.out.splitlines() if len(line) > 80] == []


def test_help_loads_no_command() -> None:
    code = "import sys, nadi.cli.main as m; m.main(['--help']); print([n for n in sys.modules if 'nadi.cli.' in n])"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert told.splitlines()[-1] == "['nadi.cli.main']"


def test_the_module_can_be_run_and_tells_its_version(place: Place) -> None:
    told = place.run("-m", "nadi", "--version")

    assert (told.returncode, told.stderr) == (0, "")
    assert re.fullmatch(r"nadi \d+\.\d+\.\d+\S*\n", told.stdout)


def test_a_reader_that_goes_away_ends_a_command_without_a_word(place: Place) -> None:
    place.script(FLOW)
    place.run("-m", "nadi", "run", "pipeline.py", "--name", "brisk-otter", "-q")
    process = place.start("-m", "nadi", "logs", "brisk-otter", "--json")
    assert process.stdout is not None

    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()

    assert (process.wait(timeout=30), err) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_each_shell(nadi: Nadi, shell: str) -> None:
    said = nadi("completion", shell)

    assert said.status == 0
    assert "_NADI_COMPLETE" in said.out


def test_commands_and_names_of_runs_are_completed(place: Place) -> None:
    place.script(FLOW)
    place.run("-m", "nadi", "run", "pipeline.py", "--name", "brisk-otter", "-q")

    def completed(words: str, place_of_word: int) -> list[str]:
        asked = {"_NADI_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(place_of_word)}
        return [line.partition(",")[2] for line in place.run("-m", "nadi", **asked).stdout.splitlines()]

    assert completed("nadi res", 1) == ["resume"]
    assert completed("nadi show br", 2) == ["brisk-otter"]
    assert completed("nadi logs brisk-otter --fol", 3) == ["--follow"]


def test_text_is_cut_by_the_columns_that_it_takes() -> None:
    assert fit("नदी river", 20).rstrip() == "नदी river"
    assert cell_width(fit("流れ" * 10, 9)) == 9
    assert fit("short", 8) == "short   "


def test_control_characters_are_shown_and_not_obeyed() -> None:
    assert safe("a\x1b[2Jb\u202ec\td\n") == "a\\x1b[2Jb\\u202ec\td\n"
    assert one_line("two\nlines") == "two lines"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "just now"), (59, "59 s ago"), (60, "1 min ago"), (7100, "1 h ago"), (200_000, "2 d ago"), (-5, "just now")],
)
def test_how_long_ago_is_told_in_one_unit(seconds: float, told: str) -> None:
    assert ago(1000.0, 1000.0 + seconds) == told


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-"])
def test_a_stream_that_the_caller_closed_is_no_error(place: Place, closed: str) -> None:
    place.script(FLOW, "flow.py")
    call = f"{sys.executable} -m nadi run flow.py:train_all_models_of_all_regions_and_pick_the_best -p regions=1 --json"

    done = subprocess.run(
        ["sh", "-c", f"{call} {closed}"], cwd=place.folder, env=place.environment(), capture_output=True, text=True
    )

    assert done.returncode == 0
    assert "nadi itself failed" not in done.stderr
    assert [run.state_name for run in place.look()] == ["Completed"]


def test_output_that_cannot_be_written_is_one_sentence_and_status_3(place: Place) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m nadi runs > /dev/full"],
        env=place.environment(),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 3
    assert done.stderr == "Error: The output cannot be written: No space left on device.\n"
