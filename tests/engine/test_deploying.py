"""Deploying: from drafts to versions, and what is refused before anything is written."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi.engine.code_sources import commit_of, fetched, pinned
from nadi.engine.deploying import Prepared, prepare
from nadi.engine.deployment_changes import Changed, difference
from nadi.engine.deployment_drafts import Draft, made_draft
from nadi.exceptions import LoadError
from nadi.model.deployments import ArchiveSource, DeploymentVersion, GitSource, Source
from nadi.storage.home import Home

T0 = 1_800_000_000.0

FLOW = """
from nadi import Secret, flow
import parts

@flow
def etl(day: str, rows: int = 10, token: Secret = None):
    '''Loads a day.

    Args:
        rows: How many.
    '''
    raise SystemExit("a flow was run")

print("noise")
if __name__ != "__main__":
    etl("today")
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "etl.py").write_text(FLOW)
    (folder / "parts.py").write_text("A = 1\n")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def drafted(folder: Path, name: str = "nightly", **given: Any) -> Draft:
    return made_draft(name, {"entrypoint": "etl.py:etl", **given}, folder=str(folder))


def prepared(home: Home, *drafts: Draft) -> Prepared:
    return prepare(drafts, home=home, now=T0, by="ada")


def version(home: Home, draft: Draft) -> DeploymentVersion:
    done = prepared(home, draft)
    assert done.findings == ()
    return done.versions[0]


def messages(done: Prepared) -> list[str]:
    assert done.versions == ()
    return [finding.message for finding in done.findings]


def test_a_version_says_what_the_code_says_and_no_flow_was_run(code: Path, home: Home) -> None:
    made = version(home, drafted(code, parameters={"rows": 3}))

    assert (made.deployment, made.number, made.by, made.created) == ("nightly", 0, "ada", T0)
    assert (made.spec.flow, made.spec.description) == ("etl", "Loads a day.")
    assert made.schema["required"] == ["day"]
    assert made.schema["properties"]["rows"]["description"] == "How many."
    assert len(made.code) == 32


def test_the_digest_of_code_follows_the_files_that_are_imported_and_nothing_else(code: Path, home: Home) -> None:
    (code / "unrelated.py").write_text("B = 1\n")
    first = version(home, drafted(code))

    os.utime(code / "parts.py", (1, 1))
    (code / "unrelated.py").write_text("B = 2\n")
    same = version(home, drafted(code))
    (code / "parts.py").write_text("A = 2\n")
    other = version(home, drafted(code))

    assert (same.code, same.digest) == (first.code, first.digest)
    assert other.code != first.code
    assert other.digest != first.digest


def test_the_same_said_in_another_order_is_the_same_version(code: Path, home: Home) -> None:
    one = version(home, drafted(code, parameters={"rows": 1, "day": "x"}, tags=["a", "b"]))
    other = version(home, drafted(code, tags=["b", "a"], parameters={"day": "x", "rows": 1}))

    assert one.digest == other.digest


def test_what_a_flow_does_not_take_is_refused(code: Path, home: Home) -> None:
    wrong_type = drafted(code, "a", parameters={"rows": "many"})
    unknown = drafted(code, "b", parameters={"row": 1})
    secret = drafted(code, "c", parameters={"token": "s3cret-value"})
    missing = drafted(code, "d", schedules=["0 6 * * *"])
    wrong_there = drafted(code, "e", schedules=[{"cron": "0 6 * * *", "parameters": {"day": "x", "rows": "y"}}])

    told = messages(prepared(home, wrong_type, unknown, secret, missing, wrong_there))

    assert told == [
        "Deployment 'a': parameters: etl() was given arguments that it cannot take: rows: expected a whole"
        " number (int),"
        " got 'many'.",
        "Deployment 'b': parameters: etl() has no parameter 'row' (did you mean 'rows'?). It takes (day: str,"
        " rows: int = 10, token: Secret = None).",
        "Deployment 'c': parameters: token is a secret of 'etl', and no store keeps one: let the flow read it from its"
        " environment.",
        "Deployment 'd': parameters of its schedule: etl() is missing 'day'. It takes (day: str, rows: int = 10,"
        " token: Secret = None).",
        "Deployment 'e': parameters of its schedule: etl() was given arguments that it cannot take: rows: expected a"
        " whole number (int), got 'y'.",
    ]


def test_code_that_cannot_be_loaded_is_refused_with_its_line(code: Path, home: Home) -> None:
    (code / "raising.py").write_text("import nadi\n\n1 / 0\n")
    (code / "leaving.py").write_text("import os\nos._exit(7)\n")
    drafts = [
        made_draft(name, {"entrypoint": entrypoint}, folder=str(code))
        for name, entrypoint in (("a", "raising.py"), ("b", "leaving.py"), ("c", "zzz.py"), ("d", "no.such:flow"))
    ]

    told = messages(prepared(home, *drafts))

    assert told == [
        f"Deployment 'a': raising.py could not be loaded: ZeroDivisionError at {code}/raising.py, line 3: division by"
        " zero.",
        "Deployment 'b': leaving.py cannot be loaded: the process that loaded it ended with status 7: it"
        " printed nothing.",
        f"Deployment 'c': There is no file zzz.py (looked from {code}).",
        f"Deployment 'd': There is no module 'no', in {code} or elsewhere on sys.path.",
    ]


