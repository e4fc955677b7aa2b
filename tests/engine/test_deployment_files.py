"""nadi.toml: what it says, and one sentence with file and line for each thing that can be wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nadi.engine.deployment_files import find_deployment_file, raise_findings, read_deployment_file, told
from nadi.exceptions import DefinitionError
from nadi.model.deployments import ArchiveSource, FolderSource, GitSource, Resources
from nadi.model.schedules import CatchUp, Overlap
from nadi.model.work import CrashPolicy, WhenCutOff
from nadi.storage.home import this_host
from nadi.storage.settings import read_settings

ALL = """
[defaults]
queue = "etl"
overlap = "skip"
parameters = { rows = 10, region = "eu" }

[deployments.nightly]
entrypoint = "flows/etl.py:etl"
description = "Loads the day."
parameters = { rows = 1000, day = 2026-03-01 }
schedules = ["0 6 * * mon-fri", { cron = "0 7 * * sun", name = "sunday", catch_up = "none" }]
tags = ["b", "a"]
executor = "process"
resources = { memory = "2GB", cpu = "10m", wall = 3600 }
catch-up = "all"
crash-policy = "restart"
most_crashes = 5
when_cut_off = "stop"
priority = 3
concurrency = 2
environment = { MODE = "fast" }
interpreter = "/opt/etl/bin/python"

[deployments.hourly]
entrypoint = "package.module:flow"
source = { git = "https://example.org/etl.git", branch = "main", folder = "flows" }
schedule = "hourly"
queue = "own"

