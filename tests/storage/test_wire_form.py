"""Client and server may be one minor version apart: what travels only ever grows."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.storage.wire_form import PINNED, SAMPLES, breaches, described


@pytest.fixture
def pinned() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PINNED.read_text())
    return found


def test_what_the_last_version_says_and_understands_is_still_said_and_understood(pinned: dict[str, Any]) -> None:
    assert breaches(pinned, described()) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_bytes_of_the_last_version_are_read_as_what_they_meant(name: str, pinned: dict[str, Any]) -> None:
    value, kind = SAMPLES[name]

    read = msgspec.msgpack.decode(bytes.fromhex(pinned["samples"][name]), type=kind)

    assert read == value


@pytest.mark.parametrize("name", SAMPLES)
def test_the_last_version_finds_in_new_bytes_all_that_it_knows(name: str, pinned: dict[str, Any]) -> None:
    value, _ = SAMPLES[name]

    old = msgspec.msgpack.decode(bytes.fromhex(pinned["samples"][name]))
    new = msgspec.msgpack.decode(msgspec.msgpack.encode(value))

    assert _begins_with(new, old)


def _begins_with(new: Any, old: Any) -> bool:
    if isinstance(old, dict):
        return isinstance(new, dict) and all(name in new and _begins_with(new[name], old[name]) for name in old)
    if isinstance(old, list):
        return isinstance(new, list) and len(new) >= len(old) and all(map(_begins_with, new, old))
    return bool(new == old)


def _fields(form: dict[str, Any], name: str) -> list[Any]:
    fields: list[Any] = form["kinds"][name]["fields"]
    return fields


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], bool]] = {
    "a field with a default at the end": (lambda form: _fields(form, "LogLine").append(["new", "str", True]), True),
    "a field with a default in a map": (lambda form: _fields(form, "FlowRun").insert(3, ["new", "str", True]), True),
    "a new call": (lambda form: form["calls"].update({"/api/store/runs/new": {}}), True),
    "a field in the middle of an array": (lambda form: _fields(form, "LogLine").insert(3, ["new", "str", True]), False),
    "a field without a default": (lambda form: _fields(form, "FlowRun").append(["new", "str", False]), False),
    "a field that is renamed": (lambda form: _fields(form, "FlowRun")[0].__setitem__(0, "identity"), False),
    "a field that is removed": (lambda form: _fields(form, "LogLine").pop(), False),
    "a field of another type": (lambda form: _fields(form, "LogLine")[-1].__setitem__(1, "int"), False),
    "a new state": (lambda form: form["kinds"]["StateType"]["values"].append("SLEEPING"), False),
    "a state that is removed": (lambda form: form["kinds"]["StateType"]["values"].pop(), False),
    "a call that is removed": (lambda form: form["calls"].popitem(), False),
    "another tag": (lambda form: form["kinds"]["LogLine"].update(tag="line"), False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_growing_is_allowed_and_changing_is_not(change: str) -> None:
    make, is_allowed = CHANGES[change]
    before = described()
    after = copy.deepcopy(before)
    make(after)

    assert (breaches(before, after) == []) is is_allowed
