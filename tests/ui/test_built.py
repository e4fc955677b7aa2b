"""What is served is what `ui/` says."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

from tests.ui.browsing import CHECKOUT, UI

STATIC = CHECKOUT / "src" / "nadi" / "server" / "static"

#: Bytes of scripts that the first page loads, compressed.
FIRST_SCRIPTS = 200_000


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_built_files_in_the_package_are_those_that_the_source_builds(tmp_path: Path) -> None:
    subprocess.run(
        ["npx", "vite", "build", "--logLevel", "warn", "--outDir", str(tmp_path / "built")], cwd=UI, check=True
    )

    built, kept = files_below(tmp_path / "built"), files_below(STATIC)

    changed = sorted(name for name in built.keys() | kept.keys() if built.get(name) != kept.get(name))
    assert changed == [], "run `make ui`, and commit what it builds"


def test_the_types_of_the_api_are_those_that_the_server_describes(tmp_path: Path) -> None:
    described = subprocess.run(
        [str(CHECKOUT / ".venv" / "bin" / "python"), "scripts/describe_api.py"], cwd=UI, check=True, capture_output=True
    )
    (tmp_path / "openapi.json").write_bytes(described.stdout)
    made = tmp_path / "api-types.ts"

    subprocess.run(
        ["npx", "openapi-typescript", str(tmp_path / "openapi.json"), "-o", str(made)],
        cwd=UI,
        check=True,
        capture_output=True,
    )

    kept = UI / "src" / "lib" / "api-types.ts"
    assert made.read_text(encoding="utf-8") == kept.read_text(encoding="utf-8"), "run `make ui`, and commit it"


def test_the_first_page_loads_few_scripts() -> None:
    entry = re.findall(r'src="\./(assets/[^"]+\.js)"|modulepreload[^>]*href="\./(assets/[^"]+\.js)"', _start())
    scripts = {name for pair in entry for name in pair if name}
    loaded: set[str] = set()
    while scripts - loaded:
        name = (scripts - loaded).pop()
        loaded.add(name)
        text = (STATIC / name).read_text(encoding="utf-8")
        scripts |= {f"assets/{other}" for other in re.findall(r'(?:from|import)"\./([^"]+\.js)"', text)}

    size = sum(len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in loaded)

    assert 0 < size <= FIRST_SCRIPTS, f"{size:,} bytes in {sorted(loaded)}"


def test_the_page_asks_no_other_host_for_anything() -> None:
    told = _start() + "".join(path.read_text(encoding="utf-8") for path in (STATIC / "assets").glob("*.css"))

    assert not re.search(r"""(?:src|href)=["'](?:[a-z]+:)?//|url\(["']?(?:[a-z]+:)?//|@import""", told)


def _start() -> str:
    return (STATIC / "index.html").read_text(encoding="utf-8")
