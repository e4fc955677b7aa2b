"""Flows, by what their runs came to."""

from __future__ import annotations

import msgspec

from nadi.engine.overviews import FlowPageShape, FlowShape, flow_shape
from nadi.exceptions import NotFound
from nadi.model.access import Permission
from nadi.model.text import one_line, shorten
from nadi.server.fields import Text, UpTo200
from nadi.server.routing import Call, Routes

routes = Routes("flows")


class FlowsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which flows."""

    #: Text that the name contains.
    text: Text = ""
    #: The `next` of the page before.
    after: Text = ""
    limit: UpTo200 = 50


@routes.add("GET", "/api/flows", Permission.READ)
def list_flows(call: Call, query: FlowsQuery) -> FlowPageShape:
    """List flows that have runs, by name."""
    found = call.context.store.overview.flows(text=query.text, after=query.after, limit=query.limit + 1)
    more = len(found) > query.limit
    return FlowPageShape(
        flows=[flow_shape(flow) for flow in found[: query.limit]], next=found[query.limit - 1].name if more else ""
    )


@routes.add("GET", "/api/flows/{flow}", Permission.READ, errors=(NotFound,))
def show_flow(call: Call, flow: str) -> FlowShape:
    """Show one flow."""
    found = call.context.store.overview.flow(flow)
    if found is None:
        raise NotFound(f"There is no flow {shorten(one_line(flow), 80)!r} with runs.")
    return flow_shape(found)
