"""Which calls of a store can be made from afar, and what travels: one table, read by client and server.

A call is `POST /api/store/<table>/<method>`; its body holds the arguments by name, its answer is what the method
returns, both in MessagePack (or JSON). What they look like is said by the annotations of the contracts and nowhere
else. Structs travel with the names of their fields, so that a field that one side does not know yet is left out by
it, and one that the other side does not send has its default: client and server may be a version apart.

What keeps users, keys and retention has no entry here, so nobody reaches it through a store.
"""

from __future__ import annotations

import functools
from typing import Any, Final, get_type_hints

import msgspec

from nadi.model.access import Permission
from nadi.storage.contract import Store
from nadi.storage.contracts.assets import AssetTable
from nadi.storage.contracts.cache import CacheTable
from nadi.storage.contracts.deployments import DeploymentTable
from nadi.storage.contracts.events import EventTable
from nadi.storage.contracts.inputs import InputTable
from nadi.storage.contracts.leases import LeaseTable
from nadi.storage.contracts.limits import LimitTable
from nadi.storage.contracts.overview import Overview
from nadi.storage.contracts.result_files import ResultFileTable
from nadi.storage.contracts.schedules import ScheduleTable
from nadi.storage.contracts.work import WorkTable

#: Version of the wire form, and the oldest one that this program speaks with: raised only where what travels changes
#: its meaning, never for a field or a call that is new.
WIRE, OLDEST_WIRE = 1, 1
#: Bytes of one request that a server takes.
LARGEST_BODY = 16 << 20
#: Bytes of one result.
LARGEST_RESULT = 64 << 20
#: The last second of the year 9999: beyond are no times that a calendar or a database could reckon with.
LATEST = 253_402_300_799.0

#: The name of the store's own methods as a table, and the attribute of a store that each other table is.
RUNS: Final = "runs"
TABLES: dict[str, Any] = {
    RUNS: Store,
    "cache": CacheTable,
    "result_files": ResultFileTable,
    "inputs": InputTable,
    "limits": LimitTable,
    "events": EventTable,
    "assets": AssetTable,
    "leases": LeaseTable,
    "overview": Overview,
    "work": WorkTable,
    "deployments": DeploymentTable,
    "schedules": ScheduleTable,
}


class StoreCall(msgspec.Struct, frozen=True):
    """One method of a store that can be called from afar."""

    table: str
    method: str
    permission: Permission
    #: Whether asking again, when nobody knows whether the answer was lost or the question, changes nothing more.
    again: bool
    #: Name in the audit log, for what people do; "" for what runs do all the time.
    audit: str = ""

    @property
    def path(self) -> str:
        """Where it is asked."""
        return f"/api/store/{self.table}/{self.method}"

    @property
    def function(self) -> Any:
        """The method of the contract, whose annotations count."""
        return getattr(TABLES[self.table], self.method)


def _reads(table: str, *methods: str) -> list[StoreCall]:
    return [StoreCall(table, method, Permission.READ, True) for method in methods]


def _writes(table: str, *methods: str, again: bool = True, audit: str = "") -> list[StoreCall]:
    return [StoreCall(table, method, Permission.RECORD, again, audit) for method in methods]


def _operates(table: str, method: str, *, again: bool = True, audit: str) -> StoreCall:
    # What workers load and start next, and whether they do, is decided by people; a key that only records may not.
    return StoreCall(table, method, Permission.OPERATE, again, audit)


