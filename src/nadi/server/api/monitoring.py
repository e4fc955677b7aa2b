"""`/metrics`: for Prometheus."""

from __future__ import annotations

from starlette.responses import Response

from nadi.exceptions import StoreUnavailable
from nadi.model.access import Permission
from nadi.server.prometheus import exposition
from nadi.server.routing import Call, Routes

routes = Routes("monitoring")


@routes.add("GET", "/metrics", Permission.READ, errors=(StoreUnavailable,), gives="text/plain")
def metrics(call: Call) -> Response:
    """Tell how runs, queue, journals, slots and this server stand, as text for Prometheus.

    Give the scraper an API key with the scope `read`.
    """
    return Response(exposition(call.context), media_type="text/plain; version=0.0.4")
