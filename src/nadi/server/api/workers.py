"""Workers, and the queues from which they take runs."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from nadi.engine.deployment_shapes import QueueShape, WorkerShape, WorkShape, queue_shape, work_shape, worker_shape
from nadi.exceptions import ValueRefused
from nadi.model.access import Permission
from nadi.server.auditing import tell
from nadi.server.fields import Text, UpTo1000
from nadi.server.routing import Call, Routes

routes = Routes("workers")

#: Characters that the name of a queue may have.
LONGEST_QUEUE = 200


class QueueChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for a queue from now on."""

    #: While it is, nothing is taken from it.
    paused: bool = False
    #: How many of its runs may be under way at once; `null` for no limit.
    slots: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None


class WorkQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which work."""

    queue: Text = ""
    deployment: Text = ""
    #: Only what waits, or only what a worker has.
    waiting: bool | None = None
    limit: UpTo1000 = 100


@routes.add("GET", "/api/workers", Permission.READ)
def list_workers(call: Call) -> list[WorkerShape]:
    """List the workers that there are, with how many runs each has."""
    return [worker_shape(worker) for worker in call.context.store.work.workers()]


@routes.add("GET", "/api/queues", Permission.READ)
def list_queues(call: Call) -> list[QueueShape]:
    """List the queues in which something waits, or that somebody changed, with what is in them."""
    return [queue_shape(queue) for queue in call.context.store.work.queues(now=call.now)]


@routes.add("PUT", "/api/queues/{name}", Permission.OPERATE, errors=(ValueRefused,), audit="set_queue")
def set_queue(call: Call, name: str, body: QueueChange) -> QueueShape:
    """Pause a queue, let it go on, or limit how many of its runs are under way at once."""
    if len(name) > LONGEST_QUEUE:
        raise ValueRefused(f"The name of a queue has at most {LONGEST_QUEUE} characters, not {len(name)}.")
    tell(call.request, subject=name, paused=body.paused, slots=body.slots)
    store = call.context.store
    store.work.set_queue(name, paused=body.paused, slots=body.slots)
    found = next((queue for queue in store.work.queues(now=call.now) if queue.name == name), None)
    if found is None:
        return QueueShape(name=name, paused=body.paused, slots=body.slots, due=0, later=0, running=0)
    return queue_shape(found)


@routes.add("GET", "/api/work", Permission.READ)
def list_work(call: Call, query: WorkQuery) -> list[WorkShape]:
    """List runs of deployments that have not ended, in the order in which workers take them."""
    found = call.context.store.work.open_work(
        deployment=query.deployment, queue=query.queue, waiting=query.waiting, limit=query.limit
    )
    return [work_shape(work) for work in found]
