"""Code that lies elsewhere, in a git repository or an archive: fetched once for each commit or content.

What was fetched lies in the folder `sources` of the home, under a name made of what it is, and is never written to
again. It comes there by one rename, so that whoever finds it finds all of it, and of several who fetch the same at once
the first one counts.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from nadi.engine.archives import download, unpack
from nadi.engine.flow_lookup import closest, did_you_mean
from nadi.exceptions import LoadError
from nadi.model.code_places import (
    without_password,
    wrong_archive,
    wrong_branch,
    wrong_commit,
    wrong_git_url,
    wrong_path,
)
from nadi.model.deployments import ArchiveSource, FolderSource, GitSource, Source
from nadi.model.digests import blake2b
from nadi.model.text import one_line
from nadi.storage.home import Home, remove_tree

if TYPE_CHECKING:
    import subprocess

#: Seconds that git may take to look a branch up, and to fetch a commit.
LOOK_UP, FETCH = 30.0, 600.0
#: Seconds after which code that nobody used is removed, and what a killed process left half-fetched.
KEPT, LEFT = 30 * 86400.0, 86400.0
#: What stands for the branch that a repository has as its own.
DEFAULT_BRANCH = "HEAD"

#: Variables by which git finds a repository, set where a hook of another one calls us.
_OF_OTHER_REPOSITORIES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")


def pinned(source: Source, home: Home, *, now: float) -> Source:
    """Return a source that always is the same code: a branch as its commit of now, an archive with its digest.

    Raises:
        LoadError: it cannot be reached, or has no such branch.
    """
    if isinstance(source, GitSource) and not source.commit:
        check_source(source)
        return msgspec.structs.replace(source, commit=commit_of(source.url, source.branch or DEFAULT_BRANCH))
    if isinstance(source, ArchiveSource) and not source.digest:
        check_source(source)
        return msgspec.structs.replace(source, digest=_fetch_archive(source, home, now=now))
    return source


def fetched(source: Source, home: Home, *, now: float) -> str:
    """Return the working folder of code that is pinned; it is fetched first if it is not here.

    Args:
        source: Where it lies.
        home: The home that keeps what was fetched.
        now: Unix seconds; what nobody has used for 30 days is removed.

    Raises:
        LoadError: it cannot be fetched, is not what it was, or has no such folder.
    """
    if isinstance(source, FolderSource):
        if not os.path.isdir(source.path):
            raise LoadError(f"The folder {one_line(source.path, 200)} of the code is not there on this machine.")
        return source.path
    check_source(source)
    place = home.sources / place_name(source)
    if not place.is_dir():
        if isinstance(source, GitSource):
            _fetch_commit(source, home, place, now=now)
        else:
            _fetch_archive(source, home, now=now)
    with contextlib.suppress(OSError):
        os.utime(place, (now, now))
    return _folder_in(place, source.folder, without_password(source.url))


def check_source(source: Source) -> None:
    """Raise if an address, branch or folder is one that must not be used; who deploys from afar may say anything.

    Raises:
        LoadError: it is.
    """
    if isinstance(source, GitSource):
        _refuse("git", wrong_git_url(source.url))
        _refuse("branch", wrong_branch(source.branch) if source.branch else "")
        _refuse("commit", wrong_commit(source.commit) if source.commit else "")
    elif isinstance(source, ArchiveSource):
        _refuse("archive", wrong_archive(source.url))
    if not isinstance(source, FolderSource):
        _refuse("folder", wrong_path(source.folder) if source.folder else "")


def _refuse(what: str, wrong: str) -> None:
    if wrong:
        raise LoadError(f"The code cannot be fetched: {what} {wrong}.")


def place_name(source: GitSource | ArchiveSource) -> str:
    """Return the name under which the code of a pinned source is kept."""
    if isinstance(source, GitSource):
        return f"git-{blake2b(source.url.encode(), digest_size=6).hexdigest()}-{source.commit}"
    return f"archive-{source.digest}"


# -- git --


def commit_of(url: str, branch: str) -> str:
    """Return the commit that a branch or tag of a repository is at; of `HEAD`, that of its own branch.

    Raises:
        LoadError: the repository cannot be reached, or has no such branch or tag.
    """
    if branch == DEFAULT_BRANCH:
        wanted = [branch]
    else:
        wanted = [f"refs/heads/{branch}", f"refs/tags/{branch}^{{}}", f"refs/tags/{branch}"]
    found = _references(url, wanted)
    commit = next((found[name] for name in wanted if name in found), None)
    if commit is not None:
        return commit
    known = [name.removeprefix("refs/heads/") for name in _references(url, ["refs/heads/*"])]
    raise LoadError(
        f"The repository {without_password(url)} has no branch or tag {branch!r}.{did_you_mean(closest(branch, known))}"
    )


def _references(url: str, wanted: list[str]) -> dict[str, str]:
    told = _git(["ls-remote", "--", url, *wanted], "looked at", url, timeout=LOOK_UP)
    lines = (line.split("\t", 1) for line in told.splitlines() if "\t" in line)
    return {name: commit for commit, name in lines if not wrong_commit(commit)}


def _fetch_commit(source: GitSource, home: Home, place: Path, *, now: float) -> None:
    with _room(home, now) as room:
        tree = room / "tree"
        tree.mkdir()
        here = ["-C", str(tree)]
        _git([*here, "init", "--quiet"], "fetched", source.url)
        try:
            _git([*here, "fetch", "--quiet", "--depth=1", "--no-tags", "--", source.url, source.commit], "", source.url)
        except LoadError:
            # Old servers give single commits only where a branch is at them.
            everything = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
            _git([*here, "fetch", "--quiet", "--", source.url, *everything], "fetched", source.url)
        told = f"The repository {without_password(source.url)} has no commit {source.commit}"
        _git([*here, "checkout", "--quiet", "--force", "--detach", source.commit, "--"], "", source.url, told=told)
        _put(tree, place)


def _git(words: list[str], what: str, url: str, *, timeout: float = FETCH, told: str = "") -> str:
    """Run git and return what it prints; the error says that the repository could not be `what`, or `told`."""
    import subprocess  # slow to import, and only needed where code lies elsewhere

    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", *words]
    told = told or f"The repository {without_password(url)} cannot be {what}"
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=_environment(), timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise LoadError(f"{told}: git did not end within {timeout:g} seconds.") from None
    except OSError as error:
        raise LoadError(f"{told}: git cannot be started ({error.strerror}). Install it.") from None
    if done.returncode != 0:
        raise LoadError(f"{told}: {_last_words(done)}.")
    return done.stdout.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OF_OTHER_REPOSITORIES}
    # Nobody is there to type a password.
    kept |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh", "LC_ALL": "C"}
    kept.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    return kept


def _last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    told = (fatal or lines or [f"git ended with status {done.returncode}"])[0]
    return one_line(told.removeprefix("fatal: ").removeprefix("error: ").rstrip("."), 300)


# -- archives --


def _fetch_archive(source: ArchiveSource, home: Home, *, now: float) -> str:
    """Fetch an archive and keep what is in it; returns its digest."""
    with _room(home, now) as room:
        file, tree = room / "archive", room / "tree"
        digest = download(source.url, file)
        if source.digest and digest != source.digest:
            raise LoadError(
                f"The archive {source.url} is not the one that was deployed: its SHA-256 is {digest}, and was"
                f" {source.digest}. Deploy it anew, or put the old one back."
            )
        place = home.sources / place_name(msgspec.structs.replace(source, digest=digest))
        if not place.is_dir():
            tree.mkdir()
            unpack(file, tree, source.url)
            _put(tree, place)
        return digest


# -- the folder of what was fetched --


@contextmanager
def _room(home: Home, now: float) -> Iterator[Path]:
    """Give a folder to fetch into, and remove it with what is left in it."""
    try:
        sources = home.ensure(home.sources)
        _forget_unused(sources, now)
        room = Path(tempfile.mkdtemp(prefix=".fetching-", dir=sources))
    except OSError as error:
        raise LoadError(f"Code cannot be kept in {home.sources}: {error.strerror}.") from None
    try:
        yield room
    finally:
        remove_tree(room)


def _put(tree: Path, place: Path) -> None:
    try:
        tree.rename(place)
    except OSError as error:
        if not place.is_dir():  # else somebody else was faster, with the same
            raise LoadError(f"Code cannot be kept in {place}: {error.strerror}.") from None


def _forget_unused(sources: Path, now: float) -> None:
    for entry in list(os.scandir(sources)):
        with contextlib.suppress(OSError):
            age = now - entry.stat(follow_symlinks=False).st_mtime
            if age > (LEFT if entry.name.startswith(".fetching-") else KEPT):
                remove_tree(Path(entry.path))


def _folder_in(place: Path, folder: str, url: str) -> str:
    root = os.path.realpath(place)
    found = os.path.realpath(os.path.join(root, folder))
    if found != root and not found.startswith(root + os.sep):
        raise LoadError(f"The folder {folder!r} of {url} leads out of it by a symbolic link.")
    if not os.path.isdir(found):
        raise LoadError(f"There is no folder {folder!r} in {url}.")
    return found
