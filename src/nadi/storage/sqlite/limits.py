"""Concurrency limits and rate limits, and who holds their slots, in SQLite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import apsw

from nadi.model.limits import Answer, Limit, SlotClaim, Turn, after_turn, let_in, take_turn
from nadi.storage.contracts.limits import LimitTable
from nadi.storage.named_queries import named_queries
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.table_rows import claim_of, claim_values, limit_of, limit_values, pack_names, unpack_names

_SQL = named_queries("limits.sql")
_LINE = _SQL["claims"].replace("{where}", "held = 0")


class SqliteLimitTable(LimitTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_limit(self, name: str, *, slots: int, decay: float, now: float) -> Limit:
        with self._database.write() as connection:
            before = _limit(connection, name)
            level = before.level_now(now) if before is not None else 0.0
            limit = Limit(name=name, slots=slots, decay=decay, level=level, level_at=now)
            _put_limit(connection, limit)
            _let_in(connection, [name])
            return limit

    def remove_limit(self, name: str) -> bool:
        with self._database.write() as connection:
            there = bool(fetch(connection, _SQL["remove_limit"], (name,)))
            if there:
                _let_in(connection, [name])
            return there

    def limits(self) -> list[Limit]:
        with self._database.read() as connection:
            return [limit_of(row) for row in fetch(connection, _SQL["limits"])]

    def claim_slots(self, claim: SlotClaim, *, wait: bool) -> Answer:
        with self._database.write() as connection:
            there = {name: limit.slots for name in claim.names if (limit := _limit(connection, name)) is not None}
            missing = tuple(name for name in claim.names if name not in there)
            too_small = tuple(name for name, most in there.items() if 0 < most < claim.slots)
            if too_small or not there:
                return Answer(held=not too_small, missing=missing, too_small=too_small)
            standing = _standing(connection, [claim.id])
            if claim.id not in standing:
                _put_claim(connection, claim)
                _let_in(connection, tuple(there))
                standing = _standing(connection, [claim.id])
            if not standing[claim.id] and not wait:
                _end(connection, claim.id, -1)
            return Answer(held=standing[claim.id], missing=missing)

    def release_slots(self, claim: str) -> list[str]:
        with self._database.write() as connection:
            freed = _end(connection, claim, -1)
            return _let_in(connection, freed) if freed is not None else []

    def standing(self, claims: Sequence[str]) -> dict[str, bool]:
        with self._database.read() as connection:
            return _standing(connection, claims)

    def renew(self, claims: Sequence[str]) -> list[str]:
        with self._database.write() as connection:
            there = {id for (id,) in fetch(connection, _SQL["renew"], (pack_names(claims),))}
            return [id for id in claims if id not in there]

    def claims(self, *, names: Sequence[str] = (), root: str = "") -> list[SlotClaim]:
        wheres, values = ["true"], []
        if names:
            wheres.append("place IN (SELECT place FROM slot_claim_name WHERE name IN (SELECT value FROM json_each(?)))")
            values.append(pack_names(names))
        if root:
            wheres.append("root <> '' AND root = ?")
            values.append(root)
        with self._database.read() as connection:
            rows = fetch(connection, _SQL["claims"].replace("{where}", " AND ".join(wheres)), values)
        return [claim_of(row) for row in rows]

    def end_claims(self, seen: Mapping[str, int]) -> list[str]:
        with self._database.write() as connection:
            freed: set[str] = set()
            for id, renewals in seen.items():
                freed.update(_end(connection, id, renewals) or ())
            if not freed:
                return []
            connection.execute(_SQL["next_version"])
            return _let_in(connection, sorted(freed))

    def take_turn(self, names: Sequence[str], slots: int, *, now: float, patience: float) -> Turn:
        with self._database.write() as connection:
            found = (_limit(connection, name) for name in set(names))
            limits = {limit.name: limit for limit in found if limit is not None}
            turn = take_turn(limits, names, slots, now=now, patience=patience)
            if turn.taken:
                for limit in limits.values():
                    _put_limit(connection, after_turn(limit, slots, wait=turn.wait, now=now))
                connection.execute(_SQL["next_change"])
            return turn

    def version(self) -> int:
        with self._database.read() as connection:
            return int(fetch(connection, _SQL["version"])[0][0])


def _let_in(connection: apsw.Connection, freed: Sequence[str]) -> list[str]:
    """Let in who comes next, within the write transaction that is open; see `LimitTable`."""

    @cache
    def slots(name: str) -> int | None:
        limit = _limit(connection, name)
        return limit.slots if limit is not None else None

    @cache
    def used(name: str) -> int:
        return int(fetch(connection, _SQL["used"], (name,))[0][0])

    found = let_in(slots, used, _line(connection), freed=freed)
    for claim in found:
        connection.execute(_SQL["hold"], (claim.id,))
    if found:
        connection.execute(_SQL["next_version"])
    connection.execute(_SQL["next_change"])
    return [claim.id for claim in found]


def _line(connection: apsw.Connection) -> Iterator[SlotClaim]:
    # Row by row: most often the first few decide.
    return (claim_of(row) for row in connection.execute(_LINE))


def _put_claim(connection: apsw.Connection, claim: SlotClaim) -> None:
    [(place,)] = fetch(connection, _SQL["put_claim"], claim_values(claim))
    connection.executemany(_SQL["put_claim_name"], [(name, place) for name in claim.names])


def _end(connection: apsw.Connection, claim: str, renewals: int) -> tuple[str, ...] | None:
    """Delete a claim; returns the names that it had, `None` when it is not there or was renewed."""
    ended = fetch(connection, _SQL["end_claim"], (claim, renewals))
    if not ended:
        return None
    [(place, text)] = ended
    names = unpack_names(text)
    connection.executemany(_SQL["end_claim_names"], [(name, place) for name in names])
    return names


def _standing(connection: apsw.Connection, claims: Sequence[str]) -> dict[str, bool]:
    return {id: bool(held) for id, held in fetch(connection, _SQL["standing"], (pack_names(claims),))}


def _limit(connection: apsw.Connection, name: str) -> Limit | None:
    found = fetch(connection, _SQL["limit"], (name,))
    return limit_of(found[0]) if found else None


def _put_limit(connection: apsw.Connection, limit: Limit) -> None:
    connection.execute(_SQL["put_limit"], limit_values(limit))
