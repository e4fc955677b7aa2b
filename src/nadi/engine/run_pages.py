"""Pages of what belongs to one run: its task runs, its timeline, its artifacts, its pauses; and a run or task in full.

Every answer is bounded by what is asked for, and says where to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

import msgspec

from nadi.engine.graphs import Graph, graph_of_run
from nadi.engine.resuming import source_of
from nadi.engine.run_inputs import AskedField, asked_fields
from nadi.engine.shapes import ArtifactShape, RunShape, TaskShape, artifact_shape, run_shape, task_shape
from nadi.exceptions import NotFound, RunNotFound, ValueRefused
from nadi.model.holders import Holder
from nadi.model.pauses import Pause
from nadi.model.runs import Artifact, FlowRun, Superseded, TaskRun, when
from nadi.model.states import StateType
from nadi.model.text import one_line, shorten
from nadi.storage.contract import Store

#: Calls that a graph is made from, at most.
MOST_CALLS = 20_000
#: Characters of its message that a bar has.
MOST_OF_A_MESSAGE = 200
#: Bytes of an answer to a pause that are told.
MOST_OF_AN_ANSWER = 10_000
#: Bytes of artifacts that one page holds, at most; a larger one alone is told without its data.
MOST_BYTES = 1 << 20


class RunPageShape(msgspec.Struct, frozen=True, kw_only=True):
    """Some flow runs."""

    runs: list[RunShape]
    #: Where to go on; "" when there are no more.
    next: str


class SourceShape(msgspec.Struct, frozen=True, kw_only=True):
    """Where the code of a run lies."""

    entrypoint: str | None
    #: Why it cannot be loaded again; "" where it can.
    not_loadable: str
    host: str
    working_folder: str
    interpreter: str
    python_version: str
    git_commit: str | None
    git_dirty: bool | None
    command_line: tuple[str, ...]


class FullRunShape(RunShape, kw_only=True):
    """One flow run, in full."""

    description: str
    #: The traceback of its failure, or other long text; "" when there is none.
    detail: str
    #: The process that has it, or had it last; "" when none has.
    holder: str
    #: How often its function was entered in this attempt.
    run_count: int
    #: What was left out of its records, and how much.
    dropped: dict[str, int]
    #: `null` where nothing is known of it.
    source: SourceShape | None
    #: What is asked of it and has not happened yet, such as "cancel".
    requests: list[str]


class FullTaskShape(TaskShape, kw_only=True):
    """One task run, in full."""

    root: str
    #: The traceback of its failure, or other long text; "" when there is none.
    detail: str
    #: Id of the flow run or task run that called it.
    caller: str


class TaskPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some task runs of a run."""

    tasks: list[TaskShape]
    #: Give this as `after` for the next page; "" when there are no more, or when they were asked for by change.
    next: str
    #: Give this as `changed_after` to get what has changed since; of several pages, that of the first.
    change: int
    #: Whether there is more already.
    more: bool


class Bar(msgspec.Struct, frozen=True, array_like=True):
    """One task run in a timeline: id, name, flow run, state, name of the state, when accepted, started, ended, task.

    Then: index in its map, attempt, what it took the outcome of, when it is due, why it ran again, its message, and
    change number.
    """

    id: str
    name: str
    run: str
    state: str
    state_name: str
    #: Unix seconds; 0 for not yet.
    created: float
    started: float
    ended: float
    task: str
    #: -1 outside of a map.
    map_index: int
    attempt: int
    upstream: tuple[str, ...]
    #: Unix seconds; 0 for none.
    due: float
    reason: str
    #: The beginning of it.
    message: str
    change: int


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """When the task runs of a run began and ended, in the order in which they were made."""

    bars: list[Bar]
    #: Give this as `after` for the next page; "" when there are no more.
    next: str


class EarlierAttempt(msgspec.Struct, frozen=True, array_like=True):
    """One attempt in a timeline: id of the task run, attempt, state, its name, when started and ended, message."""

    task: str
    attempt: int
    state: str
    state_name: str
    #: Unix seconds; 0 where it never started.
    started: float
    ended: float
    #: The beginning of it.
    message: str


