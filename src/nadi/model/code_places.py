"""Where code may lie that is deployed: paths, git addresses, names of branches, addresses of archives.

Each function says what is wrong with a text, as the rest of a sentence that begins with what it is; "" when it is fine.
What is deployed is run by workers, maybe of other people, so nothing may pass here that a program could take for an
option or a command, that leads out of its folder, or that is a secret.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from nadi.model.text import safe_repr

#: How an address of a git repository may begin.
GIT_SCHEMES = ("https", "http", "ssh", "git", "file")
#: How an address of an archive may begin.
ARCHIVE_SCHEMES = ("https", "http", "file")
#: How the name of an archive may end.
ARCHIVE_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
#: `user@host:path`, as ssh has it.
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!:)[^\s]+")
#: What git refuses in the name of a branch or tag, and what a shell could take for something else.
_NOT_IN_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock(?:/|$)|\.$|/$|^/|(?:^|/)\.")


def wrong_path(path: str) -> str:
    """Say what is wrong with a path that is to lie in the folder of the code."""
    if not path or "\0" in path:
        return "is empty" if not path else "has a zero byte in it"
    if path.startswith(("/", "~", "\\")) or re.match(r"[A-Za-z]:[\\/]", path):
        return f"is {safe_repr(path)}, which is absolute; expected a path that starts from the folder of the code"
    if ".." in re.split(r"[\\/]", path):
        return f"is {safe_repr(path)}, which has `..` in it; expected a path that stays in the folder of the code"
    if path.startswith("-"):
        return f"is {safe_repr(path)}, which looks like an option; write ./{path}"
    return ""


def wrong_git_url(url: str) -> str:
    """Say what is wrong with the address of a git repository."""
    told = safe_repr(without_password(url))
    if not url or url.startswith("-"):
        return f"is {told}, which looks like an option" if url else "is empty"
    if any(letter.isspace() or ord(letter) < 32 for letter in url):
        return f"is {told}, which has a space or a control character in it"
    if "::" in url.split("/")[0]:
        return f"is {told}, which names a program to run; expected an address that begins with {_list(GIT_SCHEMES)}"
    scheme, colon, _ = url.partition("://")
    if colon:
        return _wrong_address(url, scheme, GIT_SCHEMES, told)
    if url.startswith("/") or _SCP.fullmatch(url):
        return ""
    return f"is {told}; expected an address such as https://host/path.git or git@host:path.git, or an absolute path"


def wrong_branch(branch: str) -> str:
    """Say what is wrong with the name of a branch or tag."""
    told = safe_repr(branch)
    if not branch:
        return "is empty"
    if branch.startswith("-"):
        return f"is {told}, which looks like an option; expected the name of a branch or tag"
    if _NOT_IN_BRANCH.search(branch) or branch == "@":
        return f"is {told}, which git does not allow; expected the name of a branch or tag"
    return ""


def wrong_commit(commit: str) -> str:
    """Say what is wrong with a commit."""
    if _COMMIT.fullmatch(commit):
        return ""
    return f"is {safe_repr(commit)}; expected all 40 digits of a commit, as `git rev-parse` prints them"


def wrong_archive(url: str) -> str:
    """Say what is wrong with the address of an archive."""
    told = safe_repr(without_password(url))
    scheme, colon, _ = url.partition("://")
    if not colon or any(letter.isspace() or ord(letter) < 32 for letter in url):
        return f"is {told}; expected an address that begins with {_list(ARCHIVE_SCHEMES)}"
    wrong = _wrong_address(url, scheme, ARCHIVE_SCHEMES, told)
    if wrong or urlsplit(url).path.lower().endswith(ARCHIVE_ENDINGS):
        return wrong
    return f"is {told}; expected an archive whose name ends in {', '.join(ARCHIVE_ENDINGS)}"


def _wrong_address(url: str, scheme: str, known: tuple[str, ...], told: str) -> str:
    if scheme not in known:
        return f"is {told}; expected an address that begins with {_list(known)}"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return f"is {told}, which is no address"
    if parts.password or (parts.username and scheme in ("https", "http")):
        return (
            f"is {told}, which has a secret in it, and everybody who may read deployments would see that;"
            " let git ask its credential helper, or use a deploy key"
        )
    if host.startswith("-") or (parts.username or "").startswith("-") or (not host and scheme != "file"):
        return f"is {told}, whose host is missing or looks like an option"
    if scheme == "file" and (host not in ("", "localhost") or not parts.path.startswith("/")):
        return f"is {told}; a file is told as file:///path"
    return ""


def without_password(url: str) -> str:
    """Return an address without what stands before its host, where that may be a secret."""
    scheme, colon, rest = url.partition("://")
    if not colon:
        return url
    host, slash, path = rest.partition("/")
    user, at, host_alone = host.rpartition("@")
    if not at or (scheme == "ssh" and ":" not in user):
        return url
    return f"{scheme}://***@{host_alone}{slash}{path}"


def _list(schemes: tuple[str, ...]) -> str:
    return ", ".join(f"{scheme}://" for scheme in schemes[:-1]) + f" or {schemes[-1]}://"