#: Every call that there is: what is not here cannot be called. `apply` has a route of its own (`/api/journal`), and
#: `recorded_calls` is put together from pages.
CALLS: tuple[StoreCall, ...] = (
    *_reads(RUNS, "watermark", "requests", "flow_run", "find_flow_runs", "flow_runs", "waiting_runs", "subflow_runs"),
    *_reads(RUNS, "task_run", "task_runs", "attempts", "earlier_attempts", "superseded", "logs", "last_logs"),
    *_reads(
        RUNS, "artifacts", "artifact", "metrics", "variable", "variables", "last_change", "wait_for_change", "counts"
    ),
    *_writes(RUNS, "forget_writer"),
    *_writes(RUNS, "claim", "end_attempt", "end_attempts", again=False),
    *_writes(RUNS, "ask", audit="ask_run"),
    *_writes(RUNS, "delete_run", again=False, audit="delete_run"),
    *_writes(RUNS, "set_variable", again=False, audit="set_variable"),
    *_writes(RUNS, "unset_variable", again=False, audit="unset_variable"),
    *_reads("cache", "get", "entries"),
    *_writes("cache", "put"),
    *_writes("cache", "remove", again=False, audit="clear_cache"),
    *_reads("result_files", "deleted_runs", "named_files", "released_files"),
    *_writes("result_files", "mark_collected", "forget_files"),
    *_reads("inputs", "pause", "pauses", "open_pauses", "overdue", "messages"),
    *_writes("inputs", "answer", again=False, audit="answer_pause"),
    *_writes("inputs", "refuse", "send", again=False),
    *_reads("limits", "limits", "standing", "claims", "version"),
    *_writes("limits", "claim_slots", "release_slots", "renew", "end_claims"),
    *_writes("limits", "take_turn", again=False),
    *_writes("limits", "set_limit", audit="set_limit"),
    *_writes("limits", "remove_limit", again=False, audit="remove_limit"),
    *_reads("events", "newest", "arrived"),
    *_writes("events", "emit"),
    *_reads("assets", "assets", "asset", "materializations", "lineage"),
    *_reads("leases", "leases"),
    *_writes("leases", "renew", "release"),
    *_writes("leases", "expire", again=False),
    *_reads("overview", "page", "flows", "flow", "history", "changes"),
    *_reads("work", "work", "open_work", "runs_of", "next_due", "queues", "workers"),
    *_writes("work", "enqueue", audit="start_run"),
    *_writes("work", "take", "give_back", "worker_ended", again=False),
    *_writes("work", "worker_began"),
    _operates("work", "set_queue", audit="set_queue"),
    *_reads("deployments", "deployment", "deployments", "versions", "version"),
    _operates("deployments", "deploy", again=False, audit="deploy"),
    _operates("deployments", "roll_back", again=False, audit="roll_back_deployment"),
    _operates("deployments", "set_paused", audit="pause_deployment"),
    _operates("deployments", "remove", again=False, audit="remove_deployment"),
    *_reads("schedules", "due", "next_at", "schedules", "ticks", "backfill", "backfills"),
    *_writes("schedules", "fire", "advance", again=False),
    _operates("schedules", "set_paused", audit="pause_schedule"),
    _operates("schedules", "add_backfill", audit="add_backfill"),
    _operates("schedules", "set_backfill_state", again=False, audit="change_backfill"),
)


class Delivery(msgspec.Struct, frozen=True):
    """A batch of the journal on its way."""

    writer: str
    #: Number of the first record.
    first: int
    #: Each record as MessagePack of its own, so that one that the server cannot read stands in nobody's way.
    records: list[bytes]


class StoreGreeting(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says of its store before anything else."""

    #: Identity of the database, and where it is, for people.
    id: str
    url: str
    #: Version of the server.
    version: str
    wire: int
    oldest_wire: int
    #: Key that signs results; empty for who may not record.
    signing_key: bytes = b""


@functools.cache
def parameter_names(call: StoreCall) -> tuple[str, ...]:
    """Return the names of a call's arguments, in their order."""
    code = call.function.__code__
    names: tuple[str, ...] = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    return names


@functools.cache
def answer_type(call: StoreCall) -> Any:
    """Return the type of a call's answer; `NoneType` for none."""
    return get_type_hints(call.function)["return"]


@functools.cache
def argument_type(call: StoreCall) -> Any:
    """Return a Struct of a call's arguments, those with defaults at the end."""
    hints, function = get_type_hints(call.function), call.function
    count = function.__code__.co_argcount
    names = parameter_names(call)
    positional = names[: count - 1]
    defaults = dict(zip(reversed(positional), reversed(function.__defaults__ or ()), strict=False))
    defaults |= function.__kwdefaults__ or {}
    fields = [(name, hints[name], defaults[name]) if name in defaults else (name, hints[name]) for name in names]
    table = "Store" if call.table == RUNS else TABLES[call.table].__name__
    name = f"{table}{''.join(part.title() for part in call.method.split('_'))}"
    return msgspec.defstruct(name, fields, kw_only=True, frozen=True, module=__name__)


@functools.cache
def answer_decoder(call: StoreCall) -> msgspec.msgpack.Decoder[Any]:
    """Return what reads a call's answer."""
    return msgspec.msgpack.Decoder(answer_type(call))