def test_an_interpreter_that_is_not_there_is_refused(code: Path, home: Home) -> None:
    told = messages(prepared(home, drafted(code, interpreter="/nowhere/bin/python")))

    assert told == ["Deployment 'nightly': The interpreter /nowhere/bin/python is not there, or cannot be started."]


def test_code_is_loaded_with_the_environment_and_the_interpreter_of_its_deployment(code: Path, home: Home) -> None:
    (code / "asking.py").write_text(
        "import os, sys\nfrom nadi import flow\n@flow(name=os.environ['NAMED'])\ndef f(): ...\n"
    )

    made = version(
        home,
        made_draft(
            "a",
            {"entrypoint": "asking.py", "environment": {"NAMED": "from-env"}, "interpreter": sys.executable},
            folder=str(code),
        ),
    )

    assert made.spec.flow == "from-env"


def test_two_deployments_of_one_name_are_refused(code: Path, home: Home) -> None:
    told = messages(prepared(home, drafted(code), drafted(code, queue="other")))

    assert told == ["Two deployments are called 'nightly'. Rename one of them."]


# -- differences --


def test_a_difference_names_each_field_with_what_it_was_and_will_be(code: Path, home: Home) -> None:
    old = version(home, drafted(code, parameters={"day": "x", "rows": 1}, tags=["a"], schedules=["0 6 * * *"]))
    new = version(
        home,
        drafted(code, parameters={"day": "x", "rows": 2}, queue="etl", schedules=[{"cron": "0 7 * * *"}]),
    )

    changes = {change.field: (change.kind, change.before, change.after) for change in difference(old, new).changes}

    assert changes == {
        "parameters.rows": (Changed.CHANGED, 1, 2),
        "schedules": (Changed.CHANGED, "every day at 06:00 UTC", "every day at 07:00 UTC"),
        "queue": (Changed.ADDED, None, "etl"),
        "tags": (Changed.REMOVED, ("a",), None),
    }


def test_a_schedule_that_differs_only_in_what_words_leave_out_is_told(code: Path, home: Home) -> None:
    def dated(*days: int) -> DeploymentVersion:
        dates = [f"2030-01-{day:02}T06:00:00" for day in days]
        return version(home, drafted(code, parameters={"day": "x"}, schedules=[{"dates": dates}]))

    old, new = dated(1, 2, 3, 4, 5, 6, 7), dated(1, 2, 3, 4, 5, 6, 8)
    caught = msgspec.structs.replace(new.spec.schedules[0], catch_up_limit=7)
    more = msgspec.structs.replace(new, spec=msgspec.structs.replace(new.spec, schedules=(caught,)), digest="other")

    assert [change.field for change in difference(old, new).changes] == ["schedules"]
    assert [change.field for change in difference(new, more).changes] == ["schedules.catch_up_limit"]


def test_equal_versions_differ_in_nothing(code: Path, home: Home) -> None:
    one = msgspec.structs.replace(version(home, drafted(code)), number=4)

    again = difference(one, version(home, drafted(code)))

    assert (again.number, again.changes) == (4, ())


# -- code that lies elsewhere --


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(code: Path) -> Path:
    git(code, "init", "--quiet")
    git(code, "add", ".")
    git(code, "commit", "--quiet", "-m", "one")
    return code


def test_a_branch_is_a_commit_once_it_is_deployed_and_the_code_is_that_of_the_commit(
    repository: Path, home: Home
) -> None:
    url, first = repository.as_uri(), git(repository, "rev-parse", "HEAD")
    draft = drafted(repository, source={"git": url, "branch": "main"})
    before = version(home, draft)
    (repository / "parts.py").write_text("A = 2\n")
    git(repository, "commit", "--quiet", "-am", "two")

    after = version(home, draft)

    assert isinstance(before.spec.source, GitSource)
    assert (before.spec.source.commit, before.git_commit) == (first, first)
    assert after.git_commit == git(repository, "rev-parse", "HEAD")
    assert after.digest != before.digest
    # What was deployed before can still be run.
    assert (Path(fetched(before.spec.source, home, now=T0)) / "parts.py").read_text() == "A = 1\n"


def test_a_tag_and_the_branch_of_a_repository_itself_are_found(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "-a", "v1", "-m", "first")

    assert commit_of(repository.as_uri(), "v1") == commit
    assert commit_of(str(repository), "HEAD") == commit


def test_what_git_cannot_give_is_refused(repository: Path, home: Home, tmp_path: Path) -> None:
    url, gone = repository.as_uri(), (tmp_path / "gone").as_uri()
    drafts = [
        drafted(repository, "a", source={"git": gone, "branch": "main"}),
        drafted(repository, "b", source={"git": url, "branch": "mian"}),
        drafted(repository, "c", source={"git": url, "commit": "1" * 40}),
        drafted(repository, "d", source={"git": url, "folder": "flows"}),
    ]

    told = messages(prepared(home, *drafts))

    assert told[0].startswith(f"Deployment 'a': The repository {gone} cannot be looked at: '{tmp_path}/gone' does not")
    assert told[1] == f"Deployment 'b': The repository {url} has no branch or tag 'mian'. Did you mean 'main'?"
    assert told[2].startswith(f"Deployment 'c': The repository {url} has no commit {'1' * 40}: ")
    assert told[3] == f"Deployment 'd': There is no folder 'flows' in {url}."


