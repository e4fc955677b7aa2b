"""What is new since a place in the order of changes, for one view: read in one bounded piece, as text to send."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from nadi.engine.shapes import artifact_shape, log_shape, run_shape, task_shape
from nadi.model.runs import FlowRun, Metric, when
from nadi.model.states import StateType
from nadi.storage.contract import Store

#: Rows of a kind that one piece reads at the most, and about the most bytes that it has.
PAGE = 200
ARTIFACTS = 20
PIECE_BYTES = 256 * 1024
#: Artifacts with more data are told of without it.
TOLD_BYTES = 16 * 1024
#: The kinds of news, in the order in which they are told: a run after all that belongs to it, so that whoever hears
#: that it has ended has heard its last line.
KINDS = ("task-runs", "artifacts", "metrics", "logs", "flow-runs", "gone", "deleted")


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody follows: one root run, or all that fit."""

    #: Id of a root run; "" for all.
    run: str = ""
    flow: str = ""
    states: tuple[StateType, ...] = ()
    tags: tuple[str, ...] = ()
    logs: bool = False
    level: int = 0


class Place(msgspec.Struct, frozen=True):
    """How far somebody has read: everything up to `change`, and of what came after it up to `until` some kinds."""

    change: int
    #: 0 when no piece is told in part.
    until: int = 0
    #: How many of the kinds, in their order, were told of that piece.
    kinds: int = 0


class Piece(msgspec.Struct, frozen=True):
    """Some news, and where to go on."""

    #: Events, each with its kind and data, and how far somebody is who has read it.
    events: list[tuple[str, bytes, Place]]
    next: Place


class MetricNews(msgspec.Struct):
    """One value of a metric."""

    key: str
    value: float
    step: int | None
    at: datetime | None
    run: str
    task: str | None
    #: Its number: a page of series whose `after` is not less has it already.
    number: int


#: One row: its change number, the place of its kind in KINDS, and its JSON.
_Row = tuple[int, int, bytes]


def read_piece(store: Store, view: View, place: Place, newest: int, *, now: float) -> Piece:
    """Read what is new for a view after a place, up to the change number `newest` or as far as one piece reaches.

    A row is told where its own change number lies: one that has moved on meanwhile comes in a later piece. So no
    piece ever tells of an older state than one before it.

    Raises:
        StoreUnavailable: the store cannot be asked now.
    """
    reading = _Reading(store, view, place.change, place.until or newest, now)
    reading.read_runs()
    if view.run:
        reading.read_belongings()
    rows, until = _cut(reading.rows, reading.until)
    # A piece that was told in part may reach less far when it is read again, since its rows have moved or grown: then
    # what is left of it is told in part too, and no line comes twice.
    last = Place(until, place.until, place.kinds) if until < place.until else Place(until)
    events = []
    told = [kind for kind in range(len(KINDS)) if kind >= place.kinds and any(row[1] == kind for row in rows)]
    for kind in told:
        items = b",".join(data for _, of, data in rows if of == kind)
        after = last if kind == told[-1] else Place(place.change, until, kind + 1)
        events.append((KINDS[kind], b'{"change":%d,"items":[%b]}' % (until, items), after))
    return Piece(events, last)


def changed_roots(store: Store, after: int) -> frozenset[str] | None:
    """Return the root runs of which something changed after a change number; `None` when that are too many to tell.

    One question answers it for all who follow one run each: a root run changes with whatever belongs to it.

    Raises:
        StoreUnavailable: the store cannot be asked now.
    """
    changes = store.overview.changes(after=after, limit=PAGE)
    return frozenset(change.root for change in changes) if len(changes) < PAGE else None


def _cut(rows: list[_Row], until: int) -> tuple[list[_Row], int]:
    """Leave out what would make a piece too large; returns the rest, in order, and how far it reaches."""
    rows = sorted((row for row in rows if row[0] <= until), key=lambda row: row[0])
    size = 0
    for n, (seq, _, data) in enumerate(rows):
        size += len(data)
        if size > PIECE_BYTES and n and rows[n - 1][0] < seq:
            return rows[:n], rows[n - 1][0]
    return rows, until


class _Reading:
    """Gathers the rows of one piece."""

    def __init__(self, store: Store, view: View, after: int, until: int, now: float) -> None:
        self._store = store
        self._view = view
        self._after = after
        self.until = until
        self._now = now
        self.rows: list[_Row] = []

    def read_runs(self) -> None:
        changes = self._store.overview.changes(after=self._after, limit=PAGE)
        self._reach(len(changes) == PAGE, [change.seq for change in changes])
        for change in changes:
            if change.seq > self.until or not self._concerns(change.run, change.root):
                continue
            if change.deleted:
                self._add(change.seq, "deleted", change.run)
                continue
            run = self._store.flow_run(change.run)
            if run is None:  # deleted since: a later piece tells
                continue
            if self._fits(run):
                self._add(run.seq, "flow-runs", run_shape(run, now=self._now))
            elif self._has_left(run):
                self._add(run.seq, "gone", run.id)

    def read_belongings(self) -> None:
        store, view, after = self._store, self._view, self._after
        tasks = store.task_runs(view.run, changed_after=after, limit=PAGE)
        self._take("task-runs", PAGE, ((task.seq, task_shape(task, now=self._now)) for task in tasks))
        artifacts = store.artifacts(root=view.run, changed_after=after, limit=ARTIFACTS)
        self._take(
            "artifacts",
            ARTIFACTS,
            ((artifact.seq, artifact_shape(artifact, most=TOLD_BYTES)) for artifact in artifacts),
        )
        metrics = store.metrics(view.run, after=after, limit=PAGE)
        self._take("metrics", PAGE, ((metric.seq, _metric_news(metric)) for metric in metrics))
        if view.logs:
            lines = store.logs(view.run, level=view.level, after=after, limit=PAGE)
            self._take("logs", PAGE, ((line.seq, log_shape(line)) for line in lines))

    def _concerns(self, run: str, root: str) -> bool:
        return root == self._view.run if self._view.run else run == root

    def _fits(self, run: FlowRun) -> bool:
        view = self._view
        return (
            (not view.flow or run.flow == view.flow)
            and (not view.states or run.state_type in view.states)
            and set(view.tags) <= set(run.tags)
        )

    def _has_left(self, run: FlowRun) -> bool:
        # Flow and tags are those it began with; only its state can have taken it out of the view.
        return (not self._view.flow or run.flow == self._view.flow) and set(self._view.tags) <= set(run.tags)

    def _take(self, kind: str, limit: int, items: Iterable[tuple[int, object]]) -> None:
        seqs = []
        for seq, item in items:
            seqs.append(seq)
            self._add(seq, kind, item)
        self._reach(len(seqs) == limit, seqs)

    def _reach(self, is_full: bool, seqs: list[int]) -> None:
        # A full page: what comes after its last row is read by the next piece, of every kind.
        if is_full:
            self.until = min(self.until, seqs[-1])

    def _add(self, seq: int, kind: str, item: object) -> None:
        if self._after < seq <= self.until:
            self.rows.append((seq, KINDS.index(kind), _encode(item)))


_encode: Callable[[object], bytes] = msgspec.json.Encoder().encode


def _metric_news(metric: Metric) -> MetricNews:
    return MetricNews(
        key=metric.key,
        value=metric.value,
        step=metric.step if metric.step >= 0 else None,
        at=when(metric.at),
        run=metric.run,
        task=metric.task or None,
        number=metric.seq,
    )
