from __future__ import annotations

import base64
import copy
import gc
import json
import os
import pickle
import threading
import urllib.parse
from collections.abc import Iterator

import msgspec
import pytest

from nadi.model.secrets import KEPT, Masker, Secret, encode_secret, mask, mask_value

VALUE = "p4ss/w0rd+\"'ü&\\x: y"


@pytest.fixture
def masker() -> Iterator[Masker]:
    masker = Masker()
    known = masker.learn(VALUE)
    yield masker
    assert known


def test_a_secret_hands_out_its_value_only_when_asked() -> None:
    secret = Secret("hunter2-value")

    assert secret.get() == "hunter2-value"
    assert repr(secret) == "Secret('****')"
    assert [str(secret), f"{secret}", f"{secret!r}", f"{secret:>6}"] == [
        "****", "****", "Secret('****')", "  ****",
    ]  # fmt: skip
    assert not hasattr(secret, "__dict__")


def test_secrets_are_equal_when_their_values_are() -> None:
    assert Secret("one-value") == Secret("one-value")
    assert Secret(b"one-value") == Secret(b"one-value")
    assert Secret("one-value") != Secret("two-value")
    assert Secret("one-value") != "one-value"
    assert Secret({"a": 1}) == Secret({"a": 1})
    assert len({Secret("one-value"), Secret("one-value")}) == 1


def test_a_secret_crosses_processes_as_a_secret() -> None:
    secret = Secret("pickled-value")

    for twin in (pickle.loads(pickle.dumps(secret)), copy.deepcopy(secret)):
        assert isinstance(twin, Secret)
        assert twin.get() == "pickled-value"


def test_json_shows_the_mask() -> None:
    told = {"password": Secret("json-value")}

    assert json.dumps(told, default=encode_secret) == '{"password": "****"}'
    assert msgspec.json.encode(told, enc_hook=encode_secret) == b'{"password":"****"}'


def test_a_plain_value_becomes_a_secret_and_a_secret_stays_itself() -> None:
    secret = Secret("coerced-value")

    assert Secret.__nadi_coerce__("coerced-value") == secret
    assert Secret.__nadi_coerce__(secret) is secret


def test_making_a_secret_masks_its_value_everywhere() -> None:
    secret = Secret("registered-value")

    assert mask(f"got {secret.get()}!") == "got ****!"
    assert mask_value({"registered-value": ["x registered-value", 1, (secret, None)]}) == {
        "****": ["x ****", 1, ("****", None)]
    }


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        repr(VALUE),
        repr(VALUE.encode()),
        json.dumps(VALUE),
        json.dumps(VALUE, ensure_ascii=False),
        urllib.parse.quote(VALUE),
        urllib.parse.quote(VALUE, safe=""),
        urllib.parse.quote_plus(VALUE),
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
        base64.b64encode(VALUE.encode()).decode().rstrip("="),
        VALUE.encode().hex(),
        VALUE.encode().hex().upper(),
    ],
)
def test_every_encoded_form_is_masked(masker: Masker, form: str) -> None:
    masked = masker.mask(f"before {form} after")

    assert masked.replace("'", "").replace('"', "").replace("b*", "*") == "before **** after"


