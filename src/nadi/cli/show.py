"""`nadi show`: one run, with what it did and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click
import msgspec

from nadi.cli.output import (
    ago,
    bold,
    cell_width,
    coarse,
    columns,
    dim,
    fit,
    local_time,
    on_terminal,
    paragraph,
    say,
    say_json,
    state_text,
)
from nadi.cli.reading import RUN, run_for_reading
from nadi.engine.explaining import not_resumable
from nadi.engine.resuming import source_of
from nadi.engine.shapes import (
    DetailsShape,
    MetricShape,
    artifact_shape,
    attempt_shape,
    last_values,
    run_shape,
    task_shape,
)
from nadi.model.names import told_for_shell
from nadi.model.runs import Artifact, Attempt, FlowRun, Metric, TaskRun
from nadi.model.states import StateType
from nadi.model.text import one_line, plural, shorten
from nadi.storage.contract import Store

_EXAMPLES = """\b
Examples:
  nadi show brave-otter-7
  nadi show 0199f3c2-8d1e --json
"""

#: The most groups of tasks, failures, and reasons for running again, that are listed; JSON has all of them.
MOST_GROUPS = 40
MOST_FAILURES = 8
MOST_REASONS = 8


@click.command(epilog=_EXAMPLES)
@click.argument("run", type=RUN)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every task.")
def command(run: str, as_json: bool) -> None:
    """Show one run: tasks, failures, artifacts, metrics.

    RUN is a run's name, its id, or a unique beginning of its id.
    """
    now = time.time()
    with run_for_reading(run) as (store, found):
        tasks = list(tasks_of(store, found))
        subflows = [each for each in store.subflow_runs(found.root) if is_below(each, found)]
        artifacts = [one for one in store.artifacts(root=found.root) if found.is_root or one.run == found.id]
        metrics = last_values([one for one in metrics_of(store, found.root) if found.is_root or one.run == found.id])
        attempts = store.attempts(found.id)
        if as_json:
            say_json(
                DetailsShape(
                    run=run_shape(found, now=now),
                    attempts=[attempt_shape(one) for one in attempts],
                    tasks=[task_shape(one, now=now) for one in tasks],
                    subflows=[run_shape(one, now=now) for one in subflows],
                    artifacts=[artifact_shape(one) for one in artifacts],
                    metrics=metrics,
                    recorded_in=store.url,
                )
            )
            return
        _print_head(found, attempts, store, now)
        names = {each.id: each.name for each in subflows}
        _print_tasks(tasks, found, names, now, ran_again(store, tasks))
        _print_messages("Cached", tasks)
        _print_messages("Skipped", tasks)
        _print_ran_again(tasks)
        _print_subflows(subflows, now)
        _print_failures(tasks, found)
        _print_artifacts(artifacts)
        _print_metrics(metrics)
        _print_next(found)


def tasks_of(store: Store, run: FlowRun) -> Iterator[TaskRun]:
    """Yield the task runs of a flow run; of a root run, those of its subflows too."""
    after = ""
    while page := store.task_runs(run.root, run="" if run.is_root else run.id, after=after):
        yield from page
        after = page[-1].id


def metrics_of(store: Store, root: str) -> Iterator[Metric]:
    """Yield all values of all metrics of a root run."""
    after = 0
    while page := store.metrics(root, after=after):
        yield from page
        after = page[-1].seq


def is_below(each: FlowRun, run: FlowRun) -> bool:
    """Whether a subflow run is one that `run` called; of a root run, all of them are."""
    return run.is_root or each.parent == run.id


# -- the parts ------------------------------------------------------------------------------


def _field(name: str, text: str) -> None:
    if text:
        # The text is broken first: a line must not be broken for the letters that colour takes.
        lines = paragraph(text, indent=" " * 14).lstrip()
        say(f"  {dim(name.ljust(11))} {lines}")


def _print_head(run: FlowRun, attempts: list[Attempt], store: Store, now: float) -> None:
    say(f"{bold(one_line(run.name))}  {state_text(run.state_type, run.state_name)}")
    if run.message:
        say(paragraph(one_line(run.message), indent="  "))
    say()
    source = source_of(run)
    _field("flow", f"{one_line(run.flow)}{f' ({one_line(source.entrypoint)})' if source and source.entrypoint else ''}")
    _field("id", run.id)
    if not run.is_root:
        _field("subflow of", one_line(_name_of_run(store, run.parent)))
    _field("started", _started(run, now))
    if len(attempts) > 1:
        _field("attempts", ", then ".join(f"{one.state_name}{_took(one)}" for one in attempts))
    _field("parameters", parameters_told(run.parameters))
    _field("tags", ", ".join(one_line(tag) for tag in run.tags))
    _field("left out", ", ".join(f"{plural(n, what.removesuffix('s'))}" for what, n in run.dropped.items()))
    _field("recorded in", store.url)


def _name_of_run(store: Store, run: str) -> str:
    found = store.flow_run(run)
    return found.name if found is not None else run


def _started(run: FlowRun, now: float) -> str:
    if not run.started:
        return "not yet"
    took = f"took {coarse(run.duration(now))}" if run.ended else f"running for {coarse(run.duration(now))}"
    return f"{local_time(run.started)} ({ago(run.started, now)}), {took}"


def _took(attempt: Attempt) -> str:
    ended = attempt.started and attempt.ended
    return f" after {coarse(max(0.0, attempt.ended - attempt.started))}" if ended else ""


def parameters_told(encoded: bytes) -> str:
    """Return parameters as one writes them: `rows=1000, name="x"`."""
    given = msgspec.json.decode(encoded or b"{}")
    told = (f"{name}={shorten(msgspec.json.encode(value).decode(), 60)}" for name, value in given.items())
    return one_line(", ".join(told), 400)


class TaskGroup:
    """Task runs that are shown as one line: those of one `.map`, or calls of one task in a row."""

    def __init__(self, task: TaskRun) -> None:
        self.tasks = [task]
        self.mapped = task.map_index >= 0

    def takes(self, task: TaskRun) -> bool:
        """Whether `task` belongs to this line."""
        first = self.tasks[0]
        return task.task == first.task and task.run == first.run and (task.map_index >= 0) == self.mapped

    @property
    def title(self) -> str:
        """The task's name, with how many runs there are."""
        return _title_of(self.tasks) + (" (map)" if self.mapped and len(self.tasks) > 1 else "")


