"""Work, queues and workers in SQLite."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

import apsw
from msgspec.structs import replace

from nadi.model.work import Enqueued, NewRun, Queue, Work, WorkerSeen
from nadi.storage.contracts.work import WorkTable
from nadi.storage.lines import Line, Waiting, place_in_line
from nadi.storage.named_queries import named_queries
from nadi.storage.run_rows import pack_texts, pack_values
from nadi.storage.sqlite.applying import record_new_runs
from nadi.storage.sqlite.bulk import Bulk
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.sqlite.ending import next_change
from nadi.storage.work_rows import WORK_COLUMNS, work_of, work_values, worker_of, worker_values

_SQL = {name: sql.replace("{columns}", WORK_COLUMNS) for name, sql in named_queries("work.sql").items()}
_put_work = Bulk(_SQL["put_work"], 19)
_IN_LINE = " ORDER BY priority DESC, due, run LIMIT ?"

#: Rows of a line that are read at first, and at most at once: most often the first few decide.
_FIRST_LOOK, _LONGEST_LOOK = 16, 1024

#: Place in the line, and who waits there.
_Place = tuple[int, float, str, Waiting]


class SqliteWorkTable(WorkTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- runs --

    def enqueue(self, runs: Sequence[NewRun]) -> list[Enqueued]:
        with self._database.write() as connection:
            return enqueue_runs(connection, runs)

    def take(self, worker: str, *, host: str, queues: Sequence[str], now: float, limit: int) -> list[Work]:
        if not self._read(_SQL["anything_due"], now):
            return []  # without a turn to write, since workers ask whenever anything changes
        with self._database.write() as connection:
            taken = _choose(connection, host=host, queues=queues, now=now, limit=limit)
            if not taken:
                return []
            next_change(connection)
            found = fetch(connection, _SQL["take"], (pack_texts(taken), worker, now))
            return sorted(map(work_of, found), key=place_in_line)

    def give_back(self, worker: str, runs: Sequence[str]) -> list[str]:
        with self._database.write() as connection:
            return _give_back(connection, worker, runs)

    def work(self, runs: Sequence[str]) -> dict[str, Work]:
        found = self._works("run IN (SELECT value FROM json_each(?))", pack_texts(list(runs)))
        return {work.run: work for work in found}

    def open_work(
        self,
        *,
        deployment: str = "",
        queue: str = "",
        worker: str = "",
        backfill: str = "",
        waiting: bool | None = None,
        limit: int = 1000,
    ) -> list[Work]:
        sql, values = open_work_statement(
            deployment=deployment, queue=queue, worker=worker, backfill=backfill, waiting=waiting
        )
        return list(map(work_of, self._read(sql, *values, limit)))

    def runs_of(
        self, deployment: str, *, schedule: str = "", backfill: str = "", before: str = "", limit: int = 100
    ) -> list[Work]:
        where, values = "deployment = ?", [deployment]
        for condition, value in (
            ("schedule <> '' AND schedule = ?", schedule),
            ("backfill <> '' AND backfill = ?", backfill),
            ("run < ?", before),
        ):
            if value:
                where += f" AND {condition}"
                values.append(value)
        return self._works(f"{where} ORDER BY run DESC LIMIT ?", *values, limit)

    def next_due(self, *, after: float) -> float:
        return float(self._read(_SQL["next_due"], after)[0][0])

    # -- queues --

    def queues(self, *, now: float) -> list[Queue]:
        with self._database.read() as connection:
            changed = _changed_queues(connection)
            waiting = fetch(connection, _SQL["waiting_in_queues"], (now,))
            running = fetch(connection, _SQL["running_in_queues"])
        found = {name: Queue(name=name, due=due, later=later) for name, due, later in waiting}
        for name, n in running:
            found[name] = replace(found.get(name, Queue(name=name)), running=n)
        for name, queue in changed.items():
            found[name] = replace(found.get(name, queue), paused=queue.paused, slots=queue.slots)
        return [found[name] for name in sorted(found)]

    def set_queue(self, name: str, *, paused: bool, slots: int | None) -> None:
        with self._database.write() as connection:
            if paused or slots is not None:
                connection.execute(_SQL["set_queue"], (name, int(paused), slots))
            else:
                connection.execute(_SQL["forget_queue"], (name,))
            next_change(connection)

    # -- workers --

    def worker_began(self, worker: WorkerSeen) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["worker_began"], worker_values(worker))
            next_change(connection)

    def workers(self) -> list[WorkerSeen]:
        return [worker_of(content, running) for content, running in self._read(_SQL["workers"])]

    def worker_ended(self, worker: str) -> list[str]:
        with self._database.write() as connection:
            taken = [run for (run,) in fetch(connection, _SQL["taken_by"], (worker,))]
            free = _give_back(connection, worker, taken)
            if fetch(connection, _SQL["worker_ended"], (worker,)) and not free:
                next_change(connection)
            return free

    def _works(self, where: str, *values: Any) -> list[Work]:
        sql = _SQL["work"].replace("{index}", "").replace("{where}", where)
        return list(map(work_of, self._read(sql, *values)))

    def _read(self, sql: str, *values: Any) -> list[Any]:
        with self._database.read() as connection:
            return fetch(connection, sql, values)


def open_work_statement(
    *, deployment: str = "", queue: str = "", worker: str = "", backfill: str = "", waiting: bool | None = None
) -> tuple[str, list[Any]]:
    """Return the statement of `open_work`, and its parameters but for the limit."""
    index, where = "work_open", "open > 0"  # as the conditions of the partial indexes are written, word for word
    if worker or waiting is False:
        index, where = "work_taken", "open = 1 AND worker <> ''"
    elif waiting and not deployment:
        index, where = "work_line", "open = 1"
    elif waiting:
        where += " AND open = 1"
    if waiting:
        where += " AND worker = ''"
    values = []
    wanted = {"deployment": deployment, "queue": queue, "worker": worker, "backfill": backfill}
    for column, value in wanted.items():
        if value:
            where += f" AND {column} = ?"
            values.append(value)
    sql = _SQL["work"].replace("{index}", f"INDEXED BY {index}").replace("{where}", where + _IN_LINE)
    return sql, values


# -- within the write transaction that is open --


def enqueue_runs(connection: apsw.Connection, runs: Sequence[NewRun]) -> list[Enqueued]:
    """See `WorkTable.enqueue`."""
    ids = pack_texts([new.work.run for new in runs])
    known = {id: id for (id,) in fetch(connection, _SQL["known_runs"], (ids,))}
    keys = [(new.work.deployment, new.work.key) for new in runs if new.work.key]
    found = fetch(connection, _SQL["known_keys"], (pack_values(keys),)) if keys else []
    by_key = {(deployment, key): run for deployment, key, run in found}
    answers, made = list[Enqueued](), list[NewRun]()
    for new in runs:
        work = new.work
        there = known.get(work.run) or (by_key.get((work.deployment, work.key)) if work.key else None)
        answers.append(Enqueued(run=there or work.run, made=there is None))
        if there is None:
            made.append(new)
            known[work.run] = work.run
            by_key[work.deployment, work.key] = work.run
    if made:
        record_new_runs(connection, [new.record for new in made])
        _put_work.run(connection, [work_values(new.work) for new in made])
    return answers


def _give_back(connection: apsw.Connection, worker: str, runs: Sequence[str]) -> list[str]:
    free = {run for (run,) in fetch(connection, _SQL["give_back"], (pack_texts(list(runs)), worker))}
    if free:
        next_change(connection)
    return sorted(free)


def _changed_queues(connection: apsw.Connection) -> dict[str, Queue]:
    return {
        name: Queue(name=name, paused=bool(paused), slots=slots)
        for name, paused, slots in fetch(connection, _SQL["changed_queues"])
    }


def _choose(connection: apsw.Connection, *, host: str, queues: Sequence[str], now: float, limit: int) -> list[str]:
    """Return the ids of the runs that are to be handed out now; see `WorkTable.take`."""

    def allowed(deployment: str) -> int:
        found = fetch(connection, _SQL["allowed"], (deployment,))
        return int(found[0][0]) if found else 0

    line = Line(
        host=host,
        limit=limit,
        under_way=fetch(connection, _SQL["under_way"]),
        queues=_changed_queues(connection),
        allowed=allowed,
    )
    wanted = set(queues)
    waiting = heapq.merge(
        *(
            _look(connection, line, queue, priority, now)
            for queue, priority in fetch(connection, _SQL["lines"])
            if (not wanted or queue in wanted) and line.is_open(queue)
        )
    )
    for *_, one in waiting:
        line.offer(one)
        if line.is_done:
            break
    return line.taken


def _look(connection: apsw.Connection, line: Line, queue: str, priority: int, now: float) -> Iterator[_Place]:
    """Yield who waits in a queue with one priority, page by page, and no more of a deployment once that is full."""
    due, run, size = float("-inf"), "", _FIRST_LOOK
    while line.is_open(queue):
        values = (queue, priority, due, run, now, line.host, pack_texts(sorted(line.full)), size)
        page = fetch(connection, _SQL["line"], values)
        for run, deployment, due, host, alone in page:
            waiting = Waiting(run=run, queue=queue, deployment=deployment, alone=bool(alone), host=host)
            yield (-priority, due, run, waiting)
        if len(page) < size:
            return
        size = min(2 * size, _LONGEST_LOOK)
