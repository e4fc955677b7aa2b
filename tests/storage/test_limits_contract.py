"""What every store promises of limits: slots, the line of those that wait, and rates."""

from __future__ import annotations

import random
from typing import Any

import pytest

from nadi.model.limits import Answer, SlotClaim
from nadi.storage.contract import Store

T0 = 1_000_000.0


def claim(id: str, *names: str, slots: int = 1, **fields: Any) -> SlotClaim:
    return SlotClaim(id=id, names=names or ("db",), slots=slots, holder="me", term=300.0, at=T0, **fields)


def limit(store: Store, name: str = "db", slots: int = 1, decay: float = 0.0) -> None:
    store.limits.set_limit(name, slots=slots, decay=decay, now=T0)


def ask(store: Store, id: str, *names: str, slots: int = 1) -> bool:
    return store.limits.claim_slots(claim(id, *names, slots=slots), wait=True).held


def holding(store: Store) -> list[str]:
    return [one.id for one in store.limits.claims() if one.held]


def waiting(store: Store) -> list[str]:
    return [one.id for one in store.limits.claims() if not one.held]


def test_slots_are_given_until_none_is_free(store: Store) -> None:
    limit(store, slots=2)

    assert [ask(store, id) for id in "abc"] == [True, True, False]
    assert (holding(store), waiting(store)) == (["a", "b"], ["c"])


def test_a_released_slot_goes_to_who_waits_longest(store: Store) -> None:
    limit(store)
    for id in "abc":
        ask(store, id)

    assert store.limits.release_slots("a") == ["b"]
    assert (holding(store), waiting(store)) == (["b"], ["c"])


def test_who_does_not_wait_leaves_nothing_in_the_line(store: Store) -> None:
    limit(store)
    ask(store, "a")

    answer = store.limits.claim_slots(claim("b"), wait=False)

    assert answer == Answer(held=False)
    assert waiting(store) == []


def test_nobody_passes_the_line_by_asking_for_less(store: Store) -> None:
    limit(store, slots=2)
    ask(store, "a")
    ask(store, "b", slots=2)

    assert ask(store, "c") is False
    assert store.limits.release_slots("a") == ["b"]
    assert store.limits.release_slots("b") == ["c"]


def test_slots_of_several_limits_are_taken_all_or_none(store: Store) -> None:
    limit(store, "db")
    limit(store, "gpu")
    ask(store, "a", "db")

    assert ask(store, "b", "gpu", "db") is False
    assert [one.id for one in store.limits.claims(names=["gpu"]) if one.held] == []
    assert store.limits.release_slots("a") == ["b"]


def test_the_order_of_names_leads_to_no_deadlock(store: Store) -> None:
    limit(store, "db")
    limit(store, "gpu")
    ask(store, "a", "db", "gpu")
    ask(store, "b", "gpu", "db")
    ask(store, "c", "db", "gpu")

    assert [store.limits.release_slots(id) for id in "abc"] == [["b"], ["c"], []]


def test_who_waits_for_another_limit_stops_nobody(store: Store) -> None:
    limit(store, "db")
    limit(store, "gpu")
    ask(store, "a", "db")
    ask(store, "b", "db")

    assert ask(store, "c", "gpu") is True


def test_names_without_a_limit_limit_nothing_and_are_told(store: Store) -> None:
    limit(store, "db")

    answer = store.limits.claim_slots(claim("a", "db", "nowhere"), wait=True)

    assert answer == Answer(held=True, missing=("nowhere",))


def test_a_claim_of_missing_limits_only_is_not_kept(store: Store) -> None:
    answer = store.limits.claim_slots(claim("a", "nowhere"), wait=True)

    assert answer == Answer(held=True, missing=("nowhere",))
    assert store.limits.claims() == []


def test_more_slots_than_a_limit_has_are_refused_at_once(store: Store) -> None:
    limit(store, slots=2)

    answer = store.limits.claim_slots(claim("a", slots=3), wait=True)

    assert answer == Answer(held=False, too_small=("db",))
    assert store.limits.claims() == []


def test_a_closed_limit_lets_in_when_it_opens(store: Store) -> None:
    limit(store, slots=0)
    ask(store, "a")

    limit(store, slots=1)

    assert holding(store) == ["a"]


def test_who_came_for_more_than_a_lowered_limit_has_stops_nobody(store: Store) -> None:
    limit(store, slots=3)
    ask(store, "a", slots=3)
    ask(store, "b", slots=3)
    ask(store, "c")

    limit(store, slots=2)
    store.limits.release_slots("a")

    assert (holding(store), waiting(store)) == (["c"], ["b"])


def test_a_removed_limit_lets_in_who_waits_for_it(store: Store) -> None:
    limit(store)
    ask(store, "a")
    ask(store, "b")

    assert store.limits.remove_limit("db") is True
    assert store.limits.remove_limit("db") is False
    assert holding(store) == ["a", "b"]
    assert store.limits.limits() == []


def test_a_claim_is_made_once(store: Store) -> None:
    limit(store, slots=3)
    ask(store, "a")

    assert ask(store, "a") is True
    assert holding(store) == ["a"]


def test_giving_up_a_place_in_the_line_lets_the_next_one_in(store: Store) -> None:
    limit(store, slots=2)
    ask(store, "a")
    ask(store, "b", slots=2)
    ask(store, "c")

    assert store.limits.release_slots("b") == ["c"]
    assert store.limits.release_slots("b") == []