@pytest.mark.parametrize("user", ["", "a", "an", "ann", "anna", "anna:b"])
@pytest.mark.parametrize("rest", ["", "z", "zz", "zzz"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_masked_at_every_place_in_a_longer_text(masker: Masker, user: str, rest: str, encode) -> None:  # type: ignore[no-untyped-def]
    encoded = encode(f"{user}{VALUE}{rest}".encode()).decode()

    masked = masker.mask(f"Basic {encoded}")

    shown = masked.replace("Basic ", "").replace("****", "")
    assert "****" in masked
    # What is left encodes the neighbours, and at most one character at either end is half the value's.
    assert len(shown.rstrip("=")) <= (len(user) + len(rest)) * 4 / 3 + 2


def test_the_quotes_in_a_value_are_found_whichever_way_repr_escapes_them() -> None:
    masker = Masker()
    known = masker.learn("it's-a-value")

    assert known
    assert masker.mask(repr("it's-a-value")) == '"****"'
    assert masker.mask(repr('say "it\'s-a-value"')) == "'say \"****\"'"


def test_the_longer_of_two_secrets_wins() -> None:
    masker = Masker()
    known = masker.learn("token"), masker.learn("token-long")

    assert known
    assert masker.mask("token token-long token-lo") == "**** **** ****-lo"


def test_the_lines_of_a_private_key_are_masked_one_by_one() -> None:
    masker = Masker()
    known = masker.learn("-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCB\nab==\n")

    assert known
    assert masker.mask("line 2: kiG9w0BAQEFAASCB") == "line 2: ****"


def test_strings_inside_a_secret_dict_are_masked_each_by_itself() -> None:
    masker = Masker()
    known = masker.learn({"user": {"password": "inner-value"}, "keys": [b"other-value"], "port": 5432})

    assert known
    assert masker.mask("inner-value other-value 5432 password") == "**** **** 5432 password"


def test_a_number_is_masked_and_a_truth_value_is_not() -> None:
    masker = Masker()
    known = masker.learn(90210), masker.learn(True)

    assert known
    assert masker.mask("pin 90210 is True") == "pin **** is True"


def test_values_that_would_mask_half_of_every_word_are_left() -> None:
    masker = Masker()
    known = masker.learn("ab"), masker.learn(""), masker.learn(None), masker.learn("x" * 70_000)

    assert known
    assert masker.mask("about None " + "x" * 70_000) == "about None " + "x" * 70_000


def test_without_secrets_text_is_handed_back_as_it_is() -> None:
    text, value = "nothing to hide", {"a": ["b"]}

    assert Masker().mask(text) is text
    assert Masker().mask_value(value) is value


def test_a_value_stays_masked_after_its_secret_is_gone_until_many_others_came() -> None:
    masker = Masker()
    masker.learn("gone-value")
    gc.collect()

    right_after = masker.mask("gone-value")
    others = [masker.learn(f"other-value-{n}") for n in range(KEPT)]
    gc.collect()
    long_after = masker.mask("gone-value")

    assert len(others) == KEPT
    assert (right_after, long_after) == ("****", "gone-value")


def test_a_living_secret_is_never_forgotten() -> None:
    masker = Masker()
    known = masker.learn("living-value")
    for n in range(2 * KEPT):
        masker.learn(f"other-value-{n}")

    assert known
    assert masker.mask("living-value") == "****"


def test_a_secret_made_in_one_thread_is_masked_in_all_at_once() -> None:
    masker = Masker()
    seen: list[str] = []

    def make_and_mask(name: str) -> None:
        for n in range(30):
            known = masker.learn(f"value-{name}-{n}-end")
            seen.append(masker.mask(f"value-{name}-{n}-end"))
            assert known

    threads = [threading.Thread(target=make_and_mask, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == ["****"] * 120


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_can_make_secrets_whoever_held_the_lock() -> None:
    masker = Masker()
    held, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with masker._lock:
            held.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        known = masker.learn("child-value")
        os._exit(0 if masker.mask("child-value") == "****" and known else 1)
    _, status = os.waitpid(child, 0)
    leave.set()
    thread.join()

    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize("limit", range(40))
def test_the_head_of_a_text_shows_no_half_of_a_secret(limit: int) -> None:
    masker = Masker()
    known = masker.learn("QWERTYUIOP")

    head = masker.mask_head("some text QWERTYUIOP and more", limit)

    assert known
    assert "Q" not in head
    assert "IOP" not in head
    assert len(head) <= max(limit, 14)


def test_random_data_is_not_taken_for_a_short_secret_in_another_encoding() -> None:
    masker = Masker()
    held = masker.learn("k3y!")
    by_chance = [form for form in (b"azN5", b"a2", b"M3kh") if form in base64.b64encode(b"\0\0k3y!\0\0k3y!\0k3y!")]

    assert by_chance
    assert not any(masker.occurs_in(form) for form in by_chance)
    assert masker.occurs_in(b"... k3y! ...")
    assert masker.occurs_in(b"... " + b"k3y!".hex().encode() + b" ...")
    assert held


def test_what_no_secret_holds_can_be_forgotten() -> None:
    masker = Masker()
    held = masker.learn("still-held-value")
    masker.learn("let-go-value")
    gc.collect()

    masker.forget_unheld()

    assert masker.mask("still-held-value let-go-value") == "**** let-go-value"
    assert held
