"""Every code block of README.md and docs/ is run as it stands. What the info string of a block says:

``python``            The python blocks of a page run in order, as one script, in a folder of their own.
``python file=NAME``  The block is written to NAME in that folder; a later ``console run`` block has to use it.
                      ``toml file=NAME`` is, too.
``python no-run``     Not run. The line above the block tells why: ``<!-- not run: it needs a cluster -->``.
``console run``       After the script, the lines that begin with ``$ `` are run there; they may call nadi and python.
                      ``console run exit=1``: the last of them ends with status 1, the others with 0.

Blocks in other languages, and ``console`` alone, are for the reader only.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

#: Seconds that one script or command of a page may take; less than what a test may take.
PATIENCE = 50.0

FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,}|~{3,}) *(?P<info>[^`]*)")
REASON = re.compile(r" *<!-- not run: .+ -->")


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is that of its first line of code, counted from 1."""

    language: str
    words: dict[str, str]
    line: int
    code: list[str]
    above: str


class PageError(AssertionError):
    """A page says what is not so: which page, which line, what happened."""

    def __init__(self, page: Path, line: int, what: str) -> None:
        super().__init__(f"{page}:{line}: {what}")


def blocks(page: Path) -> list[Block]:
    found: list[Block] = []
    fence, above, indent = "", "", 0
    for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if fence:
            if text.strip() == fence:
                fence = ""
            else:
                found[-1].code.append(text[indent:] if text[:indent].isspace() else text)
        elif opened := FENCE.fullmatch(text):
            fence, indent = opened["fence"], len(opened["indent"])
            language, *words = opened["info"].split() or [""]
            pairs = (word.partition("=") for word in words)
            found.append(Block(language, {key: value for key, _, value in pairs}, number + 1, [], above))
        if text.strip():
            above = text
    if fence:
        raise PageError(page, found[-1].line - 1, "this block is never closed")
    return found


def run_page(page: Path, folder: Path) -> None:
    """Run all that a page says can be run, in `folder`, and raise PageError where it fails."""
    found = blocks(page)
    for block in found:
        check_words(page, block)
    # The folder may lie inside this checkout, whose own pytest settings are not meant for the pages.
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for block in found:
        if "file" in block.words:
            written = folder / block.words["file"]
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_text(with_lines_of_page([block]), encoding="utf-8")
    script = [block for block in found if block.language == "python" and not block.words]
    if script:
        (folder / "page.py").write_text(with_lines_of_page(script), encoding="utf-8")
        run(page, script[0].line, [sys.executable, "page.py"], folder, expected=0)
    for block in found:
        if block.language == "console" and "run" in block.words:
            run_console(page, block, folder)


def check_words(page: Path, block: Block) -> None:
    allowed = {"python": [set(), {"file"}, {"no-run"}], "console": [set(), {"run"}, {"run", "exit"}]}
    allowed["toml"] = [set(), {"file"}]
    if set(block.words) not in allowed.get(block.language, [set(block.words)]):
        raise PageError(page, block.line - 1, f"`{' '.join(block.words)}` means nothing here; see tests/test_docs.py")
    if "no-run" in block.words and not REASON.fullmatch(block.above):
        raise PageError(page, block.line - 1, "the line above has to tell why: <!-- not run: REASON -->")
    if "file" in block.words and not is_used(block.words["file"], page):
        raise PageError(page, block.line - 1, f"no `console run` block uses {block.words['file']}, so it never runs")


def is_used(file: str, page: Path) -> bool:
    commands = [
        line
        for block in blocks(page)
        if block.language == "console" and "run" in block.words
        for line in block.code
        if line.startswith("$ ")
    ]
    return any(file in command for command in commands)


def with_lines_of_page(several: list[Block]) -> str:
    """The code of some blocks, each line at the number it has in the page, so that tracebacks name that."""
    lines: list[str] = []
    for block in several:
        lines += [""] * (block.line - 1 - len(lines)) + block.code
    return "\n".join([*lines, ""])


def run_console(page: Path, block: Block, folder: Path) -> None:
    typed = [(block.line + at, text[2:]) for at, text in enumerate(block.code) if text.startswith("$ ")]
    for line, text in typed:
        command, *arguments = shlex.split(text, comments=True)
        if command not in {"nadi", "python"}:
            raise PageError(page, line, f"`{command}` cannot be run here, only nadi and python")
        last = line == typed[-1][0]
        run(page, line, [program(command), *arguments], folder, expected=int(block.words.get("exit", 0)) if last else 0)


def program(command: str) -> str:
    beside = shutil.which(command, path=str(Path(sys.executable).parent))
    assert beside, f"`{command}` is not installed beside {sys.executable}; `make test` installs it"
    return beside