def test_a_claim_of_a_dead_process_is_ended_only_if_it_was_not_renewed_since(store: Store) -> None:
    limit(store)
    ask(store, "a")
    ask(store, "b")
    assert store.limits.renew(["a", "b"]) == []

    assert store.limits.end_claims({"a": 0}) == []
    assert store.limits.end_claims({"a": 1}) == ["b"]
    assert store.limits.renew(["a", "b"]) == ["a"]


def test_the_version_grows_when_somebody_is_let_in_and_only_then(store: Store) -> None:
    limit(store)
    ask(store, "a")
    before = store.limits.version()

    ask(store, "b")
    waited = store.limits.version()
    store.limits.release_slots("a")

    assert waited == before
    assert store.limits.version() > waited
    assert store.limits.standing(["a", "b"]) == {"b": True}


def test_every_change_moves_the_change_number_of_the_store(store: Store) -> None:
    seen = [store.last_change()]
    limit(store, decay=1.0)
    seen.append(store.last_change())
    ask(store, "a")
    seen.append(store.last_change())
    store.limits.take_turn(["db"], 1, now=T0, patience=9.0)
    seen.append(store.last_change())
    store.limits.release_slots("a")
    seen.append(store.last_change())

    assert seen == sorted(set(seen))


def test_a_claim_is_read_as_it_was_made(store: Store) -> None:
    limit(store)
    made = claim("a", "db", label="importer", root="r", run="f", task="t")

    store.limits.claim_slots(made, wait=True)
    store.limits.renew(["a"])

    [found] = store.limits.claims(root="r")
    assert (found.held, found.renewals) == (True, 1)
    assert (found.names, found.label, found.run, found.task) == (("db",), "importer", "f", "t")
    assert (found.holder, found.term, found.at) == ("me", 300.0, T0)
    assert store.limits.claims(root="other") == []


def test_claims_and_line_obey_the_rules_for_random_asks(store: Store) -> None:
    chance = random.Random(7)
    sizes = {"a": 2, "b": 3, "c": 1}
    for name, slots in sizes.items():
        limit(store, name, slots)

    for number in range(150):
        if chance.random() < 0.55:
            names = chance.sample(sorted(sizes), chance.randint(1, 3))
            ask(store, f"{number:03}", *names, slots=1)
        elif found := store.limits.claims():
            store.limits.release_slots(chance.choice(found).id)
        claims = store.limits.claims()
        used = {name: sum(one.slots for one in claims if one.held and name in one.names) for name in sizes}
        assert all(used[name] <= most for name, most in sizes.items())
        line = [one for one in claims if not one.held]
        # The first of the line is never kept waiting for nothing.
        assert not line or any(used[name] == sizes[name] for name in line[0].names)


# -- rates --


def turn(store: Store, *names: str, now: float = T0, slots: int = 1, patience: float = 1e9) -> float:
    return store.limits.take_turn(names or ("api",), slots, now=now, patience=patience).wait


def test_a_rate_gives_its_slots_at_once_and_then_as_they_come_back(store: Store) -> None:
    limit(store, "api", slots=2, decay=0.5)

    assert [turn(store) for _ in range(4)] == [0.0, 0.0, 2.0, 4.0]


def test_time_gives_slots_back_but_never_more_than_there_are(store: Store) -> None:
    limit(store, "api", slots=2, decay=0.5)
    for _ in range(3):
        turn(store)

    assert [turn(store, now=T0 + 60.0) for _ in range(3)] == [0.0, 0.0, 2.0]


def test_a_turn_that_comes_too_late_is_not_taken(store: Store) -> None:
    limit(store, "api", slots=1, decay=0.1)
    turn(store)

    late = store.limits.take_turn(["api"], 1, now=T0, patience=9.0)

    assert (late.taken, late.wait) == (False, 10.0)
    assert turn(store) == 10.0


def test_a_clock_that_goes_back_gives_nothing(store: Store) -> None:
    limit(store, "api", slots=1, decay=1.0)
    turn(store, now=T0 + 100.0)

    assert turn(store, now=T0) == 1.0
    assert turn(store, now=T0 + 100.0) == 2.0


def test_a_rate_without_decay_and_too_large_a_step_are_told(store: Store) -> None:
    limit(store, "db", slots=1)
    limit(store, "api", slots=1, decay=1.0)

    without = store.limits.take_turn(["db", "nowhere"], 1, now=T0, patience=1.0)
    large = store.limits.take_turn(["api"], 2, now=T0, patience=1.0)

    assert (without.taken, without.without_decay, without.missing) == (False, ("db",), ("nowhere",))
    assert (large.taken, large.too_small) == (False, ("api",))


def test_changing_a_limit_keeps_what_its_rate_has_given(store: Store) -> None:
    limit(store, "api", slots=1, decay=1.0)
    turn(store)

    store.limits.set_limit("api", slots=1, decay=0.5, now=T0)

    assert turn(store) == 2.0


@pytest.mark.parametrize("seed", range(3))
def test_no_window_of_time_sees_more_turns_than_the_rate_allows(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    rates = {"a": (3, 2.0), "b": (1, 0.7)}
    for name, (slots, decay) in rates.items():
        limit(store, name, slots, decay)
    now, used = T0, []
    for _ in range(80):
        now += chance.random() * 0.4
        names = chance.choice([("a",), ("b",), ("a", "b"), ("b", "a")])
        used += [(now + turn(store, *names, now=now), name) for name in names]

    for name, (slots, decay) in rates.items():
        times = sorted(at for at, which in used if which == name)
        for first, begin in enumerate(times):
            for last in range(first, len(times)):
                assert last - first + 1 <= slots + decay * (times[last] - begin) + 1e-6
