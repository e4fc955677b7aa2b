"""Flow runs, and what belongs to one of them."""

from __future__ import annotations

import msgspec

from nadi.engine.explaining import Explanation, explain
from nadi.engine.graphs import Graph
from nadi.engine.log_pages import LogPage
from nadi.engine.run_pages import (
    MOST_BYTES,
    ArtifactPage,
    EarlierAttempts,
    FullRunShape,
    PauseShape,
    RunPageShape,
    SupersededShape,
    TaskPage,
    Timeline,
    artifact_page,
    earlier_attempts,
    full_run,
    pause_shape,
    superseded_shape,
    task_page,
    the_run,
    timeline,
)
from nadi.engine.series import SeriesPage, series_page
from nadi.engine.shapes import AttemptShape, attempt_shape, run_shape
from nadi.exceptions import RunNotFound, ValueRefused
from nadi.model.access import Permission
from nadi.model.runs import RunFilter
from nadi.model.states import StateType
from nadi.server.api.logs import LogsQuery, page_of
from nadi.server.fields import Cursor, Moment, Number, Points, Text, UpTo200, UpTo1000, UpTo5000, seconds
from nadi.server.routing import Call, Routes

routes = Routes("flow-runs")


class RunsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which flow runs."""

    flow: Text = ""
    #: In one of these states.
    state: tuple[StateType, ...] = ()
    #: With all of these tags.
    tag: tuple[Text, ...] = ()
    #: That were given these values: `name=value`, the value as JSON or as plain text.
    parameter: tuple[Text, ...] = ()
    #: Made at or after, and before.
    since: Moment | None = None
    until: Moment | None = None
    #: Text that the name of the run or of its flow contains.
    text: Text = ""
    #: Whether subflow runs are listed too.
    subflows: bool = False
    before: Cursor = ""
    limit: UpTo200 = 50


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go on."""

    after: Cursor = ""
    limit: UpTo200 = 50


class ArtifactsQuery(PageQuery, frozen=True, kw_only=True):
    """Where to go on, and how much is told of each."""

    #: Only artifacts with at most so many bytes of data are told with it.
    most: Number = MOST_BYTES


class TasksQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which task runs."""

    #: In one of these states.
    state: tuple[StateType, ...] = ()
    after: Cursor = ""
    #: Only those with a greater change number, in the order of their changes.
    changed_after: Number | None = None
    limit: UpTo1000 = 200


class TimelineQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a timeline."""

    after: Cursor = ""
    limit: UpTo5000 = 1000


class MetricsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which metrics."""

    #: Only this metric.
    key: Text = ""
    #: Only values after the one with this number.
    after: Number = 0
    #: The most points of each series.
    points: Points = 500


class LostQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How many."""

    limit: UpTo1000 = 100


@routes.add("GET", "/api/flow-runs", Permission.READ, errors=(ValueRefused,))
def list_runs(call: Call, query: RunsQuery) -> RunPageShape:
    """List flow runs, newest first.

    A page looks at a bounded number of runs: it may have fewer than asked for, or none, and say where to go on.
    """
    which = RunFilter(
        flow=query.flow,
        states=query.state,
        tags=query.tag,
        parameters=tuple(map(_parameter, query.parameter)),
        since=seconds(query.since),
        until=seconds(query.until),
        text=query.text,
        roots_only=not query.subflows,
    )
    page = call.context.store.overview.page(which, limit=query.limit, before=query.before)
    return RunPageShape(runs=[run_shape(run, now=call.now) for run in page.runs], next=page.next)


def _parameter(told: str) -> tuple[str, str]:
    name, equals, value = told.partition("=")
    if not equals or not name:
        raise ValueRefused(f"Parameter 'parameter' is {told[:80]!r}; expected name=value, such as rows=1000.")
    return name, value


@routes.add("GET", "/api/flow-runs/{run}", Permission.READ, errors=(RunNotFound,))
def show_run(call: Call, run: str) -> FullRunShape:
    """Show one flow run, by its id; a subflow run too."""
    return full_run(call.context.store, the_run(call.context.store, run), now=call.now)


@routes.add("GET", "/api/flow-runs/{run}/task-runs", Permission.READ, errors=(RunNotFound, ValueRefused))
def list_tasks(call: Call, run: str, query: TasksQuery) -> TaskPage:
    """List task runs of a flow run; of an outermost run, those of its subflows too.

    In the order in which they were made, or, by `changed_after`, in the order of their changes.
    """
    store = call.context.store
    return task_page(
        store,
        the_run(store, run),
        states=query.state,
        after=query.after,
        changed_after=query.changed_after,
        limit=query.limit,
        now=call.now,
    )