def test_a_link_of_a_repository_that_leads_out_of_it_is_not_followed(
    repository: Path, home: Home, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "etl.py").write_text("from nadi import flow\n@flow\ndef etl(): ...\n")
    (repository / "out").symlink_to(outside)
    (repository / "linked.py").symlink_to(outside / "etl.py")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "links")
    url = repository.as_uri()

    told = messages(
        prepared(
            home,
            drafted(repository, "a", source={"git": url, "folder": "out"}),
            drafted(repository, "b", source={"git": url}, entrypoint="linked.py"),
        )
    )

    assert told[0] == f"Deployment 'a': The folder 'out' of {url} leads out of it by a symbolic link."
    assert told[1].startswith("Deployment 'b': The flow 'etl' lies in ")


def test_a_source_that_somebody_made_up_is_refused_where_it_would_be_fetched(home: Home) -> None:
    made_up: list[Source] = [
        GitSource(url="--upload-pack=touch /tmp/x", commit="1" * 40),
        GitSource(url="ext::sh -c id", commit="1" * 40),
        GitSource(url="https://example.org/x", commit="--force"),
        GitSource(url="file:///x", commit="1" * 40, folder="../.."),
        ArchiveSource(url="ftp://example.org/x.zip", digest="0"),
    ]

    for source in made_up:
        with pytest.raises(LoadError, match=r"^The code cannot be fetched: "):
            fetched(source, home, now=T0)


def test_code_that_nobody_uses_for_long_is_forgotten(repository: Path, home: Home) -> None:
    source = pinned(GitSource(url=repository.as_uri(), commit=""), home, now=T0)
    kept = Path(fetched(source, home, now=T0))
    (repository / "parts.py").write_text("A = 2\n")
    git(repository, "commit", "--quiet", "-am", "two")
    newer = pinned(GitSource(url=repository.as_uri(), commit=""), home, now=T0)

    fetched(newer, home, now=T0 + 31 * 86400)

    assert not kept.exists()


def packed(kind: str, file: Path, names: dict[str, bytes]) -> str:
    """Make an archive of some files; returns its URL."""
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as zipped:
            for name, content in names.items():
                zipped.writestr(name, content)
    else:
        with tarfile.open(file, "w:gz") as tarred:
            for name, content in names.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tarred.addfile(member, io.BytesIO(content))
    return file.as_uri()


@pytest.mark.parametrize(("kind", "ending"), [("tar", "tar.gz"), ("zip", "zip")])
def test_an_archive_is_known_by_its_content(kind: str, ending: str, home: Home, tmp_path: Path) -> None:
    file = tmp_path / f"code.{ending}"
    names = {"flows/etl.py": FLOW.encode(), "flows/parts.py": b"A = 1\n"}
    url = packed(kind, file, names)
    source = {"archive": url, "folder": "flows"}

    made = version(home, drafted(tmp_path, source=source))
    deployed = made.spec.source
    packed(kind, file, {**names, "flows/parts.py": b"A = 2\n"})
    changed = version(home, drafted(tmp_path, source=source))

    assert isinstance(deployed, ArchiveSource)
    assert deployed.digest != hashlib.sha256(file.read_bytes()).hexdigest()
    assert changed.digest != made.digest
    assert (Path(fetched(deployed, home, now=T0)) / "parts.py").read_text() == "A = 1\n"
    with pytest.raises(LoadError, match="is not the one that was deployed"):
        fetched(deployed, Home(tmp_path / "other home"), now=T0)


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.parametrize("name", ["../out.py", "/out.py", "a/../../out.py", "C:\\out.py"])
def test_nothing_gets_out_of_the_folder_of_an_archive(kind: str, name: str, home: Home, tmp_path: Path) -> None:
    url = packed(kind, tmp_path / ("a.zip" if kind == "zip" else "a.tar.gz"), {name: b"x"})

    with pytest.raises(LoadError, match="leads out of its folder"):
        pinned(ArchiveSource(url=url, digest=""), home, now=T0)

    assert not list(tmp_path.rglob("out.py"))


def test_an_archive_with_a_link_or_without_content_is_refused(home: Home, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "link.tar", "w") as tarred:
        member = tarfile.TarInfo("etl.py")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tarred.addfile(member)
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 nothing")

    for name, why in (("link.tar", "neither a file nor a folder"), ("broken.zip", "cannot be unpacked")):
        with pytest.raises(LoadError, match=why):
            pinned(ArchiveSource(url=(tmp_path / name).as_uri(), digest=""), home, now=T0)
    with pytest.raises(LoadError, match="cannot be fetched"):
        pinned(ArchiveSource(url=(tmp_path / "gone.zip").as_uri(), digest=""), home, now=T0)
