"""Pages, scripts and styles."""

from __future__ import annotations

import gzip
import re
from importlib.resources import files
from pathlib import Path

import pytest

from nadi.server.static import KINDS, PLACES, Pages
from tests.server.serving import Served

STATIC = Path(str(files("nadi.server"))) / "static"
FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file())
SCRIPT = next(name for name in FILES if name.endswith(".js"))
SOURCES = sorted((Path(__file__).resolve().parents[2] / "ui" / "src").rglob("*.ts*"))
HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize(("path", "file"), [("/", "index.html"), ("/login", "index.html"), (f"/{SCRIPT}", SCRIPT)])
def test_a_page_is_served_by_its_name_without_credentials(server: Served, path: str, file: str) -> None:
    answer = server.anonymous.get(path)

    assert (answer.status, answer.body) == (200, (STATIC / file).read_bytes())
    assert answer.headers["content-type"] == KINDS[file.rpartition(".")[2]]


@pytest.mark.parametrize("path", ["/runs", "/runs/0199/logs", "/flows/a%2Fb", "/users"])
def test_the_page_is_served_to_people_at_each_of_its_places(server: Served, path: str) -> None:
    answer = server.anonymous.get(path, headers=HTML)

    assert (answer.status, answer.body) == (200, (STATIC / "index.html").read_bytes())


def test_where_there_is_nothing_people_get_the_page_and_programs_a_sentence(server: Served) -> None:
    person = server.anonymous.get("/nowhere", headers=HTML)
    program = server.anonymous.get("/nowhere")
    below_the_api = server.client.get("/api/nowhere", headers=HTML)

    assert (person.status, person.headers["content-type"]) == (404, KINDS["html"])
    assert (program.status, program.headers["content-type"]) == (404, "application/problem+json")
    assert (below_the_api.status, below_the_api.headers["content-type"]) == (404, "application/problem+json")


def test_the_page_knows_where_a_proxy_has_it() -> None:
    page = Pages("/team/nadi").start.content

    assert b'<base href="/team/nadi/" />' in page
    assert page.count(b"<base") == 1


def test_a_file_with_a_hash_in_its_name_is_kept_for_ever_and_the_page_is_asked_for_again(server: Served) -> None:
    assert server.anonymous.get(f"/{SCRIPT}").headers["cache-control"] == "public, max-age=31536000, immutable"
    assert server.anonymous.get("/").headers["cache-control"] == "no-cache"


def test_a_page_that_is_known_is_not_sent_again(server: Served) -> None:
    etag = server.anonymous.get("/icon.svg").headers["etag"]

    known = server.anonymous.get("/icon.svg", headers={"If-None-Match": f'"other", W/{etag}'})
    other = server.anonymous.get("/icon.svg", headers={"If-None-Match": '"other"'})

    assert (known.status, known.body, known.headers["etag"]) == (304, b"", etag)
    assert other.status == 200


def test_pages_are_compressed_for_those_who_take_it(server: Served) -> None:
    answer = server.anonymous.get(f"/{SCRIPT}", headers={"Accept-Encoding": "gzip"})

    assert gzip.decompress(answer.body) == (STATIC / SCRIPT).read_bytes()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_file_takes_no_other_method(server: Served, method: str) -> None:
    assert server.client.request(method, "/icon.svg").status == 405


def test_the_places_of_the_server_are_those_of_the_page() -> None:
    paths = (SOURCES[0].parents[1] / "lib" / "paths.ts").read_text(encoding="utf-8")

    assert {place.decode() for place in PLACES} == set(re.findall(r"[\"`]/([a-z]+)", paths))


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


def test_the_page_holds_no_script_or_style_of_its_own_and_loads_nothing_from_elsewhere() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8").replace('<base href="/" />', "")

    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert not re.search(r"""(?:src|href|action)=["']?(?:[a-z]+:|/)""", page)


def test_scripts_make_text_of_what_they_are_told_and_markup_only_of_what_was_sanitised() -> None:
    marking = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function")

    found = [path.name for path in SOURCES if ".test." not in path.name and marking.search(path.read_text("utf-8"))]

    assert found == []
