"""Flows of every kind that a page has to show; each is started by name: `python recorded.py training`."""

from __future__ import annotations

import math
import os
import random
import sys
import time
from typing import Any

from nadi import flow, get_run_logger, log_metric, pause_flow_run, tags, task, unmapped
from nadi.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from nadi.input import RunInput

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAKElEQVR4nGNkYPjPQApgIkk1w6gGIgET"
    "sQrhYFQDMYCJWIVwMPg0AAAjVgEfSEAj5wAAAABJRU5ErkJggg=="
)


# -- a training, as people have them --


@task
def load(source: str, rows: int) -> list[int]:
    get_run_logger().info("Reading %d rows of %s", rows, source)
    time.sleep(0.05)
    return list(range(rows))


@task(retries=3, retry_delay_seconds=0.15)
def download(part: int) -> int:
    log = get_run_logger()
    log.debug("Asking for part %d", part)
    time.sleep(0.04)
    if part % 4 == 1 and random.random() < 0.7:
        log.warning("Part %d was refused", part)
        raise ConnectionError(f"503 from the source while reading part {part}")
    return part


@task(tags=["model"])
def fit(parts: list[int], depth: int) -> float:
    log = get_run_logger()
    progress = create_progress_artifact(0.0, key=f"fit-{depth}", description=f"Fitting at depth {depth}")
    for step in range(40):
        loss = math.exp(-step / (6 + depth)) + 0.02 * random.random()
        log_metric(f"loss/depth-{depth}", loss, step=step)
        if step % 10 == 9:
            update_progress_artifact(progress, 100 * (step + 1) / 40)
            log.info("depth %d step %d \x1b[32mloss %.4f\x1b[0m", depth, step, loss)
        time.sleep(0.006)
    log_metric("accuracy", 0.8 + depth / 50, step=depth)
    return loss


@task
def choose(losses: list[float], data: list[int]) -> int:
    create_table_artifact(
        [{"depth": n + 2, "loss": round(loss, 5), "rows": len(data)} for n, loss in enumerate(losses)],
        key="comparison",
        description="Loss by depth",
    )
    create_markdown_artifact(
        "# Report\n\nThe **best** depth is chosen by its loss.\n\n| depth | loss |\n| --- | --- |\n"
        + "\n".join(f"| {n + 2} | {loss:.4f} |" for n, loss in enumerate(losses))
        + "\n\n```python\nmodel.fit(data)\n```\n\n<script>alert(1)</script> [a link](https://example.com)"
        " [a bad one](javascript:alert(1))",
        key="report",
    )
    create_link_artifact("https://example.com/model", link_text="The model", key="model")
    create_image_artifact(PICTURE, key="curve")
    return losses.index(min(losses))


@flow
def evaluate(depth: int) -> float:
    return score(load("holdout", 10), depth)


@task
def score(data: list[int], depth: int) -> float:
    time.sleep(0.03)
    return len(data) / (depth + 1)


@flow
def training(
    rows: int = 500, depths: list[int] | None = None, source: str = "warehouse", strict: bool = False
) -> float:
    """Train a model at several depths and keep the best one."""
    data = load(source, rows)
    parts = download.map(range(12))
    losses = [fit.submit(parts, depth) for depth in depths or [2, 3, 4, 5]]
    best = choose(losses, data)  # type: ignore[arg-type]  # futures are taken where values are
    return evaluate(best)


# -- what goes wrong, waits, or is odd --


@task
def check(value: int) -> int:
    if value == 3:
        raise ValueError(f"row {random.randrange(10_000)} of the import has no price")
    return value


@flow
def importing(rows: int = 8) -> list[Any]:
    """Fail in one of several rows."""
    with tags("nightly"):
        return [future.result() for future in check.map(range(rows))]


@flow
def daily(number: int = 1) -> int:
    time.sleep(random.random() / 10)
    return number


class Approval(RunInput):
    """Whether the model may be published, and why."""

    reason: str
    publish: bool = False


@flow
def release() -> str:
    """Ask somebody before publishing."""
    load("warehouse", 3)
    answer = pause_flow_run(
        wait_for_input=Approval.with_initial_data(description="May it be **published**?"), timeout=None
    )
    return answer.reason


@task
def nap(seconds: float, n: int = 0) -> int:
    time.sleep(seconds)
    return n


@flow
def long_one(seconds: float = 30.0) -> None:
    """Be RUNNING for a while, telling a line now and then."""
    log = get_run_logger()
    end = time.time() + seconds
    n = 0
    while time.time() < end:
        nap(0.2, n)
        log.info("beat %d", n)
        log_metric("beat", math.sin(n / 5), step=n)
        n += 1


@task
def item(n: int, factor: int) -> int:
    return n * factor


@flow
def wide(items: int = 10_000, lines: int = 100_000) -> int:
    """Map over many items and tell many lines."""
    log = get_run_logger()
    for line in range(lines):
        log.info("line %d of %d", line, lines)
    return sum(future.result() for future in item.map(range(items), unmapped(2)))


HOSTILE = "<script>alert('x')</script> שלום עולם 🦊 " + "very-long-" * 1000


@task(name=HOSTILE[:200])
def odd(text: str) -> str:
    get_run_logger().info("binary \x00\x01\x7f\x1b[31mred\x1b[0m \u202eright to left\u202c %s", text)
    create_markdown_artifact(f"{text}\n\n<img src=x onerror=alert(1)>", key="odd", description=text[:200])
    create_table_artifact([{"<b>name</b>": text, "n": float("nan")}], key="odd-table")
    return text


@flow(name="odd '\"flow\"' 🦊 שלום")
def hostile(text: str = HOSTILE) -> None:
    """Have names and texts that a page could trip over."""
    odd(text)
    raise RuntimeError(text)


def crash() -> None:
    @flow
    def crashing() -> None:
        load("warehouse", 1)
        os._exit(9)

    crashing()


@flow
def region(name: str) -> int:
    rows = load(name, 3)
    checked = check.map([1, 2, 3])
    for future in checked:
        future.result(raise_on_failure=False)
    return len(rows)


@flow
def regions(names: tuple[str, ...] = ("north", "south")) -> int:
    """Have subflows, in which something fails that does not fail them."""
    done = [region(name) for name in names]
    return score(done, 1)  # type: ignore[return-value]


def main() -> None:
    """Run what is named, each with arguments after a colon: `daily:3`."""
    for told in sys.argv[1:]:
        name, _, argument = told.partition(":")
        if name == "crash":
            crash()
            continue
        started: Any = globals()[name]
        value: Any = [float(argument) if "." in argument else int(argument)] if argument else []
        started(*value, return_state=True)


if __name__ == "__main__":
    main()