[deployments.packed]
entrypoint = "flow.py"
source = { archive = "https://example.org/etl.tar.gz" }
"""


def test_a_file_says_all_that_can_be_said(tmp_path: Path) -> None:
    file = tmp_path / "nadi.toml"
    file.write_text(ALL)

    read = read_deployment_file(file)

    assert [told(one) for one in read.findings] == []
    nightly, hourly, packed = (draft.spec for draft in read.drafts)
    assert nightly.source == FolderSource(path=str(tmp_path), host=this_host())
    assert nightly.parameters == {"rows": 1000, "region": "eu", "day": "2026-03-01"}
    assert nightly.resources == Resources(memory_bytes=2 * 10**9, cpu_seconds=600.0, wall_seconds=3600.0)
    assert (nightly.crash_policy, nightly.when_cut_off) == (CrashPolicy.RESTART, WhenCutOff.STOP)
    assert (nightly.queue, nightly.priority, nightly.concurrency, nightly.most_crashes) == ("etl", 3, 2, 5)
    assert (nightly.tags, nightly.executor, nightly.environment) == (("a", "b"), "process", {"MODE": "fast"})
    assert [(one.name, one.overlap, one.catch_up) for one in nightly.schedules] == [
        ("", Overlap.SKIP, CatchUp.ALL),
        ("sunday", Overlap.SKIP, CatchUp.NONE),
    ]
    assert hourly.source == GitSource(url="https://example.org/etl.git", commit="", branch="main", folder="flows")
    assert (hourly.queue, len(hourly.schedules)) == ("own", 1)
    assert packed.source == ArchiveSource(url="https://example.org/etl.tar.gz", digest="")


def test_pyproject_has_the_same_tables_beside_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.nadi]\nlog_level = "DEBUG"\n[tool.nadi.deployments.a]\nentrypoint = "f.py"\nqueu = "x"\n')

    read = read_deployment_file(file)

    assert find_deployment_file(tmp_path) == file
    assert [(one.line, one.message) for one in read.findings] == [
        (5, "Deployment 'a': queu is no key of a deployment (did you mean 'queue'?).")
    ]
    assert read_settings({}, tmp_path).log_level == "DEBUG"


def test_two_files_with_deployments_in_one_folder_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.nadi.deployments.a]\nentrypoint = "f.py"\n')
    (tmp_path / "nadi.toml").write_text('[deployments.b]\nentrypoint = "f.py"\n')

    with pytest.raises(DefinitionError, match="both have deployments"):
        find_deployment_file(tmp_path)


def test_several_schedules_without_a_name_are_called_by_what_they_say(tmp_path: Path) -> None:
    file = tmp_path / "nadi.toml"
    file.write_text('[deployments.a]\nentrypoint = "f.py"\nschedules = ["0 6 * * *", "hourly", "0 6 * * *"]\n')

    [draft] = read_deployment_file(file).drafts

    assert [one.name for one in draft.spec.schedules] == ["every-day-at-06-00", "every-hour", "every-day-at-06-00-2"]


#: Lines below `[deployments.a]` (line 1) and `entrypoint = "f.py:f"` (line 2); the line told; the sentence.
WRONG = [
    ('entrypont = "x"', 3, "Deployment 'a': entrypont is no key of a deployment (did you mean 'entrypoint'?)."),
    ('source = "../b"', 3, "Deployment 'a': source is '../b', which has `..` in it; expected a path that stays in the"
     " folder of the code; or write the whole path of the folder."),
    ('source = "nowhere"', 3, "Deployment 'a': source is 'nowhere', and there is no folder {folder}/nowhere."),
    ("source = 3", 3, "Deployment 'a': source is 3; expected a folder, or a table with git or archive."),
    ('source = { git = "https://h/x.git", branch = "--upload-pack=touch x" }', 3,
     "Deployment 'a': source.branch is '--upload-pack=touch x', which looks like an option; expected the name of a"
     " branch or tag."),
    ('source = { git = "--upload-pack=x" }', 3, "Deployment 'a': source.git is '--upload-pack=x', which looks like an"
     " option."),
    ('source = { git = "ext::sh -c id" }', 3, "Deployment 'a': source.git is 'ext::sh -c id', which has a space or a"
     " control character in it."),
    ('source = { git = "ext::id" }', 3, "Deployment 'a': source.git is 'ext::id', which names a program to run;"
     " expected"
     " an address that begins with https://, http://, ssh://, git:// or file://."),
    ('source = { git = "https://me:pw@h/x.git" }', 3, "Deployment 'a': source.git is 'https://***@h/x.git', which has a"
     " secret in it, and everybody who may read deployments would see that; let git ask its credential helper, or use a"
     " deploy key."),
    ('source = { git = "https://h/x", commit = "abc" }', 3, "Deployment 'a': source.commit is 'abc'; expected all 40"
     " digits of a commit, as `git rev-parse` prints them."),
    ('source = { git = "https://h/x", folder = "/etc" }', 3, "Deployment 'a': source.folder is '/etc', which is"
     " absolute; expected a path that starts from the folder of the code."),
    ('source = { git = "https://h/x", brnch = "b" }', 3, "Deployment 'a': source.brnch is not expected here"
     " (did you mean"
     " 'branch'?)."),
    ('source = { git = "https://h/x", archive = "https://h/x.zip" }', 3, "Deployment 'a': source has both git and"
     " archive; give one of them."),
    ('source = { archive = "s3://b/x.zip" }', 3, "Deployment 'a': source.archive is 's3://b/x.zip'; expected an address"
     " that begins with https://, http:// or file://."),
    ("parameters = [1]", 3, "Deployment 'a': parameters is [1]; expected a table of parameters by name."),
    ("parameters.x = nan", 3, "Deployment 'a': parameters.x cannot be kept as JSON: it knows no nan."),
    ('tags = "a"', 3, "Deployment 'a': tags is 'a'; expected a list of texts."),
    ('tags = [\n "x",\n 3]', 5, "Deployment 'a': tags[1] has the tag 3; expected text that is not empty."),
    ('executor = "proces"', 3, "Deployment 'a': executor is 'proces'; expected one of process, sequential, thread (did"
     " you mean 'process'?)."),
    ('resources.memory = "2 gigs"', 3, "Deployment 'a': resources.memory is '2 gigs'; expected an amount such as"
     ' "512MB" or "2GiB".'),
    ("resources.memory = 2", 3, "Deployment 'a': resources.memory is 2 B, in which no Python starts; expected 16MiB or"
     " more."),
    ('resources.wall = "soon"', 3, "Deployment 'a': resources.wall is 'soon'; expected a length of time such as \"90s\""
     ' or "1h30m".'),
    ('resources.disk = "1GB"', 3, "Deployment 'a': resources.disk is no resource; expected memory, cpu or wall."),
    ('crash_policy = "again"', 3, "Deployment 'a': crash_policy is 'again'; expected resume, restart or fail."),
    ("most_crashes = 0", 3, "Deployment 'a': most_crashes is 0; expected a whole number from 1 to 1,000."),
    ('when_cut_off = "continu"', 3, "Deployment 'a': when_cut_off is 'continu'; expected continue or stop (did you mean"
     " 'continue'?)."),
    ('queue = ""', 3, "Deployment 'a': queue is ''; expected a name on one line, such as nightly."),
    ("priority = 1.5", 3, "Deployment 'a': priority is 1.5; expected a whole number from -1,000,000 to 1,000,000."),
    ("concurrency = -1", 3, "Deployment 'a': concurrency is -1; expected a whole number from 0 to 100,000."),
    ("environment.A = 1", 3, "Deployment 'a': environment.A is 1; expected text: write it between quotes."),
    ('environment.NADI_HOME = "x"', 3, "Deployment 'a': environment.NADI_HOME is given by the worker, so that a"
     " run finds"
     " its store; take it out."),
    ('interpreter = "python3"', 3, "Deployment 'a': interpreter is 'python3'; expected the whole path of a Python, such"
     " as /opt/etl/bin/python."),
    ('overlap = "queu"', 3, "Deployment 'a': overlap is 'queu'; expected skip, queue, cancel_running or allow (did you"
     " mean 'queue'?)."),
    ('schedules = [\n "0 6 * * *",\n "0 25 * * *"]', 5, "Deployment 'a': schedules[1] cannot be read: '0 25 * *"
     " *' is no"
     " cron line: the hour '25' cannot be; expected 0 to 23."),
    ('schedules = { cron = "0 6 * * *", timezone = "Europe/Berln" }', 3, "Deployment 'a': schedules cannot be read:"
     " There is no time zone 'Europe/Berln' (did you mean 'Europe/Berlin'?); expected an IANA name such as"
     " 'Europe/Berlin' or 'UTC'."),
    ('schedule = "0 0 30 2 *"', 3, "Deployment 'a': schedule cannot be read: '0 0 30 2 *' never fires: no date"
     " there is fits"
     " its days and months."),
    ('schedule = "hourly"\nschedules = "daily"', 3, "Deployment 'a': schedule and schedules mean the same; give one of"
     " them."),
    ('schedules = [{ cron = "0 6 * * *", name = "x" }, { cron = "0 7 * * *", name = "x" }]', 3,
     "Deployment 'a': schedules[1] is the second one with the name 'x'; give each a name of its own."),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "line", "sentence"), WRONG, ids=[one[0].splitlines()[0] for one in WRONG])
def test_what_is_wrong_is_told_with_its_line(lines: str, line: int, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "nadi.toml"
    file.write_text(f'[deployments.a]\nentrypoint = "f.py:f"\n{lines}\n')

    [finding] = read_deployment_file(file).findings

    expected = sentence.replace("{folder}", str(tmp_path))
    assert (finding.file, finding.line, finding.message) == (str(file), line, expected)


#: Whole files.
WRONG_FILES = [
    ("[deployments.a]\n", 1, "Deployment 'a' has no entrypoint; expected path/to/file.py:flow or package.module:flow."),
    ('[deployments.a]\nentrypoint = "../f.py:f"\n', 2, "Deployment 'a': entrypoint is '../f.py', which has `..` in it;"
     " expected a path that stays in the folder of the code."),
    ('[deployments.a]\nentrypoint = "/srv/f.py:f"\n', 2, "Deployment 'a': entrypoint is '/srv/f.py', which is absolute;"
     " expected a path that starts from the folder of the code."),
    ('[deployments.a]\nentrypoint = "-c.py:f"\n', 2, "Deployment 'a': entrypoint is '-c.py', which looks like"
     " an option;"
     " write ./-c.py."),
    ('[deployments.a]\nentrypoint = "my flow"\n', 2, "Deployment 'a': entrypoint is 'my flow'; expected"
     " path/to/file.py:flow or package.module:flow."),
    ('[deployments."a/b"]\nentrypoint = "f.py"\n', 1, "The name of a deployment is 'a/b', and / % & > < are not allowed"
     " in it; a hyphen or a dot serves."),
    ('[deployments.a]\nentrypoint = "f.py"\n\n[deployments.a]\nentrypoint = "g.py"\n', 4, "Two deployments are"
     " called 'a',"
     " here and in line 1. Give one of them another name."),
    ("[deployments.a\n", 1, "It is not valid TOML: Expected ']' at the end of a table declaration."),
    ("[deployment.a]\n", 1, "There is no table or key 'deployment' here (did you mean 'deployments'?); expected"
     " [defaults] and [deployments.NAME]."),
    ('database_url = "sqlite:///x"\n', 1, "database_url is a setting; it goes below [tool.nadi] in pyproject.toml."),
    ("", 1, "It has no deployment. Write one: [deployments.NAME] with an entrypoint."),
    ("deployments = 3\n", 1, "deployments is 3; expected tables."),
    ("[deployments]\na = 3\n", 2, "Deployment 'a' is 3; expected a table [deployments.a]."),
    ('[defaults]\n\nqueue = 3\n[deployments.a]\nentrypoint = "f.py"\n', 3, "[defaults]: queue is 3; expected text."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "sentence"), WRONG_FILES, ids=[one[2][:40] for one in WRONG_FILES])
def test_a_file_that_is_wrong_as_a_whole_is_told_with_its_line(
    text: str, line: int, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "nadi.toml"
    file.write_text(text)

    [finding] = read_deployment_file(file).findings

    assert (finding.line, finding.message) == (line, sentence)


def test_a_file_that_cannot_be_read_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"a = '\xff'")

    [binary] = read_deployment_file(tmp_path / "binary.toml").findings
    [missing] = read_deployment_file(tmp_path / "missing.toml").findings

    assert binary.message == "It cannot be read: it is not UTF-8 text (invalid start byte at byte 5)."
    assert missing.message == "It cannot be read: No such file or directory."


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "nadi.toml"
    file.write_text('[deployments.a]\nentrypoint = 3\nqueue = 4\n[deployments.b]\ntags = 5\nentrypoint = "f.py"\n')

    with pytest.raises(DefinitionError) as raised:
        raise_findings(read_deployment_file(file).findings)

    assert [line.split(": ")[0] for line in str(raised.value).splitlines()] == [
        f"{file}, line {line}" for line in (2, 3, 5)
    ]
