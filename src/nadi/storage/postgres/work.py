"""Work, queues and workers in PostgreSQL.

Locks, in the order in which every writer takes them; who has a later one never waits for an earlier one:

1. the row of a deployment, of schedules (by deployment and name), of a backfill;
2. the lock of a journal's writer, and those of the runs that it brings (`apply`);
3. rows of root runs, in the order of their ids, and those of their work after them;
4. what belongs to runs: attempts, counts, terms, files.

Who takes work has the lock of the line, and then rows of work; of those that somebody else has it waits for none. So no
other writer ever waits for the line, and whoever has it waits for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nadi.model.work import Enqueued, NewRun, Queue, Work, WorkerSeen
from nadi.storage.contracts.work import WorkTable
from nadi.storage.lines import Line, Waiting
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.applying import record_new_runs
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import Connection, Database, execute, fetch, lost_race, next_changes
from nadi.storage.work_rows import WORK_COLUMNS, work_of, work_values, worker_of, worker_values

_OF_WORK = ", ".join(f"work.{column}" for column in WORK_COLUMNS.split(", "))
_SQL = {
    name: sql.replace("{columns}", WORK_COLUMNS).replace("{columns_of_work}", _OF_WORK)
    for name, sql in named_queries("postgres/work.sql").items()
}
_put_work = Bulk(_SQL["put_work"], "ttitiffttttitiiitfi")
_known_keys = Bulk(_SQL["known_keys"], "tt")
#: Those in line are read so many at a time at first, and then twice as many each time: mostly the first few decide.
_PAGE = 64


class PostgresWorkTable(WorkTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- runs --

    def enqueue(self, runs: Sequence[NewRun]) -> list[Enqueued]:
        return self._database.transact(lambda connection: put_runs(connection, runs)) if runs else []

    def take(self, worker: str, *, host: str, queues: Sequence[str], now: float, limit: int) -> list[Work]:
        if limit <= 0 or not self._database.fetch(_SQL["anything_due"], (now,)):
            return []  # without the lock of the line, since workers ask whenever anything changes

        def work(connection: Connection) -> list[Work]:
            chosen = _first_in_line(connection, queues, host=host, now=now, limit=limit)
            values = {"runs": chosen, "worker": worker, "now": now}
            taken = {row[0]: work_of(row) for row in fetch(connection, _SQL["take"], values)} if chosen else {}
            if taken:
                next_changes(connection)
            return [taken[run] for run in chosen if run in taken]

        return self._database.transact(work)

    def give_back(self, worker: str, runs: Sequence[str]) -> list[str]:
        return self._database.transact(lambda connection: _give_back(connection, worker, runs))

    def work(self, runs: Sequence[str]) -> dict[str, Work]:
        return {work.run: work for work in self._list("run = ANY(%s)", [list(runs)])}

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
        conditions = _Conditions()
        conditions.add("open > 0")
        if deployment:
            conditions.add("deployment = %s", deployment)
        if queue:
            conditions.add("queue = %s", queue)
        if worker:
            conditions.add("worker = %s", worker)
        if backfill:
            conditions.add("backfill <> '' AND backfill = %s", backfill)
        if waiting is not None:
            conditions.add("open = 1 AND worker = ''" if waiting else "open = 1 AND worker <> ''")
        return self._list(*conditions.ordered("priority DESC, due, run", limit))

    def runs_of(
        self, deployment: str, *, schedule: str = "", backfill: str = "", before: str = "", limit: int = 100
    ) -> list[Work]:
        conditions = _Conditions()
        conditions.add("deployment = %s", deployment)
        if schedule:
            conditions.add("schedule <> '' AND schedule = %s", schedule)
        if backfill:
            conditions.add("backfill <> '' AND backfill = %s", backfill)
        if before:
            conditions.add("run < %s", before)
        return self._list(*conditions.ordered("run DESC", limit))

    def next_due(self, *, after: float) -> float:
        return float(self._database.fetch(_SQL["next_due"], (after,))[0][0])

    def _list(self, where: str, values: Sequence[Any]) -> list[Work]:
        return [work_of(row) for row in self._database.fetch(_SQL["work"].replace("{where}", where), values)]

    # -- queues --

    def queues(self, *, now: float) -> list[Queue]:
        return [
            Queue(name=name, paused=bool(paused), slots=slots, due=due, later=later, running=running)
            for name, paused, slots, due, later, running in self._database.fetch(_SQL["queues"], {"now": now})
        ]

    def set_queue(self, name: str, *, paused: bool, slots: int | None) -> None:
        def put(connection: Connection) -> None:
            if paused or slots is not None:
                execute(connection, _SQL["set_queue"], (name, int(paused), slots))
            else:
                execute(connection, _SQL["forget_queue"], (name,))
            next_changes(connection)

        self._database.transact(put)

    # -- workers --

    def worker_began(self, worker: WorkerSeen) -> None:
        def put(connection: Connection) -> None:
            execute(connection, _SQL["worker_began"], worker_values(worker))
            next_changes(connection)

        self._database.transact(put)

    def workers(self) -> list[WorkerSeen]:
        return [worker_of(content, running) for content, running in self._database.fetch(_SQL["workers"])]

    def worker_ended(self, worker: str) -> list[str]:
        def end(connection: Connection) -> list[str]:
            taken = [run for (run,) in fetch(connection, _SQL["taken_by"], (worker,))]
            given_back = _give_back(connection, worker, taken)
            if execute(connection, _SQL["worker_ended"], (worker,)) and not given_back:
                next_changes(connection)
            return given_back

        return self._database.transact(end)


# -- within the write transaction that is open --


def put_runs(connection: Connection, runs: Sequence[NewRun]) -> list[Enqueued]:
    """Record runs and their work, as far as they are new. See `WorkTable.enqueue`."""
    known = {id for (id,) in fetch(connection, _SQL["known_runs"], {"runs": [new.work.run for new in runs]})}
    new: dict[str, NewRun] = {}
    for one in runs:
        if one.work.run not in known:
            new.setdefault(one.work.run, one)
    made = _put_new(connection, list(new.values()))
    there = _runs_by_key(connection, [one.work for one in new.values() if one.work.run not in made])
    answers = []
    for one in runs:
        run = one.work.run
        answers.append(Enqueued(run=there.get(run, run), made=run in made))
        made.discard(run)  # asked for twice, it was made once
    return answers


def _put_new(connection: Connection, runs: Sequence[NewRun]) -> set[str]:
    """Record runs that are not there, but for those whose key is; returns the ids of the others."""
    if not runs:
        return set()
    # Unique keys decide between two who ask at once: the second one waits for the first. Both go by the order of keys,
    # so that they do not wait for each other.
    inorder = sorted(runs, key=lambda one: (one.work.deployment, one.work.key))
    made = {run for (run,) in _put_work.fetch(connection, [work_values(one.work) for one in inorder])}
    record_new_runs(connection, [one.record for one in inorder if one.work.run in made])
    return made


def _runs_by_key(connection: Connection, asked: Sequence[Work]) -> dict[str, str]:
    """Return which run was made before with the key of each of these, by run."""
    if not asked:
        return {}
    found = _known_keys.fetch(connection, [(work.deployment, work.key) for work in asked])
    by_key = {(deployment, key): run for deployment, key, run in found}
    if not all((work.deployment, work.key) in by_key for work in asked):
        raise lost_race("the run with this key was deleted between two looks")
    return {work.run: by_key[work.deployment, work.key] for work in asked}


def _give_back(connection: Connection, worker: str, runs: Sequence[str]) -> list[str]:
    free = [run for (run,) in fetch(connection, _SQL["free"], (list(runs),))] if runs else []
    found = fetch(connection, _SQL["give_back"], (free, worker)) if free else []
    if found:
        next_changes(connection)
    return sorted(run for (run,) in found)


def _first_in_line(connection: Connection, queues: Sequence[str], *, host: str, now: float, limit: int) -> list[str]:
    """Take the lock of the line, so that what is seen holds until the commit, and return the runs that go now."""
    line, names = _line(connection, host, limit)
    names = [name for name in names if not queues or name in queues]
    size = max(_PAGE, 2 * limit)
    while not line.is_done:
        # Those of whom is known that they go or stay are left out, so each page brings it further.
        values = {"queues": list(filter(line.is_open, names)), "host": host, "now": now, "limit": size}
        page = fetch(connection, _SQL["line"], {**values, "full": list(line.full), "seen": line.taken})
        for run, queue, deployment, alone in page:
            line.offer(Waiting(run, queue, deployment, bool(alone)))
        if len(page) < size:
            break
        size *= 2
    return line.taken


def _line(connection: Connection, host: str, limit: int) -> tuple[Line, list[str]]:
    """Return what decides whose turn it is, under the lock of the line, and the queues in which somebody waits."""
    with connection.pipeline():
        execute(connection, _SQL["lock_line"])
        execute(connection, _SQL["keep_order"])
        asked = [
            connection.execute(_SQL[query].encode(), binary=True)
            for query in ("under_way", "changed_queues", "allowed", "queues_in_line")
        ]
    under_way, changed, allowed, in_line = (each.fetchall() for each in asked)
    most: dict[str, int] = dict(allowed)
    line = Line(
        host=host,
        limit=limit,
        under_way=under_way,
        queues={name: Queue(name=name, paused=bool(paused), slots=slots) for name, paused, slots in changed},
        allowed=lambda deployment: most.get(deployment, 0),
    )
    return line, [name for (name,) in in_line]


class _Conditions:
    """Fixed conditions, with every value as a parameter."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._values: list[Any] = []

    def add(self, text: str, *values: Any) -> None:
        self._texts.append(text)
        self._values.extend(values)

    def ordered(self, order: str, limit: int) -> tuple[str, list[Any]]:
        return f"{' AND '.join(self._texts)} ORDER BY {order} LIMIT %s", [*self._values, limit]
