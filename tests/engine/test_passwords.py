"""Passwords and keys: kept so that nobody can read them, compared so that nobody learns from the clock."""

from __future__ import annotations

import pytest

from nadi.engine.credentials import digest_of, is_key, is_same, new_key_text, parse_key
from nadi.engine.passwords import (
    COST,
    MAX_LENGTH,
    Cost,
    check_new_password,
    hash_password,
    is_password,
    wants_rehash,
)
from nadi.exceptions import CallError
from nadi.model.access import ApiKey

CHEAP = Cost(16, 1, 1)


def test_a_password_is_known_by_its_hash_and_no_other_is() -> None:
    kept = hash_password("correct horse battery", CHEAP)

    assert is_password("correct horse battery", kept)
    assert not is_password("correct horse batterx", kept)
    assert not is_password("", kept)


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("correct horse battery", CHEAP) != hash_password("correct horse battery", CHEAP)


def test_a_password_typed_in_another_composition_is_the_same() -> None:
    kept = hash_password("pässwörter sind lang", CHEAP)

    assert is_password("pässwörter sind lang", kept)


def test_nobody_has_the_empty_hash_whatever_is_given() -> None:
    assert not is_password("", "")
    assert not is_password("correct horse battery", "")


@pytest.mark.parametrize(
    "kept", ["plain", "scrypt$1$2", "scrypt$16$1$1$x$y$z", "md5$16$1$1$aaaa$aaaa", "scrypt$a$b$c$d$e"]
)
def test_what_is_no_hash_of_ours_fits_no_password(kept: str) -> None:
    assert not is_password("plain", kept)
    assert not wants_rehash(kept)


def test_a_hash_of_less_than_new_ones_cost_is_made_anew() -> None:
    kept = hash_password("correct horse battery", CHEAP)

    assert wants_rehash(kept)
    assert wants_rehash(kept, Cost(16, 1, 2))
    assert not wants_rehash(kept, CHEAP)


def test_a_new_hash_takes_32_megabytes_to_compute() -> None:
    assert 128 * COST.n * COST.r == 32 << 20


@pytest.mark.parametrize(
    "password", ["", "eleven char", "aaaaaaaaaaaaaaa", "x" * 3 + "y" * (MAX_LENGTH), "charlotte2026!!"]
)
def test_passwords_that_are_too_short_too_long_or_too_easy_are_refused(password: str) -> None:
    with pytest.raises(CallError):
        check_new_password(password, user="charlotte")


def test_a_key_is_read_as_it_was_made_and_fits_only_its_own_digest() -> None:
    text, other = new_key_text(), new_key_text()
    kept = ApiKey(id=text.id, name="k", user="ada", digest=digest_of(text.secret))

    assert parse_key(str(text)) == text
    assert is_key(text, kept)
    assert not is_key(other, kept)
    assert not is_key(text, None)
    assert text.secret not in repr(kept)


@pytest.mark.parametrize(
    "text", ["", "nadi_", "nothing", "nadi_install_" + "a" * 52, "nadi_aaaaaaaaaaaa_" + "A" * 52, "nadi_a_b_c"]
)
def test_what_is_no_key_is_not_read_as_one(text: str) -> None:
    assert parse_key(text) is None


def test_an_empty_secret_equals_none() -> None:
    assert is_same("a", "a")
    assert not is_same("a", "b")
    assert not is_same("", "")
