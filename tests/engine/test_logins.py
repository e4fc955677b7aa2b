"""What a server remembers of logins: codes of links, tries, and refusals in the audit log."""

from __future__ import annotations

from nadi.engine.logins import LINK_TERM, MOST_LINKS, LoginCodes, Tries, network_of
from nadi.engine.refusals import MOST_AN_HOUR, Refusals
from nadi.model.access import AuditEntry
from nadi.storage.memory import MemoryStore

T0 = 1_000_000.0


def test_a_login_code_works_once() -> None:
    codes = LoginCodes()
    code = codes.make(0.0)

    assert codes.take(code, 1.0)
    assert not codes.take(code, 1.0)


def test_a_login_code_ends_after_its_term() -> None:
    codes = LoginCodes()
    early, late = codes.make(0.0), codes.make(0.0)

    assert codes.take(early, LINK_TERM - 1)
    assert not codes.take(late, LINK_TERM)


def test_unknown_codes_and_those_beyond_the_most_open_nothing() -> None:
    codes = LoginCodes()
    made = [codes.make(0.0) for _ in range(MOST_LINKS + 1)]

    assert not codes.take("", 0.0)
    assert not codes.take("a" * 52, 0.0)
    assert not codes.take(made[0], 0.0)
    assert codes.take(made[1], 0.0)


def test_tries_are_used_up_and_come_back_one_by_one() -> None:
    tries = Tries(tries=3, returns=60.0)

    assert [tries.take(["ada"], 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 60.0]
    assert tries.take(["ada"], 30.0) == 30.0
    assert tries.take(["ada"], 60.0) == 0.0
    assert tries.take(["ada"], 60.0) == 60.0
    assert tries.take(["bob"], 60.0) == 0.0


def test_a_try_counts_for_every_key_or_for_none() -> None:
    tries = Tries(tries=2, returns=60.0)
    for _ in range(2):
        tries.take(["address", "ada"], 0.0)

    assert tries.take(["address", "bob"], 0.0) == 60.0
    assert [tries.take(["elsewhere", "bob"], 0.0) for _ in range(2)] == [0.0, 0.0]


def test_a_try_that_was_no_failure_is_given_back() -> None:
    tries = Tries(tries=1, returns=60.0)

    for _ in range(5):
        assert tries.take(["ada"], 0.0) == 0.0
        tries.give_back(["ada"], 0.0)

    assert len(tries) == 0


def test_a_flood_of_names_takes_no_more_room_than_allowed() -> None:
    tries = Tries(tries=1, most=100)

    for number in range(1000):
        tries.take([f"name {number}"], 0.0)

    assert len(tries) == 100
    assert tries.take(["name 999"], 0.0) > 0


def test_a_clock_that_stands_still_gives_no_tries_back() -> None:
    tries = Tries(tries=1, returns=60.0)
    tries.take(["ada"], 100.0)

    assert tries.take(["ada"], 40.0) == 60.0


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("a socket") == "a socket"


def refused(at: float = T0, origin: str = "192.0.2.7", status: int = 401) -> AuditEntry:
    return AuditEntry(at=at, who="", how="", origin=origin, action="login", status=status)


def test_equal_refusals_within_a_minute_are_one_entry_that_tells_how_many() -> None:
    store, refusals = MemoryStore(), Refusals()

    for number in range(9):
        refusals.note(store.access, refused(T0 + number))
    refusals.note(store.access, refused(T0 + 1, status=429))
    refusals.note(store.access, refused(T0 + 61))

    assert [(one.at, one.detail) for one in store.access.audit()] == [
        (T0 + 61, b"{}"),
        (T0 + 1, b"{}"),
        (T0, b'{"times":8}'),
    ]


def test_a_flood_from_everywhere_ends_in_one_entry() -> None:
    store, refusals = MemoryStore(), Refusals()

    for number in range(1000):
        refusals.note(store.access, refused(T0 + number / 100, origin=f"origin {number}"))
    found = store.access.audit(limit=2000)
    refusals.note(store.access, refused(T0 + 3700, origin="origin 1"))

    assert len(found) == MOST_AN_HOUR + 1
    assert (found[0].action, found[0].detail) == ("many_refused", b'{"times":512}')
    assert store.access.audit(limit=1)[0].origin == "origin 1"