def _title_of(tasks: list[TaskRun]) -> str:
    return tasks[0].name if len(tasks) == 1 else f"{tasks[0].task} ×{len(tasks):,}"


def grouped(tasks: list[TaskRun]) -> list[TaskGroup]:
    """Fold task runs into lines, in the order in which each line began."""
    groups: list[TaskGroup] = []
    open_groups: dict[tuple[str, str, bool], TaskGroup] = {}
    for task in tasks:
        key = (task.run, task.task, task.map_index >= 0)
        group = open_groups.get(key)
        if group is None:
            groups.append(open_groups.setdefault(key, TaskGroup(task)))
        else:
            group.tasks.append(task)
    return groups


def ran_again(store: Store, tasks: list[TaskRun]) -> dict[str, int]:
    """Return how often tasks began after their first time, by a retry or a resume.

    Attempts that never began do not count: what waited when its run was cut off.
    """
    return {
        task.id: max(0, sum(1 for one in store.attempts(task.id) if one.started) - 1)
        for task in tasks
        if task.attempt > 1
    }


def _print_tasks(
    tasks: list[TaskRun], run: FlowRun, subflows: dict[str, str], now: float, again: dict[str, int]
) -> None:
    if not tasks:
        return
    counts: dict[str, int] = {}
    for task in tasks:
        counts[task.state_name] = counts.get(task.state_name, 0) + 1
    say()
    told = f": {counts_told(counts)}" if len(tasks) > 1 else ""
    say(f"{bold('Tasks')}  {len(tasks):,}{told}")
    groups = grouped(tasks)
    shown = groups[:MOST_GROUPS]
    titles = [_title(group, run, subflows) for group in shown]
    width = min(max(map(cell_width, titles)), max(20, columns() - 54) if on_terminal() else 60)
    for group, title in zip(shown, titles, strict=True):
        say(f"  {fit(title, width)}  {_line_of(group, now, again)}".rstrip())
    if len(groups) > len(shown):
        say(dim(f"  and {plural(len(groups) - len(shown), 'more line')}; --json has every task"))


def _title(group: TaskGroup, run: FlowRun, subflows: dict[str, str]) -> str:
    inside = subflows.get(group.tasks[0].run, "") if group.tasks[0].run != run.id else ""
    return one_line(f"{inside} / {group.title}" if inside else group.title)


def _line_of(group: TaskGroup, now: float, again: dict[str, int]) -> str:
    tasks = group.tasks
    spans = [task.duration(now) for task in tasks if task.started]
    retried = sum(again.get(task.id, 0) for task in tasks)
    if len(tasks) == 1:
        told = state_text(tasks[0].state_type, tasks[0].state_name, width=10)
        took = coarse(spans[0]) if spans else ""
    else:
        counts: dict[str, int] = {}
        for task in tasks:
            counts[task.state_name] = counts.get(task.state_name, 0) + 1
        worst = max(tasks, key=lambda task: _WORST.index(task.state_type)).state_type
        told = state_text(worst, shorten(counts_told(counts), 40), width=10)
        took = _span(spans)
    more = f", {plural(retried, 'repeat')}" if retried else ""
    return f"{told}  {took}{more}"