def run(page: Path, line: int, command: list[str], folder: Path, *, expected: int) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NADI_")}
    environ |= {"HOME": str(folder), "NADI_HOME": str(folder / ".nadi"), "PYTHONPATH": str(ROOT / "src")}
    environ |= {"NO_COLOR": "1", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise PageError(page, line, f"{shlex.join(command[1:])} did not end within {PATIENCE} s") from late
    if done.returncode != expected:
        # The last line of the page that the traceback names; the script and the page number their lines alike.
        named = re.findall(r'File "[^"]*page\.py", line (\d+)', done.stderr)
        ended = f"{shlex.join(command[1:])} ended with status {done.returncode}, not {expected}"
        raise PageError(page, int(named[-1]) if named else line, f"{ended}\n{done.stdout}\n{done.stderr}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_code_of_a_page_runs_as_it_stands(page: Path, tmp_path: Path) -> None:
    # A checkout of its own, wherever temporary files lie: `nadi check --here` looks for the one around it.
    (tmp_path / ".git").mkdir()

    run_page(page, tmp_path)


LINK = re.compile(r"\]\((?!\w+:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")


def anchors(page: Path) -> set[str]:
    """What links to places in a page may end with: its headings, as the usual renderers write them."""
    code = {line for block in blocks(page) for line in block.code}
    headings = [line for line in page.read_text(encoding="utf-8").splitlines() if re.match("#+ ", line)]
    bare = [re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()) for line in headings if line not in code]
    return {text.replace(" ", "-") for text in bare}


def dead_links(page: Path) -> list[str]:
    """The links of a page to other files, or to places in one, that are not there."""
    dead = []
    for found in LINK.finditer(page.read_text(encoding="utf-8")):
        target = (page.parent / found["path"]).resolve() if found["path"] else page
        if not target.exists() or (found["anchor"] and found["anchor"] not in anchors(target)):
            dead.append(found[0])
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert dead_links(page) == []


def test_a_link_to_a_heading_that_is_not_there_is_found(tmp_path: Path) -> None:
    page = a_page(tmp_path, "# One title\n\n[there](#one-title), [gone](#two), [lost](lost.md), [far](https://a.b/c)\n")

    assert dead_links(page) == ["](#two)", "](lost.md)"]


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / found["path"]).resolve() for found in LINK.finditer(index.read_text(encoding="utf-8"))}

    missing = {page for page in PAGES if page.is_relative_to(index.parent)} - linked - {index}

    assert missing == set()


def a_page(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_the_python_blocks_of_a_page_are_one_script(tmp_path: Path) -> None:
    page = a_page(tmp_path, "```python\nx = 1\n```\n\n1. then\n\n   ```python\n   assert x == 1\n   ```\n")

    run_page(page, tmp_path)


def test_a_block_that_fails_is_named_by_page_and_line(tmp_path: Path) -> None:
    page = a_page(tmp_path, "# Title\n\n```python\nx = 1\n```\n\n```python\n\nassert x == 2\n```\n")

    with pytest.raises(PageError, match=r"page\.md:9: page\.py ended with status 1"):
        run_page(page, tmp_path)


def test_a_block_is_left_out_only_with_a_reason(tmp_path: Path) -> None:
    block = "```python no-run\n1 / 0\n```\n"

    run_page(a_page(tmp_path, f"<!-- not run: it shows a mistake -->\n\n{block}"), tmp_path)
    with pytest.raises(PageError, match="has to tell why"):
        run_page(a_page(tmp_path, f"Some text.\n\n{block}"), tmp_path)


def test_a_misspelt_word_after_the_language_is_an_error(tmp_path: Path) -> None:
    page = a_page(tmp_path, "```python norun\n1 / 0\n```\n")

    with pytest.raises(PageError, match="`norun` means nothing here"):
        run_page(page, tmp_path)


def test_a_command_finds_the_files_that_the_page_wrote(tmp_path: Path) -> None:
    page = a_page(
        tmp_path,
        "```python file=etl.py\nraise SystemExit(3)\n```\n\n```console run exit=3\n$ python etl.py\nsome output\n```\n",
    )

    run_page(page, tmp_path)


def test_a_command_that_fails_is_named_by_page_and_line(tmp_path: Path) -> None:
    page = a_page(tmp_path, "```console run\n$ python -c 'print(1)'\n1\n$ python -c 'raise SystemExit(4)'\n```\n")

    with pytest.raises(PageError, match=r"page\.md:4: .* ended with status 4, not 0"):
        run_page(page, tmp_path)


def test_a_file_that_no_command_uses_is_an_error(tmp_path: Path) -> None:
    page = a_page(tmp_path, "```python file=etl.py\n1 / 0\n```\n")

    with pytest.raises(PageError, match=r"no `console run` block uses etl\.py"):
        run_page(page, tmp_path)