@routes.add("GET", "/api/flow-runs/{run}/subflows", Permission.READ, errors=(RunNotFound,))
def list_subflows(call: Call, run: str, query: PageQuery) -> RunPageShape:
    """List every flow run below the outermost run of a run, in the order they were made."""
    store = call.context.store
    root = the_run(store, run).root
    found = store.subflow_runs(root, after=query.after, limit=query.limit)
    following = found[-1].id if len(found) == query.limit else ""
    return RunPageShape(runs=[run_shape(each, now=call.now) for each in found], next=following)


@routes.add("GET", "/api/flow-runs/{run}/graph", Permission.READ, errors=(RunNotFound,))
def show_graph(call: Call, run: str) -> Graph:
    """Show what the outermost run of a run called, and what took whose outcome.

    Calls of one task that stand in one place are one node. Of a very large run its first calls are shown.
    """
    return call.context.graphs.graph(the_run(call.context.store, run), now=call.now)


@routes.add("GET", "/api/flow-runs/{run}/timeline", Permission.READ, errors=(RunNotFound,))
def show_timeline(call: Call, run: str, query: TimelineQuery) -> Timeline:
    """Show when the task runs of a flow run began and ended, each as a short array."""
    store = call.context.store
    return timeline(store, the_run(store, run), after=query.after, limit=query.limit)


@routes.add("GET", "/api/flow-runs/{run}/task-attempts", Permission.READ, errors=(RunNotFound, ValueRefused))
def list_task_attempts(call: Call, run: str, query: TimelineQuery) -> EarlierAttempts:
    """List what was tried before of the task runs of a flow run, each as a short array.

    Attempts that were followed by another, or are to be; the newest one of each task run stands in the timeline. Of an
    outermost run, those of its subflows too.
    """
    store = call.context.store
    return earlier_attempts(store, the_run(store, run), after=query.after, limit=query.limit)


@routes.add("GET", "/api/flow-runs/{run}/logs", Permission.READ, errors=(RunNotFound, ValueRefused))
def list_logs(call: Call, run: str, query: LogsQuery) -> LogPage:
    """List log lines of a flow run; of an outermost run, those of its subflows too.

    The newest lines, or those after or before a line.
    """
    store = call.context.store
    return page_of(store, the_run(store, run), query, task=query.task)


@routes.add("GET", "/api/flow-runs/{run}/artifacts", Permission.READ, errors=(RunNotFound,))
def list_artifacts(call: Call, run: str, query: ArtifactsQuery) -> ArtifactPage:
    """List artifacts of a flow run; of an outermost run, those of its subflows too.

    A page holds about 1 MiB at most. A larger artifact is told with `null` for its data; /api/artifacts has it.
    """
    store = call.context.store
    return artifact_page(store, run=the_run(store, run), key="", after=query.after, limit=query.limit, most=query.most)


@routes.add("GET", "/api/flow-runs/{run}/metrics", Permission.READ, errors=(RunNotFound, ValueRefused))
def show_metrics(call: Call, run: str, query: MetricsQuery) -> SeriesPage:
    """Show metrics of a flow run as series; of an outermost run, those of its subflows too.

    A series of more values than points is thinned out, and its extremes stay. A value that is not a finite number is
    `null`.
    """
    store = call.context.store
    return series_page(store, the_run(store, run), key=query.key, after=query.after, points=query.points)


@routes.add("GET", "/api/flow-runs/{run}/attempts", Permission.READ, errors=(RunNotFound,))
def list_attempts(call: Call, run: str) -> list[AttemptShape]:
    """List the attempts of a flow run, first one first, the newest included."""
    store = call.context.store
    return [attempt_shape(one) for one in store.attempts(the_run(store, run).id)]


@routes.add("GET", "/api/flow-runs/{run}/superseded", Permission.READ, errors=(RunNotFound,))
def list_superseded(call: Call, run: str, query: LostQuery) -> list[SupersededShape]:
    """List what processes that had lost the outermost run of a run still said of it; it changed nothing."""
    store = call.context.store
    return [superseded_shape(one) for one in store.superseded(the_run(store, run).root, limit=query.limit)]


@routes.add("GET", "/api/flow-runs/{run}/pauses", Permission.READ, errors=(RunNotFound,))
def list_pauses(call: Call, run: str) -> list[PauseShape]:
    """List what a flow run asked of people, and what it was answered; of an outermost run, its subflows' too."""
    store = call.context.store
    found = the_run(store, run)
    return [pause_shape(one) for one in store.inputs.pauses(found.root) if found.is_root or one.run == found.id]


@routes.add("GET", "/api/flow-runs/{run}/why", Permission.READ, errors=(RunNotFound,))
def why(call: Call, run: str) -> Explanation:
    """Explain why a flow run, and each task of it that is not done, is where it is."""
    store = call.context.store
    return explain(store, the_run(store, run), observer=call.context.holder, now=call.now)
