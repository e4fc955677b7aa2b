"""Writing a batch: read where things stand, fold, write the changes; each in one round trip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from psycopg import errors

from nadi.model.records import FlowRunBegun
from nadi.storage.contract import Applied, Batch
from nadi.storage.fold import Before, Changes, fold, fold_new_runs, named
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres import rows
from nadi.storage.postgres.assets import put_assets
from nadi.storage.postgres.bulk import Bulk, texts
from nadi.storage.postgres.database import Connection, execute, lost_race, next_changes, tell_changes
from nadi.storage.postgres.ending import close_attempts, count_tasks, settle_roots
from nadi.storage.postgres.events import put_events
from nadi.storage.postgres.inputs import take_asked
from nadi.storage.postgres.overview import note_changes
from nadi.storage.postgres.result_files import use_files

_SQL = named_queries("postgres/apply.sql")
_FLOW_RUN = "tttttiittttfffftttbbtbibbii"
_put_flow_runs = Bulk(_SQL["put_flow_runs"], _FLOW_RUN)
_found_flow_runs = Bulk(_SQL["put_flow_runs"].partition("ON CONFLICT")[0], _FLOW_RUN)
_move_flow_runs = Bulk(_SQL["move_flow_runs"], "tiittttfffitbti")
_put_task_runs = Bulk(_SQL["put_task_runs"], "tttttiittttfffffitttbbii")
_move_task_runs = Bulk(_SQL["move_task_runs"], "tiittttffffbi")
_reuse_task_runs = Bulk(_SQL["reuse_task_runs"], "ttii")
_reuse_flow_runs = Bulk(_SQL["reuse_flow_runs"], "ttii")
_count_dropped = Bulk(_SQL["count_dropped"], "ttti")
_put_sources = Bulk(_SQL["put_sources"], "tb")
_stir_flow_runs = Bulk(_SQL["stir_flow_runs"], "ti")
_put_logs = Bulk(_SQL["put_logs"], "tittfitt")
_put_metrics = Bulk(_SQL["put_metrics"], "titttfif")
_put_artifacts = Bulk(_SQL["put_artifacts"], "tttttttbffi")
_put_superseded = Bulk(_SQL["put_superseded"], "titiitttf")


def apply_batch(connection: Connection, batch: Batch) -> Applied:
    """Apply a batch within the write transaction that is open on `connection`. See `Store.apply`."""
    flows, tasks = named(batch.records)
    about = texts(list(flows))
    founded = {record.id for record in batch.records if type(record) is FlowRunBegun and record.id == record.root}
    with connection.pipeline():
        execute(connection, _SQL["await_turn"], (batch.writer,))
        if founded:
            execute(connection, _SQL["await_founders"], (texts(list(founded)),))
        held = connection.execute(_SQL["hold_roots"].encode(), (about,), binary=True)
        stand = connection.execute(_SQL["stand"].encode(), (batch.writer,), binary=True)
        flows_stand = connection.execute(_SQL["flows_stand"].encode(), (about,), binary=True)
        tasks_stand = connection.execute(_SQL["tasks_stand"].encode(), (texts(list(tasks)),), binary=True)
        buried = connection.execute(_SQL["buried"].encode(), (about,), binary=True)
    ((found, connection.number, base),) = stand.fetchall()
    in_hand = set(held.fetchall())
    watermark: int = found or 0
    records = batch.records[max(0, watermark + 1 - batch.first) :]
    if batch.first > watermark + 1 or not records:
        return Applied(watermark)
    standing = {row[0]: rows.standing_flow(row) for row in flows_stand.fetchall()}
    if any(row.id == row.root for row in standing.values() if (row.id,) not in in_hand):
        raise lost_race("a run came to light between two looks")
    before = Before(
        standing,
        {row[0]: rows.standing_task(row) for row in tasks_stand.fetchall()},
        frozenset(root for (root,) in buried.fetchall()),
    )
    first = max(batch.first, watermark + 1)
    last = first + len(records) - 1
    changes = fold(records, first, before)
    with connection.pipeline():
        seq = _write(connection, changes, count(base))
        tell_changes(connection, base, seq)
        execute(connection, _SQL["set_watermark"], (batch.writer, last))
        settle_roots(connection, changes.flows)
    return Applied(last, tuple(changes.refused))


def record_new_runs(connection: Connection, records: Sequence[FlowRunBegun]) -> None:
    """Bring root runs there that are asked for, and are not there yet, within the write transaction that is open.

    Raises:
        ValueRefused: one of them makes no sense.
    """
    changes = fold_new_runs(records)
    seqs = next_changes(connection, len(changes.flows))
    note_changes(connection, changes)
    try:
        _found_flow_runs.run(connection, [rows.new_flow_run(*each) for each in zip(changes.flows, seqs, strict=True)])
    except errors.UniqueViolation as error:
        raise lost_race("a run came to light between two looks") from error


def _write(connection: Connection, changes: Changes, seqs: Iterator[int]) -> int:
    """Write the changes and return the newest change number; flow runs come last, so theirs are the newest."""
    task = changes.tasks
    _put_task_runs.run(connection, [rows.new_task_run(row, next(seqs)) for row in task if row.begun is not None])
    _move_task_runs.run(connection, [rows.moved_task_run(row, next(seqs)) for row in task if row.begun is None])
    reused = [(r.id, r.root, r.token, next(seqs)) for r in changes.reused.values()]
    _reuse_task_runs.run(connection, reused)
    count_tasks(connection, rows.summed(changes.task_counts))
    _put_told(connection, changes, seqs)
    if changes.events:
        put_events(connection, changes.events, seqs)
    if changes.assets:
        put_assets(connection, changes.assets, seqs)
    close_attempts(
        connection,
        [rows.closed_attempt(a, root) for a, root in zip(changes.closed, changes.closed_roots, strict=True)],
    )
    _count_dropped.run(connection, rows.summed(changes.dropped))
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
    if changes.asked:
        take_asked(connection, changes.asked)
    return next(seqs) - 1


def _put_told(connection: Connection, changes: Changes, seqs: Iterator[int]) -> None:
    """Keep what runs told beside their states."""
    _put_logs.run(
        connection,
        [(log.root, next(seqs), log.run, log.task, log.at, log.level, log.logger, log.text) for log in changes.logs],
    )
    _put_metrics.run(
        connection,
        [
            (m.root, next(seqs), m.run, m.task, rows.indexable(m.key), rows.measured(m.value), m.step, m.at)
            for m in changes.metrics
        ],
    )
    _put_artifacts.run(
        connection,
        [
            (a.id, a.root, a.run, a.task, rows.indexable(a.key), a.kind, a.description, a.data, a.at, a.at, next(seqs))
            for a in changes.artifacts.values()
        ],
    )
    _put_superseded.run(
        connection,
        [
            (s.root, next(seqs), s.run, s.token, s.attempt, s.state_type, s.state_name, s.message, s.at)
            for s in changes.superseded
        ],
    )
