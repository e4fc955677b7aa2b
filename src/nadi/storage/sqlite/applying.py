"""Writing a batch: read where things stand, fold, write the changes in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import apsw

from nadi.model.records import FlowRunBegun
from nadi.storage import run_rows as rows
from nadi.storage.contract import Applied, Batch
from nadi.storage.fold import Before, Changes, fold, fold_new_runs, named
from nadi.storage.named_queries import named_queries
from nadi.storage.sqlite.assets import put_assets
from nadi.storage.sqlite.bulk import Bulk
from nadi.storage.sqlite.database import fetch
from nadi.storage.sqlite.ending import close_attempts, count_tasks, settle_roots
from nadi.storage.sqlite.events import put_events
from nadi.storage.sqlite.inputs import take_asked
from nadi.storage.sqlite.overview import note_changes
from nadi.storage.sqlite.result_files import use_files

_SQL = named_queries("apply.sql")
_put_flow_runs = Bulk(_SQL["put_flow_runs"], 27)
_move_flow_runs = Bulk(_SQL["move_flow_runs"], 15)
_put_task_runs = Bulk(_SQL["put_task_runs"], 24)
_move_task_runs = Bulk(_SQL["move_task_runs"], 13)
_reuse_task_runs = Bulk(_SQL["reuse_task_runs"], 4)
_reuse_flow_runs = Bulk(_SQL["reuse_flow_runs"], 4)
_count_dropped = Bulk(_SQL["count_dropped"], 4)
_put_sources = Bulk(_SQL["put_sources"], 2)
_stir_flow_runs = Bulk(_SQL["stir_flow_runs"], 2)
_put_logs = Bulk(_SQL["put_logs"], 8)
_put_metrics = Bulk(_SQL["put_metrics"], 8)
_put_artifacts = Bulk(_SQL["put_artifacts"], 11)
_put_superseded = Bulk(_SQL["put_superseded"], 9)


def apply_batch(connection: apsw.Connection, batch: Batch) -> Applied:
    """Apply a batch within the write transaction that is open on `connection`. See `Store.apply`."""
    flows, tasks = named(batch.records)
    roots = rows.pack_texts(list(flows))
    standing: tuple[Any, ...] = fetch(connection, _SQL["stand"], (batch.writer, roots, rows.pack_texts(list(tasks))))[0]
    watermark: int = standing[0] or 0
    records = batch.records[max(0, watermark + 1 - batch.first) :]
    if batch.first > watermark + 1 or not records:
        return Applied(watermark)
    before = Before(
        {row.id: row for row in rows.unpack_flow_rows(standing[2])},
        {row.id: row for row in rows.unpack_task_rows(standing[3])},
        frozenset(rows.unpack_texts(standing[4])),
    )
    first = max(batch.first, watermark + 1)
    changes = fold(records, first, before)
    seq = _write(connection, changes, count(standing[1] + 1))
    last = first + len(records) - 1
    connection.execute(_SQL["set_change"], (seq,))
    connection.execute(_SQL["set_watermark"], (batch.writer, last))
    settle_roots(connection, changes.flows)
    return Applied(last, tuple(changes.refused))


def record_new_runs(connection: apsw.Connection, begun: Sequence[FlowRunBegun]) -> None:
    """Record root runs that are not there yet, within the write transaction that is open.

    Raises:
        ValueRefused: one of them makes no sense.
    """
    changes = fold_new_runs(begun)
    newest = fetch(connection, "SELECT seq FROM change")[0][0]
    connection.execute(_SQL["set_change"], (_write(connection, changes, count(newest + 1)),))


def _write(connection: apsw.Connection, changes: Changes, seqs: Iterator[int]) -> int:
    """Write the changes and return the newest change number; flow runs come last, so theirs are the newest."""
    task = changes.tasks
    _put_task_runs.run(connection, [rows.new_task_run(row, next(seqs)) for row in task if row.begun is not None])
    _move_task_runs.run(connection, [rows.moved_task_run(row, next(seqs)) for row in task if row.begun is None])
    reused = [(r.id, r.root, r.token, next(seqs)) for r in changes.reused.values()]
    _reuse_task_runs.run(connection, reused)
    count_tasks.run(connection, [(*key, n) for key, n in changes.task_counts.items()])
    _put_logs.run(
        connection,
        [(log.root, next(seqs), log.run, log.task, log.at, log.level, log.logger, log.text) for log in changes.logs],
    )
    _put_metrics.run(
        connection,
        [
            (m.root, next(seqs), m.run, m.task, m.key, None if m.value != m.value else m.value, m.step, m.at)
            for m in changes.metrics
        ],
    )
    _put_artifacts.run(
        connection,
        [
            (a.id, a.root, a.run, a.task, a.key, a.kind, a.description, a.data, a.at, a.at, next(seqs))
            for a in changes.artifacts.values()
        ],
    )
    if changes.events:
        put_events(connection, changes.events, seqs)
    if changes.assets:
        put_assets(connection, changes.assets, seqs)
    close_attempts.run(
        connection,
        [rows.closed_attempt(a, root) for a, root in zip(changes.closed, changes.closed_roots, strict=True)],
    )
    _count_dropped.run(connection, [(*key, n) for key, n in changes.dropped.items()])
    _put_superseded.run(
        connection,
        [
            (s.root, next(seqs), s.run, s.token, s.attempt, s.state_type, s.state_name, s.message, s.at)
            for s in changes.superseded
        ],
    )
    flow = changes.flows
    if flow:
        note_changes(connection, changes)
    _put_flow_runs.run(connection, [rows.new_flow_run(row, next(seqs)) for row in flow if row.begun is not None])
    _move_flow_runs.run(connection, [rows.moved_flow_run(row, next(seqs)) for row in flow if row.begun is None])
    _reuse_flow_runs.run(connection, reused)
    use_files(connection, task)
    use_files(connection, flow)
    _put_sources.run(connection, list(changes.sources.items()))
    _stir_flow_runs.run(connection, [(run, next(seqs)) for run in changes.stirred])
    take_asked(connection, changes.asked)
    return next(seqs) - 1
