"""Which model suits which data? Fetches three real data sets, compares models on each, and reports the best.

`make demo` runs it. By hand, once that has left its data there: `nadi run examples/demo/flow.py -p source=.demo/data`
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from nadi import flow, log_metric, task
from nadi.artifacts import create_image_artifact, create_markdown_artifact, create_table_artifact
from nadi.cache_policies import INPUTS, TASK_SOURCE
from nadi.executors import ThreadExecutor

#: What is tried: the model, the one setting that is varied, and its values.
SEARCH: dict[str, tuple[str, list[float]]] = {
    "logistic regression": ("C", [0.01, 0.1, 1.0, 10.0]),
    "support vectors": ("C", [0.1, 1.0, 10.0, 100.0]),
    "random forest": ("max_depth", [2, 4, 8, 16]),
    "nearest neighbours": ("n_neighbors", [1, 3, 7, 15]),
}
FOLDS = 5


@dataclass(frozen=True)
class Table:
    """A data set that was checked: one row of numbers and one class for each sample."""

    name: str
    columns: list[str]
    rows: np.ndarray[Any, Any]
    classes: np.ndarray[Any, Any]


@dataclass(frozen=True)
class Score:
    """How well one model did on one data set."""

    data: str
    model: str
    setting: str
    value: float
    accuracy: float
    spread: float

    def __str__(self) -> str:
        return f"{self.model}, {self.setting}={self.value:g}: {self.accuracy:.3f}"


# -- tasks: each is recorded, and none runs again once it is finished --


@task(retries=3, retry_delay_seconds=0.5)
def fetch(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


@task(task_run_name="check {name}")
def check(name: str, text: str) -> Table:
    """Refuse a table with missing values, uneven rows or a class too small to learn."""
    header, *lines = list(csv.reader(io.StringIO(text)))
    if uneven := [number for number, line in enumerate(lines, start=2) if len(line) != len(header)]:
        raise ValueError(f"{name}: line {uneven[0]} does not have {len(header)} columns")
    if empty := [number for number, line in enumerate(lines, start=2) if "" in line]:
        raise ValueError(f"{name}: line {empty[0]} has a missing value")
    classes = Counter(line[-1] for line in lines)
    rarest, count = classes.most_common()[-1]
    if count < 2 * FOLDS:
        raise ValueError(f"{name}: class {rarest} has only {count} samples")
    print(f"{name}: {len(lines)} samples, {len(header) - 1} columns, {len(classes)} classes, rarest {count}")
    rows = np.array([[float(cell) for cell in line[:-1]] for line in lines])
    return Table(name, header[:-1], rows, np.array([line[-1] for line in lines]))


@task(task_run_name="prepare {table.name}", cache_policy=INPUTS + TASK_SOURCE)
def prepare(table: Table) -> Table:
    """Keep the columns that tell something of the class. The next run with the same table takes the result over."""
    tells = mutual_info_classif(table.rows, table.classes, random_state=0) > 0
    print(f"{table.name}: {tells.sum()} of {len(tells)} columns tell something of the class")
    return replace(table, columns=np.array(table.columns)[tells].tolist(), rows=table.rows[:, tells])


@task(task_run_name="{table.name}, {model} {value}")
def evaluate(table: Table, model: str, value: float) -> Score:
    """Cross-validate one model with one setting on one data set."""
    accuracies = cross_val_score(build(model, value), table.rows, table.classes, cv=FOLDS)
    for fold, accuracy in enumerate(accuracies):
        log_metric("accuracy", float(accuracy), step=fold)
    score = Score(table.name, model, SEARCH[model][0], value, float(accuracies.mean()), float(accuracies.std()))
    print(f"accuracy {score.accuracy:.3f} \N{PLUS-MINUS SIGN} {score.spread:.3f}")
    return score


@task(task_run_name="draw {table.name}")
def draw(table: Table, best: Score) -> int:
    """Draw where the best model errs; returns the number of errors."""
    guesses = cross_val_predict(build(best.model, best.value), table.rows, table.classes, cv=FOLDS)
    labels = sorted(set(table.classes.tolist()))
    counts: list[list[int]] = confusion_matrix(table.classes, guesses, labels=labels).tolist()
    create_image_artifact(
        image=picture(counts, labels, title=f"{table.name}: {best}"),
        key=f"confusion-{table.name}",
        description="True class by predicted class",
    )
    return int((guesses != table.classes).sum())


@task
def report(tried: list[Score], best: list[Score], errors: list[int]) -> str:
    """Record all results as a table, and the winners as a page to read."""
    create_table_artifact(
        key="results",
        table=[vars(score) for score in sorted(tried, key=lambda score: (score.data, -score.accuracy))],
        description=f"Mean accuracy over {FOLDS} folds",
    )
    lines = ["# Best models", "", "| data | model | accuracy | errors |", "| --- | --- | --- | --- |"]
    for score, wrong in zip(best, errors, strict=True):
        lines.append(f"| {score.data} | {score.model} | {score.accuracy:.3f} | {wrong} |")
        log_metric(f"best {score.data}", score.accuracy)
    page = "\n".join(lines)
    create_markdown_artifact(key="best-models", markdown=page)
    return page


# -- the flow: plain Python --


@flow(log_prints=True, executor=ThreadExecutor(max_workers=4))
def compare_models(
    source: str,
    data: tuple[str, ...] = ("breast-cancer", "digits", "wine"),
    good_enough: float = 0.98,
) -> dict[str, str]:
    """Find the best model for each data set.

    Args:
        source: Folder, or URL of one, with `<name>.csv` for each name in `data`; the last column is the class.
        data: Names of the data sets.
        good_enough: A best model less accurate than this gets a finer search around it.
    """
    folder = source if "://" in source else Path(source).resolve().as_uri()
    texts = fetch.map([f"{folder}/{name}.csv" for name in data])
    tables = prepare.map(check.map(data, texts).result()).result()

    tried = search(tables, {name: values for name, (_, values) in SEARCH.items()})
    best = [max((score for score in tried if score.data == table.name), key=rank) for table in tables]

    for place, (table, leader) in enumerate(zip(tables, best, strict=True)):
        if leader.accuracy < good_enough:
            print(f"{table.name}: {leader} is not good enough yet; looking closer")
            finer = search([table], {leader.model: around(leader.value)})
            best[place] = max([leader, *finer], key=rank)
            tried += finer

    errors = draw.map(tables, best).result()
    report(tried, best, errors)
    return {score.data: str(score) for score in best}


def search(tables: Iterable[Table], values: dict[str, list[float]]) -> list[Score]:
    """Evaluate every model with each of its values on every table, side by side."""
    calls = [(table, model, value) for table in tables for model, listed in values.items() for value in listed]
    chosen, models, settings = zip(*calls, strict=True)
    return evaluate.map(chosen, models, settings).result()


def build(model: str, value: float) -> Any:
    chosen = {
        "logistic regression": lambda: LogisticRegression(C=value, max_iter=1000),
        "support vectors": lambda: SVC(C=value),
        "random forest": lambda: RandomForestClassifier(n_estimators=60, max_depth=int(value), random_state=0),
        "nearest neighbours": lambda: KNeighborsClassifier(n_neighbors=int(value)),
    }[model]()
    return make_pipeline(StandardScaler(), chosen)


def around(value: float) -> list[float]:
    """Values near one that did well, of its own kind."""
    if isinstance(value, int):
        return sorted({max(1, value - 1), value + 1, value + 2, value * 2})
    return [value * factor for factor in (0.3, 0.5, 2, 3)]


def rank(score: Score) -> float:
    return score.accuracy


# -- a confusion matrix as a picture, without a plotting library --


def picture(counts: list[list[int]], labels: list[str], *, title: str) -> bytes:
    """Return an SVG: a row for each true class, a column for each predicted one."""
    cell, left, top = 44, 110, 70
    parts: list[str] = []

    def write(x: float, y: float, text: object, anchor: str = "middle", colour: str = "#333") -> None:
        place = f'x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}" font-size="13"'
        parts.append(f"<text {place}>{escape(str(text))}</text>")

    write(16, 28, title, "start")
    for row, (label, line) in enumerate(zip(labels, counts, strict=True)):
        y = top + row * cell
        write(left - 10, y + 27, label, "end")
        write(left + row * cell + 21, top - 10, label)
        for column, count in enumerate(line):
            share = count / max(1, sum(line))
            colour, strength = "#2f6fab" if row == column else "#c0392b", 0.04 + 0.96 * share**0.5
            place = f'x="{left + column * cell}" y="{y}" width="{cell - 2}" height="{cell - 2}"'
            parts.append(f'<rect {place} fill="{colour}" fill-opacity="{strength:.2f}"/>')
            if count:
                write(left + column * cell + 21, y + 27, count, colour="white" if share > 0.2 else "#333")
    size = f'width="{max(480, left + len(labels) * cell + 20)}" height="{top + len(labels) * cell + 20}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">{"".join(parts)}</svg>'.encode()