_WORST = [
    StateType.COMPLETED,
    StateType.PENDING,
    StateType.SCHEDULED,
    StateType.PAUSED,
    StateType.RUNNING,
    StateType.CANCELLING,
    StateType.CANCELLED,
    StateType.CRASHED,
    StateType.FAILED,
]


def counts_told(counts: dict[str, int]) -> str:
    """Return counts by name of state: `28 Completed, 2 Failed`; one state alone needs no count."""
    if len(counts) == 1:
        name, count = next(iter(counts.items()))
        return f"{'all ' if count > 1 else ''}{name}"
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _span(spans: list[float]) -> str:
    if not spans:
        return ""
    low, high = coarse(min(spans)), coarse(max(spans))
    return low if low == high else f"{low} to {high}"


def _print_ran_again(tasks: list[TaskRun]) -> None:
    """Print why tasks were not taken from an earlier attempt of the run, those of one reason together."""
    _print_alike("Ran again", [(task, task.reason) for task in tasks if task.reason])


def _print_messages(state_name: str, tasks: list[TaskRun]) -> None:
    """Print what is said of the tasks in a state: who computed what was cached, what made tasks be skipped."""
    _print_alike(state_name, [(task, task.message) for task in tasks if task.state_name == state_name and task.message])


def _print_alike(heading: str, told: list[tuple[TaskRun, str]]) -> None:
    alike: dict[tuple[str, str], list[TaskRun]] = {}
    for task, reason in told:
        alike.setdefault((task.task, reason), []).append(task)
    if not alike:
        return
    say()
    say(bold(heading))
    for (_, reason), found in list(alike.items())[:MOST_REASONS]:
        say(paragraph(one_line(f"{_title_of(found)}: {reason}"), indent="  ", hanging="    "))
    if len(alike) > MOST_REASONS:
        say(dim(f"  and {plural(len(alike) - MOST_REASONS, 'more line')}; --json has every task"))


def _print_subflows(subflows: list[FlowRun], now: float) -> None:
    if not subflows:
        return
    say()
    say(f"{bold('Subflows')}  {len(subflows):,}")
    width = max(len(one_line(each.name)) for each in subflows[:MOST_GROUPS])
    for each in subflows[:MOST_GROUPS]:
        took = coarse(each.duration(now)) if each.started else ""
        state = state_text(each.state_type, each.state_name, width=10)
        say(f"  {fit(one_line(each.name), width)}  {state}  {one_line(each.flow)}  {took}".rstrip())
    if len(subflows) > MOST_GROUPS:
        say(dim(f"  and {plural(len(subflows) - MOST_GROUPS, 'more')}; --json has all of them"))


def _print_failures(tasks: list[TaskRun], run: FlowRun) -> None:
    failed = [task for task in tasks if task.state_type in (StateType.FAILED, StateType.CRASHED)]
    # Who did not run because of another's failure is no cause.
    causes = [task for task in failed if task.state_name != "NotReady"]
    if not causes:
        return
    say()
    say(bold("Failures"))
    for task in causes[:MOST_FAILURES]:
        say(paragraph(f"{one_line(task.name)}: {one_line(task.message)}", indent="  ", hanging="    "))
    if len(causes) > MOST_FAILURES:
        say(dim(f"  and {plural(len(causes) - MOST_FAILURES, 'more')}"))
    if any(task.state_type is StateType.FAILED for task in causes):
        say(dim(f"  with tracebacks: nadi logs {told_for_shell(run.name, run.id)} --level error"))


def _print_artifacts(artifacts: list[Artifact]) -> None:
    if not artifacts:
        return
    say()
    say(bold("Artifacts"))
    for one in artifacts:
        about = f"  {one_line(one.description)}" if one.description else ""
        say(paragraph(f"{one_line(one.key) or one.id}  ({one.kind}){about}", indent="  ", hanging="    "))


def _print_metrics(metrics: list[MetricShape]) -> None:
    if not metrics:
        return
    say()
    say(bold("Metrics"))
    width = max(len(one_line(one.key)) for one in metrics)
    for one in metrics:
        step = f"step {one.step}, " if one.step is not None and one.count > 1 else ""
        more = f"  ({step}{plural(one.count, 'value')})" if one.count > 1 else ""
        say(f"  {fit(one_line(one.key), width)}  {one.value:g}{more}")


def _print_next(run: FlowRun) -> None:
    name = told_for_shell(run.name, run.id)
    if run.is_final and run.state_type is not StateType.COMPLETED and run.is_root:
        say()
        say(dim(paragraph(not_resumable(run) or f"Continue it with: nadi resume {name}")))
    elif not run.is_final:
        say()
        say(dim(f"What it waits for: nadi why {name}"))
