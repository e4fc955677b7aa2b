"""Pages, scripts and styles."""

from __future__ import annotations

import gzip
import re
from importlib.resources import files
from pathlib import Path

import pytest

from nadi.server.static import KINDS, Pages
from tests.server.serving import Served

STATIC = Path(str(files("nadi.server"))) / "static"
FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file())


@pytest.mark.parametrize(("path", "file"), [("/", "index.html"), ("/login", "login.html"), ("/start.js", "start.js")])
def test_a_page_is_served_by_its_name_without_credentials(server: Served, path: str, file: str) -> None:
    answer = server.anonymous.get(path)

    assert (answer.status, answer.body) == (200, (STATIC / file).read_bytes())
    assert answer.headers["content-type"] == KINDS[file.rpartition(".")[2]]


def test_a_page_that_is_known_is_not_sent_again(server: Served) -> None:
    etag = server.anonymous.get("/style.css").headers["etag"]

    known = server.anonymous.get("/style.css", headers={"If-None-Match": f'"other", W/{etag}'})
    other = server.anonymous.get("/style.css", headers={"If-None-Match": '"other"'})

    assert (known.status, known.body, known.headers["etag"]) == (304, b"", etag)
    assert other.status == 200


def test_pages_are_compressed_for_those_who_take_it(server: Served) -> None:
    answer = server.anonymous.get("/style.css", headers={"Accept-Encoding": "gzip"})

    assert gzip.decompress(answer.body) == (STATIC / "style.css").read_bytes()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_file_takes_no_other_method(server: Served, method: str) -> None:
    assert server.client.request(method, "/style.css").status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/../app.py",
        "/..%2fapp.py",
        "/%2e%2e/app.py",
        "/static/style.css",
        "/./style.css",
        "//style.css",
        "/style.css/",
        "/style.css%00",
        "/STYLE.CSS",
        "/etc/passwd",
        "/index.html/..",
        "/__init__.py",
    ],
)
def test_no_path_leads_to_anything_but_the_files_of_the_table(path: str) -> None:
    assert Pages().find(path.encode()) is None


def test_every_file_is_in_the_table_and_of_a_kind_that_is_known() -> None:
    assert {Path(name).suffix[1:] for name in FILES} <= set(KINDS)
    assert len(FILES) == len(Pages())


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".html")])
def test_pages_hold_no_script_or_style_of_their_own_and_load_nothing_from_elsewhere(name: str) -> None:
    page = (STATIC / name).read_text(encoding="utf-8")

    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert not re.search(r"""(?:src|href|action)=["']?(?:[a-z]+:|/)""", page)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
def test_scripts_make_text_of_what_they_are_told_and_never_markup(name: str) -> None:
    script = (STATIC / name).read_text(encoding="utf-8")

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)
