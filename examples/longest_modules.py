"""Map and reduce over real files: which modules of Python's own library have the most lines?

With parameters: `nadi run examples/longest_modules.py -p pattern='a*.py' -p top=3`
"""

import sysconfig
from pathlib import Path

from nadi import flow, get_run_logger, task
from nadi.artifacts import create_table_artifact


@task
def count_lines(path: Path) -> int:
    with open(path, "rb") as file:
        return sum(1 for _ in file)


@task
def rank(paths: list[Path], counts: list[int], top: int) -> list[tuple[str, int]]:
    by_length = sorted(zip(paths, counts, strict=True), key=lambda pair: -pair[1])
    longest = [(path.name, count) for path, count in by_length[:top]]
    create_table_artifact(key="longest-modules", table=[{"module": name, "lines": count} for name, count in longest])
    return longest


@flow
def longest_modules(folder: Path | None = None, pattern: str = "*.py", top: int = 5) -> list[tuple[str, int]]:
    """Rank the files of a folder by their number of lines.

    Args:
        folder: Where to look; by default Python's standard library.
        pattern: Which files.
        top: How many to report.
    """
    paths = sorted((folder or Path(sysconfig.get_path("stdlib"))).glob(pattern))
    get_run_logger().info("%d files", len(paths))
    return rank(paths, count_lines.map(paths).result(), top)


if __name__ == "__main__":
    for name, lines in longest_modules():
        print(f"{lines:6} {name}")
