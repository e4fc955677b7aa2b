"""Flows, by what their runs came to."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from nadi.engine.flow_code import FlowCode
from nadi.engine.flow_pages import FlowDurations, flow_durations, newest_outcomes
from nadi.engine.flow_previews import preview_flow
from nadi.engine.overviews import FlowPageShape, FlowShape, flow_shape
from nadi.engine.scheduling import newest_run_here
from nadi.engine.task_figures import FlowTasks
from nadi.exceptions import NotFound, NotResumable
from nadi.model.access import Permission
from nadi.model.text import one_line, shorten
from nadi.server.fields import Moment, Text, UpTo200, seconds
from nadi.server.routing import Call, Routes

routes = Routes("flows")


class FlowsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which flows."""

    #: Text that the name contains.
    text: Text = ""
    #: The `next` of the page before.
    after: Text = ""
    limit: UpTo200 = 50
    #: How many of the newest runs of each to tell, as short arrays.
    newest: Annotated[int, Meta(ge=0, le=30)] = 0


class DurationsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a flow's history."""

    #: Runs made from here on; without it as far back as the newest 2,000 reach.
    since: Moment | None = None
    #: Runs made before this; without it up to now, or up to the newest run where there is no `since` either.
    until: Moment | None = None


class TaskFiguresQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs of a flow."""

    #: How many of its newest runs that have ended.
    runs: Annotated[int, Meta(ge=1, le=100)] = 20


@routes.add("GET", "/api/flows", Permission.READ)
def list_flows(call: Call, query: FlowsQuery) -> FlowPageShape:
    """List flows that have runs, by name."""
    store = call.context.store
    found = store.overview.flows(text=query.text, after=query.after, limit=query.limit + 1)
    more = len(found) > query.limit
    shapes = [
        flow_shape(flow, newest_outcomes(store, flow.name, limit=query.newest) if query.newest else ())
        for flow in found[: query.limit]
    ]
    return FlowPageShape(flows=shapes, next=found[query.limit - 1].name if more else "")


@routes.add("GET", "/api/flows/{flow}", Permission.READ, errors=(NotFound,))
def show_flow(call: Call, flow: str) -> FlowShape:
    """Show one flow."""
    found = call.context.store.overview.flow(flow)
    if found is None:
        raise NotFound(f"There is no flow {shorten(one_line(flow), 80)!r} with runs.")
    return flow_shape(found)


@routes.add("GET", "/api/flows/{flow}/durations", Permission.READ)
def show_durations(call: Call, flow: str, query: DurationsQuery) -> FlowDurations:
    """Show how long the runs of a flow took, by the time at which they were made, and how many failed.

    At most the newest 2,000 of that time are looked at. A bucket is as long as fits the range.
    """
    since, until = seconds(query.since), seconds(query.until)
    return flow_durations(call.context.store, flow, since=since, until=until, now=call.now)


@routes.add("GET", "/api/flows/{flow}/tasks", Permission.READ)
def show_tasks(call: Call, flow: str, query: TaskFiguresQuery) -> FlowTasks:
    """Show which tasks of a flow were slow and which flaky in its newest runs, those of subflow runs among them.

    At most 20,000 task runs are looked at.
    """
    return call.context.task_figures.tasks(flow, runs=query.runs)


@routes.add("GET", "/api/flows/{flow}/preview", Permission.READ, errors=(NotFound,))
def preview(call: Call, flow: str) -> FlowCode:
    """Show what the source text of a flow says of its parameters and of what it will call; nothing of it is run.

    The text is that of its file, where its newest run could be started on this machine; else what the newest run
    recorded.
    """
    launcher = call.context.launcher
    return preview_flow(call.context.store, flow, host=launcher.host, check=launcher.check)


@routes.add(
    "POST",
    "/api/flows/{flow}/inspect",
    Permission.OPERATE,
    errors=(NotFound, NotResumable),
    also=(429,),
    audit="inspect_flow",
)
def inspect_flow(call: Call, flow: str) -> FlowCode:
    """Load the code of a flow, as its newest run on this machine recorded where it lies, and tell what it says.

    A process of its own loads it, for which the same holds as for starting a run; neither flow nor task runs. An answer
    may be a minute old.
    """
    context = call.context
    return context.inspector.inspect(newest_run_here(context.store, flow, host=context.launcher.host))
