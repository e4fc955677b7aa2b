"""Concurrency limits and rate limits, and who holds their slots, in PostgreSQL.

Who changes something about a limit holds its lock until the commit, and that of every limit that somebody in the line
needs together with it: only so can be said who is next. The locks are taken in one order by all, and those of
limits that have nothing to do with each other stop nobody. Under the locks every way to the server counts, since the
others wait: so one answer tells all that there is to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from nadi.model.digests import blake2b
from nadi.model.limits import Answer, Limit, SlotClaim, Turn, after_turn, let_in, take_turn
from nadi.storage.contracts.limits import LimitTable
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.database import Connection, Database, execute, fetch, next_changes
from nadi.storage.table_rows import claim_of, claim_values, limit_of, limit_values, unpack_names

T = TypeVar("T")

_SQL = named_queries("postgres/limits.sql")
_TIED = "place IN (SELECT place FROM slot_claim_name WHERE name = ANY(%s))"
#: Those who wait are read so many at a time: most often the first few decide.
_PAGE = 64
_LINE = f"{_SQL['claims'].replace('{where}', f'held = 0 AND place > %s AND {_TIED}')} LIMIT {_PAGE}"


class _Look(NamedTuple):
    """How some limits stand, seen under their locks."""

    #: The limits, with all that somebody who waits needs together with one of them, over all steps.
    names: set[str]
    #: Whether somebody waits for one of them.
    has_line: bool
    #: Those that are there, by name.
    limits: dict[str, Limit]
    #: How many slots are held, by name.
    used: dict[str, int]
    #: Whether the claim in question holds; `None` when it is not there.
    holds: bool | None


class PostgresLimitTable(LimitTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_limit(self, name: str, *, slots: int, decay: float, now: float) -> Limit:
        def work(connection: Connection, look: _Look) -> Limit:
            before = look.limits.get(name)
            level = before.level_now(now) if before is not None else 0.0
            limit = look.limits[name] = Limit(name=name, slots=slots, decay=decay, level=level, level_at=now)
            execute(connection, _SQL["put_limit"], limit_values(limit))
            _let_in(connection, look, [name])
            return limit

        return self._locked([name], work)

    def remove_limit(self, name: str) -> bool:
        def work(connection: Connection, look: _Look) -> bool:
            if look.limits.pop(name, None) is None:
                return False
            execute(connection, _SQL["remove_limit"], (name,))
            _let_in(connection, look, [name])
            return True

        return self._locked([name], work)

    def limits(self) -> list[Limit]:
        return [limit_of(row) for row in self._database.fetch(_SQL["limits"])]

    def claim_slots(self, claim: SlotClaim, *, wait: bool) -> Answer:
        def work(connection: Connection, look: _Look) -> Answer:
            there = {name: look.limits[name].slots for name in claim.names if name in look.limits}
            missing = tuple(name for name in claim.names if name not in there)
            too_small = tuple(name for name, most in there.items() if 0 < most < claim.slots)
            if too_small or not there:
                return Answer(held=not too_small, missing=missing, too_small=too_small)
            held = look.holds
            if held is None:
                execute(connection, _SQL["put_claim"], (*claim_values(claim), list(claim.names)))
                held = claim.id in _let_in(connection, look, tuple(there), asks=claim)
            if not held and not wait:
                _end(connection, {claim.id: -1}, look)
            return Answer(held=held, missing=missing)

        return self._locked(claim.names, work, claim=claim.id)

    def release_slots(self, claim: str) -> list[str]:
        return self._end_and_let_in({claim: -1}, tell=False)

    def end_claims(self, seen: Mapping[str, int]) -> list[str]:
        return self._end_and_let_in(seen, tell=True)

    def standing(self, claims: Sequence[str]) -> dict[str, bool]:
        return {id: bool(held) for id, held in self._database.fetch(_SQL["standing"], (list(claims),))}

    def renew(self, claims: Sequence[str]) -> list[str]:
        found = self._database.transact(lambda connection: fetch(connection, _SQL["renew"], (list(claims),)))
        there = {id for (id,) in found}
        return [id for id in claims if id not in there]

    def claims(self, *, names: Sequence[str] = (), root: str = "") -> list[SlotClaim]:
        wheres: list[str] = ["true"]
        values: list[Any] = []
        if names:
            wheres.append(_TIED)
            values.append(list(names))
        if root:
            wheres.append("root <> '' AND root = %s")
            values.append(root)
        rows = self._database.fetch(_SQL["claims"].replace("{where}", " AND ".join(wheres)), values)
        return [claim_of(row) for row in rows]

    def take_turn(self, names: Sequence[str], slots: int, *, now: float, patience: float) -> Turn:
        def work(connection: Connection, look: _Look) -> Turn:
            limits = {name: limit for name, limit in look.limits.items() if name in names}
            turn = take_turn(limits, names, slots, now=now, patience=patience)
            if turn.taken:
                for limit in limits.values():
                    after = after_turn(limit, slots, wait=turn.wait, now=now)
                    execute(connection, _SQL["put_limit"], limit_values(after))
                next_changes(connection)
            return turn

        return self._locked(names, work)

    def version(self) -> int:
        return int(self._database.fetch(_SQL["version"])[0][0])

    def _end_and_let_in(self, seen: Mapping[str, int], *, tell: bool) -> list[str]:
        def work(connection: Connection, look: _Look) -> list[str]:
            freed = _end(connection, seen, look)
            return _let_in(connection, look, freed, tell=tell) if freed else []

        # A claim keeps its names for as long as it is there.
        rows = self._database.fetch(_SQL["names_of"], (list(seen),))
        return self._locked({name for (text,) in rows for name in unpack_names(text)}, work)

    def _locked(self, names: Iterable[str], work: Callable[[Connection, _Look], T], *, claim: str = "") -> T:
        """Return what `work` returns, done while nobody else changes these limits and those that are tied to them.

        Which ones are tied is known only under the locks, and a lock that is missing may not be taken out of turn.
        So then it begins anew, with all of them.
        """
        wanted = set(names)

        def step(connection: Connection) -> tuple[set[str], T | None]:
            look = _look(connection, wanted, claim)
            return look.names, work(connection, look) if look.names <= wanted else None

        while True:
            found, done = self._database.transact(step)
            if found <= wanted:
                return done  # type: ignore[return-value]  # it is `None` only where a lock was missing
            wanted = found


def lock_number(name: str) -> int:
    """Return the number of the lock of a limit."""
    return int.from_bytes(blake2b(b"nadi limit " + name.encode(), digest_size=8).digest(), "big", signed=True)


def _look(connection: Connection, names: set[str], claim: str) -> _Look:
    """Take the locks of some limits and see how these stand."""
    locks = sorted({lock_number(name) for name in names})
    with connection.pipeline():
        execute(connection, _SQL["lock_names"], (locks,))
        [(waiting, limits, used, holds)] = fetch(connection, _SQL["look"], {"names": list(names), "claim": claim})
    together = [set(unpack_names(text)) for text in waiting or ()]
    tied, grows = set(names), True
    while grows:
        grows = False
        for one in together:
            if not tied.isdisjoint(one) and not one <= tied:
                tied |= one
                grows = True
    return _Look(
        names=tied,
        has_line=any(not tied.isdisjoint(one) for one in together),
        limits={row[0]: limit_of(row) for row in limits or ()},
        used=dict(used or {}),
        holds=None if holds is None else bool(holds),
    )


def _let_in(
    connection: Connection, look: _Look, freed: Sequence[str], *, asks: SlotClaim | None = None, tell: bool = False
) -> list[str]:
    """Let in who comes next, within the write transaction that is open; see `LimitTable`.

    `asks` is the claim that was just made, the last in the line, and that nobody has to be told of. With `tell` the
    version grows in any case: last, since all who change it share its row, and nobody may wait for who waits for that.
    """

    def slots(name: str) -> int | None:
        return look.limits[name].slots if name in look.limits else None

    line = _line(connection, look.names) if look.has_line else iter(() if asks is None else (asks,))
    found = let_in(slots, lambda name: look.used.get(name, 0), line, freed=freed)
    ids = [claim.id for claim in found]
    with connection.pipeline():
        if ids:
            execute(connection, _SQL["hold"], (ids,))
        next_changes(connection)
        if tell or any(asks is None or id != asks.id for id in ids):
            execute(connection, _SQL["next_version"])
    return ids


def _line(connection: Connection, names: set[str]) -> Iterator[SlotClaim]:
    """Yield who waits for one of these limits, in order."""
    place = 0
    while rows := fetch(connection, _LINE, (place, list(names))):
        yield from (claim_of(row) for row in rows)
        place = rows[-1][-1]
        if len(rows) < _PAGE:
            return


def _end(connection: Connection, seen: Mapping[str, int], look: _Look) -> list[str]:
    """Delete claims, each if it still has these renewals; returns the names that they had."""
    ended = fetch(connection, _SQL["end_claims"], (list(seen), list(seen.values()), list(look.names)))
    for names, slots, held in ended:
        for name in unpack_names(names):
            look.used[name] = look.used.get(name, 0) - slots * held
    return sorted({name for names, _, _ in ended for name in unpack_names(names)})