class EarlierAttempts(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried before of task runs, in the order of task runs and attempts."""

    attempts: list[EarlierAttempt]
    #: Give this as `after` for the next page; "" when there are no more.
    next: str


class ArtifactPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some artifacts, in the order in which they were made."""

    artifacts: list[ArtifactShape]
    #: Give this as `after` for the next page; "" when there are no more.
    next: str


class SupersededShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a process that had lost the run still said; it changed nothing."""

    run: str
    attempt: int
    state: str
    state_name: str
    message: str
    at: datetime | None


class PauseShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a run asks of a person, and what it was answered."""

    #: The flow run that asks, and which of its pauses it is.
    run: str
    key: str
    description: str
    #: What it asks for, field by field; one field named `value` for a plain value; none where "go on" is enough.
    fields: list[AskedField]
    #: JSON Schema of the answer; `null` when none is wanted.
    schema: msgspec.Raw
    #: Values that a form starts with; `null` when there are none.
    initial: msgspec.Raw
    asked: datetime | None
    #: `null` for ever.
    deadline: datetime | None
    is_open: bool
    answered: datetime | None
    by: str
    #: What it was answered; `null` where it was not, where nothing but "go on" was wanted, and where it is very long.
    answer: msgspec.Raw
    #: Why the last answer was not taken; "" otherwise.
    refused: str


# -- finding --


def the_run(store: Store, id: str) -> FlowRun:
    """Return the flow run with exactly this id.

    Raises:
        RunNotFound: there is none.
    """
    run = store.flow_run(id) if is_id(id) else None
    if run is None:
        raise RunNotFound(shorten(one_line(id), 80), where=store.url)
    return run


def the_task_run(store: Store, id: str) -> TaskRun:
    """Return the task run with exactly this id.

    Raises:
        NotFound: there is none.
    """
    task = store.task_run(id) if is_id(id) else None
    if task is None:
        raise NotFound(f"There is no task run {shorten(one_line(id), 80)!r} in {store.url}.")
    return task


def the_artifact(store: Store, id: str) -> Artifact:
    """Return the artifact with exactly this id.

    Raises:
        NotFound: there is none.
    """
    artifact = store.artifact(id) if is_id(id) else None
    if artifact is None:
        raise NotFound(f"There is no artifact {shorten(one_line(id), 80)!r} in {store.url}.")
    return artifact


def is_id(text: str) -> bool:
    """Whether this could be the id of anything: what could not be is never looked up."""
    return 0 < len(text) <= 64 and text.isascii() and text.isprintable()


# -- pages --


def full_run(store: Store, run: FlowRun, *, now: float) -> FullRunShape:
    """Return a flow run with all that is told of one alone."""
    source = source_of(run)
    shape = run_shape(run, now=now)
    return FullRunShape(
        **{name: getattr(shape, name) for name in shape.__struct_fields__},
        description=run.description,
        detail=run.detail,
        holder=str(Holder.decode(run.holder)) if run.holder else "",
        run_count=run.run_count,
        dropped=run.dropped,
        source=None
        if source is None
        else SourceShape(
            entrypoint=source.entrypoint,
            not_loadable=source.not_loadable,
            host=source.host,
            working_folder=source.working_folder,
            interpreter=source.interpreter,
            python_version=source.python_version,
            git_commit=source.git_commit,
            git_dirty=source.git_dirty,
            command_line=source.command_line,
        ),
        requests=[] if run.is_final else [request.kind for request in store.requests([run.root])],
    )


def full_task(task: TaskRun, *, now: float) -> FullTaskShape:
    """Return a task run with all that is told of one alone."""
    shape = task_shape(task, now=now)
    return FullTaskShape(
        **{name: getattr(shape, name) for name in shape.__struct_fields__},
        root=task.root,
        detail=task.detail,
        caller=task.scope,
    )


def task_page(
    store: Store,
    run: FlowRun,
    *,
    states: Sequence[StateType],
    after: str,
    changed_after: int | None,
    limit: int,
    now: float,
) -> TaskPage:
    """Return task runs of a flow run; of a root run, those of its subflows too.

    Raises:
        ValueRefused: both orders were asked for.
    """
    if after and changed_after is not None:
        raise ValueRefused("Task runs are read by id or by change, not both: give `after` or `changed_after`.")
    own = "" if run.is_root else run.id
    change = -1 if changed_after is None else changed_after
    # Read before the tasks: what changes in between is told twice rather than never.
    root = run if run.is_root else store.flow_run(run.root) or run
    found = store.task_runs(run.root, run=own, states=states, after=after, changed_after=change, limit=limit)
    more = len(found) == limit
    return TaskPage(
        tasks=[task_shape(task, now=now) for task in found],
        next=found[-1].id if more and changed_after is None else "",
        change=root.seq if changed_after is None else max((task.seq for task in found), default=changed_after),
        more=more,
    )


def timeline(store: Store, run: FlowRun, *, after: str, limit: int) -> Timeline:
    """Return when the task runs of a flow run began and ended; of a root run, those of its subflows too."""
    found = store.task_runs(run.root, run="" if run.is_root else run.id, after=after, limit=limit)
    return Timeline(
        bars=[
            Bar(
                task.id,
                task.name,
                task.run,
                task.state_type,
                task.state_name,
                task.created,
                task.started,
                task.ended,
                task.task,
                task.map_index,
                task.attempt,
                task.upstream,
                task.due,
                task.reason,
                shorten(task.message, MOST_OF_A_MESSAGE),
                task.seq,
            )
            for task in found
        ],
        next=found[-1].id if len(found) == limit else "",
    )


def earlier_attempts(store: Store, run: FlowRun, *, after: str, limit: int) -> EarlierAttempts:
    """Return the attempts of a flow run's task runs that were followed by another; of a root run, its subflows' too.

    Raises:
        ValueRefused: `after` is not what a page before said.
    """
    id, dot, number = after.partition(".")
    if after and not (is_id(id) and dot and number.isdecimal() and len(number) < _DIGITS):
        raise ValueRefused(f"Parameter 'after' is {after!r}; expected the `next` of the page before.")
    own = "" if run.is_root else run.id
    found = store.earlier_attempts(run.root, run=own, after=(id, int(number or 0)), limit=limit)
    return EarlierAttempts(
        attempts=[
            EarlierAttempt(
                one.run,
                one.attempt,
                one.state_type,
                one.state_name,
                one.started,
                one.ended,
                shorten(one.message, MOST_OF_A_MESSAGE),
            )
            for one in found
        ],
        next=f"{found[-1].run}.{found[-1].attempt}" if len(found) == limit else "",
    )


#: More than any number of an attempt has.
_DIGITS = 10


def graph_page(store: Store, run: FlowRun, *, now: float) -> Graph:
    """Return the graph of what the root of a run called, with calls of one task in one place folded into one node.

    Of a very large run, that of its first calls, with a note that says so.
    """
    root = run if run.is_root else store.flow_run(run.root) or run
    calls = list(islice(store.recorded_calls(root.id), MOST_CALLS + 1))
    graph = graph_of_run(root, calls[:MOST_CALLS], now=now)
    if len(calls) > MOST_CALLS:
        graph.note = f"It shows the first {MOST_CALLS:,} calls; there are more."
    return graph


def artifact_page(
    store: Store, *, run: FlowRun | None, key: str, after: str, limit: int, most: int = MOST_BYTES
) -> ArtifactPage:
    """Return artifacts of a flow run (of a root run, those of its subflows too), or of a key over all runs.

    A page ends before it becomes too large; an artifact with more than `most` bytes of data, or too large for any page,
    is told without it (`null`).
    """
    most = min(most, MOST_BYTES)
    root = run.root if run is not None else ""
    shapes: list[ArtifactShape] = []
    size = 0
    while len(shapes) < limit:
        # One at a time would be many questions, and all at once could be gigabytes.
        piece = store.artifacts(root=root, key=key, after=after, limit=_ARTIFACTS)
        for artifact in piece:
            if run is not None and run.id not in (run.root, artifact.run):
                after = artifact.id
                continue
            too_large = len(artifact.data) > most
            size += 0 if too_large else len(artifact.data)
            if shapes and (size > MOST_BYTES or len(shapes) == limit):
                return ArtifactPage(artifacts=shapes, next=after)
            shapes.append(artifact_shape(artifact, most=most))
            after = artifact.id
        if len(piece) < _ARTIFACTS:
            return ArtifactPage(artifacts=shapes, next="")
    return ArtifactPage(artifacts=shapes, next=after)


#: Artifacts that are read at a time.
_ARTIFACTS = 10


def superseded_shape(lost: Superseded) -> SupersededShape:
    """Return what came too late as JSON tells it."""
    return SupersededShape(
        run=lost.run,
        attempt=lost.attempt,
        state=lost.state_type,
        state_name=lost.state_name,
        message=lost.message,
        at=when(lost.at),
    )


def pause_shape(pause: Pause) -> PauseShape:
    """Return a pause as JSON tells it."""
    return PauseShape(
        run=pause.run,
        key=pause.key,
        description=pause.description,
        fields=asked_fields(pause),
        schema=msgspec.Raw(pause.schema or b"null"),
        initial=msgspec.Raw(pause.initial or b"null"),
        asked=when(pause.at),
        deadline=when(pause.deadline),
        is_open=pause.is_open,
        answered=when(pause.answered),
        by=pause.by,
        answer=msgspec.Raw(pause.answer if pause.answer and len(pause.answer) <= MOST_OF_AN_ANSWER else b"null"),
        refused=pause.refused,
    )
