"""What every store promises of users, keys, sessions, the audit log, and answers that were given once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from nadi.model.access import ApiKey, AuditEntry, Permission, Role, Session, User
from nadi.storage.contract import Store
from nadi.storage.contracts.access import MOST_SESSIONS

T0 = 1_000_000.0


def user(store: Store, name: str = "ada", role: Role = Role.OPERATOR, password: str = "hash") -> User:
    made = User(name=name, role=role, password=password, created=T0)
    assert store.access.add_user(made)
    return made


def key(id: str, user: str = "ada", created: float = T0, **fields: Any) -> ApiKey:
    return ApiKey(id=id, name=f"key {id}", user=user, digest=id.encode() * 8, created=created, **fields)


def session(number: int, user: str = "ada", created: float = T0, lasts: float = 100.0) -> Session:
    return Session(digest=number.to_bytes(32), user=user, created=created, expires=created + lasts, used=created)


def log_in(store: Store, number: int, user: str = "ada", **fields: Any) -> bool:
    made = session(number, user, **fields)
    return store.access.put_session(made, password="hash", now=made.created)


def is_open(store: Store, number: int) -> bool:
    return store.access.session(number.to_bytes(32)) is not None


# -- users --


def test_users_are_listed_by_name_and_read_as_they_were_made(store: Store) -> None:
    made = [user(store, name, role) for name, role in (("bob", Role.VIEWER), ("ada", Role.ADMIN))]

    assert store.access.users() == made[::-1]
    assert store.access.user("bob") == made[0]
    assert store.access.user("BOB") is None


def test_a_name_is_given_once(store: Store) -> None:
    first = user(store)

    assert store.access.add_user(User(name="ada", role=Role.ADMIN)) is False
    assert store.access.users() == [first]


def test_a_change_leaves_alone_what_it_does_not_name(store: Store) -> None:
    made = user(store)

    assert store.access.change_user("ada", role=Role.VIEWER) == msgspec.structs.replace(made, role=Role.VIEWER)
    assert store.access.change_user("ada", disabled=True) == msgspec.structs.replace(
        made, role=Role.VIEWER, disabled=True
    )
    assert store.access.change_user("nobody", role=Role.ADMIN) is None


def test_a_new_password_and_being_disabled_end_the_sessions_of_that_user_only(store: Store) -> None:
    user(store)
    user(store, "bob")

    for number, change in enumerate(({"password": "other", "was": None}, {"disabled": True})):
        assert log_in(store, 1, "bob")
        store.access.change_user("ada", password="hash", disabled=False)
        assert log_in(store, 2 + number)
        store.access.change_user("ada", **change)  # type: ignore[arg-type]  # one or the other
        assert (is_open(store, 1), is_open(store, 2 + number)) == (True, False)
        store.access.remove_sessions(user="bob")


def test_another_hash_of_the_same_password_is_taken_only_for_the_one_it_stands_for(store: Store) -> None:
    user(store)
    assert log_in(store, 1)

    assert store.access.change_user("ada", password="dearer", was="not this") is None
    changed = store.access.change_user("ada", password="dearer", was="hash")

    assert changed is not None
    assert changed.password == "dearer"
    assert is_open(store, 1)


def test_a_removed_user_takes_keys_and_sessions_along(store: Store) -> None:
    for name in ("ada", "bob"):
        user(store, name)
        assert store.access.put_key(key(f"of-{name}", name))
    assert log_in(store, 1)
    assert log_in(store, 2, "bob")

    assert store.access.remove_user("ada") is True
    assert store.access.remove_user("ada") is False

    assert [one.id for one in store.access.keys_of()] == ["of-bob"]
    assert (is_open(store, 1), is_open(store, 2)) == (False, True)
    user(store)
    assert store.access.keys_of("ada") == []


# -- keys --


def test_keys_are_listed_newest_first_and_read_as_they_were_made(store: Store) -> None:
    user(store)
    user(store, "bob")
    made = [
        key("a", scopes=(Permission.RECORD, Permission.READ), expires=T0 + 5),
        key("b", "bob", T0 + 1),
        key("c", created=T0 + 2),
    ]
    assert all(store.access.put_key(one) for one in made)

    assert store.access.keys_of() == made[::-1]
    assert store.access.keys_of("ada") == [made[2], made[0]]
    assert store.access.key("a") == made[0]
    assert store.access.key("d") is None


def test_a_key_is_made_once_and_only_for_a_user_that_is_there(store: Store) -> None:
    user(store)

    assert store.access.put_key(key("a", "nobody")) is False
    assert store.access.put_key(key("a")) is True
    assert store.access.put_key(key("a", created=T0 + 9)) is False
    assert store.access.keys_of() == [key("a")]


def test_the_last_use_of_a_key_is_noted_and_a_removed_key_is_gone(store: Store) -> None:
    user(store)
    store.access.put_key(key("a"))

    store.access.note_use("a", T0 + 60)
    store.access.note_use("gone", T0)

    assert store.access.key("a") == key("a", used=T0 + 60)
    assert (store.access.remove_key("a"), store.access.remove_key("a")) == (True, False)
    assert store.access.key("a") is None


# -- sessions --


def test_a_session_is_kept_only_for_the_password_that_stands(store: Store) -> None:
    user(store)

    assert log_in(store, 1)
    store.access.change_user("ada", password="changed meanwhile")
    assert log_in(store, 2) is False
    store.access.change_user("ada", password="hash", disabled=True)
    assert log_in(store, 3) is False
    assert log_in(store, 4, "nobody") is False
    assert log_in(store, 5, "") is True
    assert [is_open(store, number) for number in range(1, 6)] == [False, False, False, False, True]


def test_a_session_is_read_as_it_was_made_and_notes_when_it_was_seen(store: Store) -> None:
    user(store)
    assert log_in(store, 1)

    store.access.note_session(session(1).digest, T0 + 60)

    assert store.access.session(session(1).digest) == msgspec.structs.replace(session(1), used=T0 + 60)


def test_expired_sessions_are_forgotten_when_another_begins(store: Store) -> None:
    assert log_in(store, 1, "", lasts=10.0)
    assert log_in(store, 2, "", created=T0 + 9)
    assert is_open(store, 1)

    assert log_in(store, 3, "", created=T0 + 10)

    assert [is_open(store, number) for number in (1, 2, 3)] == [False, True, True]


def test_one_session_more_than_a_user_may_have_ends_the_oldest(store: Store) -> None:
    user(store)
    assert log_in(store, 1, "")

    for number in range(MOST_SESSIONS + 1):
        assert log_in(store, 10 + number, created=T0 + number / 100)

    assert [is_open(store, number) for number in (1, 10, 11, 10 + MOST_SESSIONS)] == [True, False, True, True]


def test_sessions_are_ended_one_by_one_or_all_of_a_user(store: Store) -> None:
    user(store)
    for number in (1, 2, 3):
        assert log_in(store, number)
    assert log_in(store, 4, "")

    assert store.access.remove_sessions(digest=session(1).digest) == 1
    assert store.access.remove_sessions(digest=session(1).digest) == 0
    assert store.access.remove_sessions(user="ada") == 2
    assert [is_open(store, number) for number in (1, 2, 3, 4)] == [False, False, False, True]


def test_nothing_is_left_of_a_user_who_is_removed_while_others_give_keys_and_sessions(store: Store) -> None:
    for number in range(8):
        user(store)
        with ThreadPoolExecutor(3) as pool:
            made = pool.submit(store.access.put_key, key(f"k{number}"))
            logged_in = pool.submit(log_in, store, number)
            removed = pool.submit(store.access.remove_user, "ada")
        assert removed.result() is True
        # Each came before, and went with the user, or after, and was refused.
        assert {made.result(), logged_in.result()} <= {True, False}
        assert store.access.keys_of() == []
        assert not is_open(store, number)


def test_no_session_of_the_old_password_outlives_its_change(store: Store) -> None:
    for number in range(8):
        user(store)
        with ThreadPoolExecutor(2) as pool:
            pool.submit(log_in, store, number)
            pool.submit(store.access.change_user, "ada", password="another")
        assert not is_open(store, number)
        store.access.remove_user("ada")


# -- audit --


def entry(at: float = T0, **fields: Any) -> AuditEntry:
    told = {"who": "ada", "how": "key", "origin": "192.0.2.7", "action": "cancel_run", "subject": "r1", "status": 202}
    return AuditEntry(at=at, **{**told, **fields})


def seqs(found: list[AuditEntry]) -> list[int]:
    return [one.seq for one in found]


def test_an_entry_is_read_as_it_was_noted(store: Store) -> None:
    noted = entry(detail=b'{"grace":10}')

    seq = store.access.note(noted)

    assert store.access.audit() == [msgspec.structs.replace(noted, seq=seq)]


def test_entries_come_newest_first_page_by_page(store: Store) -> None:
    made = [store.access.note(entry(T0 + number)) for number in range(5)]

    first = store.access.audit(limit=2)
    second = store.access.audit(limit=2, before=first[-1].seq)

    assert made == sorted(set(made))
    assert seqs(first) + seqs(second) == made[:0:-1]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({"who": "bob"}, [1]),
        ({"action": "login"}, [2]),
        ({"subject": "r2"}, [3]),
        ({"who": "ada", "since": T0 + 2}, [3, 2]),
        ({"since": T0 + 2}, [3, 2]),
        ({"since": T0 + 9}, []),
        ({"who": "bob", "action": "login"}, []),
    ],
)
def test_entries_are_found_by_who_what_and_when(store: Store, which: dict[str, Any], expected: list[int]) -> None:
    differing = [{}, {"who": "bob"}, {"action": "login"}, {"subject": "r2"}]
    made = [store.access.note(entry(T0 + number, **fields)) for number, fields in enumerate(differing)]

    assert [made.index(one.seq) for one in store.access.audit(**which)] == expected


def test_an_entry_of_a_clock_that_was_set_back_is_found_by_its_time(store: Store) -> None:
    late = store.access.note(entry(T0 + 100))
    early = store.access.note(entry(T0))

    assert seqs(store.access.audit(since=T0)) == [early, late]
    assert seqs(store.access.audit(since=T0 + 50)) == [late]


def test_the_detail_of_an_entry_is_amended(store: Store) -> None:
    seq = store.access.note(entry())

    store.access.amend(seq, b'{"times":4}')
    store.access.amend(seq + 1, b"{}")

    assert [one.detail for one in store.access.audit()] == [b'{"times":4}']


def test_old_entries_are_forgotten_in_bounded_steps_oldest_first(store: Store) -> None:
    made = [store.access.note(entry(T0 + number)) for number in range(5)]

    assert store.access.forget_audit(before=T0 + 4, limit=3) == 3
    assert seqs(store.access.audit()) == [made[4], made[3]]
    assert store.access.forget_audit(before=T0 + 4) == 1
    assert store.access.forget_audit(before=T0 + 4) == 0


def test_of_entries_noted_at_once_none_is_lost(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda number: store.access.note(entry(subject=str(number))), range(40)))

    assert len(set(made)) == 40
    assert seqs(store.access.audit()) == sorted(made, reverse=True)


# -- answers given once --


def test_a_key_is_taken_by_one_request_and_its_answer_is_given_again(store: Store) -> None:
    def take(request: bytes) -> tuple[bytes, bytes | None] | None:
        return store.access.reserve("ada/1", request=request, at=T0, forget_before=0.0)

    assert take(b"a") is None
    assert take(b"a") == (b"a", None)
    store.access.answered("ada/1", b"the answer")
    assert take(b"b") == (b"a", b"the answer")


def test_a_key_that_was_let_go_can_be_taken_again(store: Store) -> None:
    store.access.reserve("ada/1", request=b"a", at=T0, forget_before=0.0)

    store.access.answered("ada/1", None)

    assert store.access.reserve("ada/1", request=b"b", at=T0, forget_before=0.0) is None


def test_old_keys_are_forgotten(store: Store) -> None:
    store.access.reserve("old", request=b"a", at=T0, forget_before=0.0)
    store.access.reserve("young", request=b"a", at=T0 + 1, forget_before=0.0)

    assert store.access.reserve("young", request=b"a", at=T0 + 9, forget_before=T0 + 1) == (b"a", None)
    assert store.access.reserve("old", request=b"b", at=T0 + 9, forget_before=T0 + 1) is None


def test_of_many_that_take_a_key_at_once_one_gets_it(store: Store) -> None:
    def take(number: int) -> bool:
        return store.access.reserve("k", request=str(number).encode(), at=T0, forget_before=0.0) is None

    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(take, range(12)))

    assert got.count(True) == 1


# -- runs that were recorded from afar --


def test_who_recorded_a_run_from_afar_first_is_told_whatever_the_store_knows_of_it(store: Store) -> None:
    store.access.note_far(["a", "b"], who="ada", at=T0)
    store.access.note_far({"b", "c"}, who="bob", at=T0 + 1)
    store.access.note_far([], who="eve", at=T0)

    assert [store.access.far_recorder(root) for root in ("a", "b", "c", "d")] == ["ada", "ada", "bob", ""]
