"""What travels between clients and servers, as a value that can be compared with what an earlier version had.

`python -m tests.storage.wire_form` writes `wire_form.json`, which is committed: do that with each release, and never
to make a failing test pass. Fields and calls may be added; what is there stays as it is. Where that cannot be,
`WIRE` and `OLDEST_WIRE` grow with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import msgspec

from nadi.model.records import AnyRecord
from nadi.model.results import ResultRef
from nadi.model.runs import RunFilter
from nadi.storage.contract import Applied, Refusal, Refused
from nadi.storage.http.calls import CALLS, Delivery, StoreGreeting, answer_type, argument_type
from tests.storage.telling import S, an_id, flow_begun, flow_moved, log_line, task_begun, task_moved

PINNED = Path(__file__).with_name("wire_form.json")

ROOT, TASK = an_id(1), an_id(10)
INLINE = ResultRef("inline", b"value", "", "pickle", 5, b"signature")
#: Values whose bytes are pinned; each with its type.
SAMPLES: dict[str, tuple[Any, Any]] = {
    "a flow run begins": (flow_begun(ROOT, tags=("a",), parameters=b'{"x":1}', arguments=INLINE), AnyRecord),
    "a task run begins": (task_begun(ROOT, TASK, upstream=(an_id(9),), map_index=3), AnyRecord),
    "a task run ends": (task_moved(ROOT, TASK, S.COMPLETED, result=INLINE), AnyRecord),
    "a flow run ends": (flow_moved(ROOT, S.FAILED, message="no", detail="long"), AnyRecord),
    "a log line": (log_line(ROOT, "hello"), AnyRecord),
    "a delivery": (Delivery("w", 7, [b"one", b"two"]), Delivery),
    "its answer": (Applied(8, (Refused(7, ROOT, 1, Refusal.FENCED),)), Applied),
    "a greeting": (StoreGreeting(id="x", url="sqlite:///x", version="1", wire=1, oldest_wire=1), StoreGreeting),
    "a question": (RunFilter(flow="f", states=(S.RUNNING,)), RunFilter),
}


def described() -> dict[str, Any]:
    """Return the wire form of this version."""
    kinds: dict[str, Any] = {}
    for kind in (AnyRecord, Delivery, Applied, StoreGreeting):
        _describe(kind, kinds)
    calls = {}
    for call in CALLS:
        arguments, answer = argument_type(call), answer_type(call)
        _describe(arguments, kinds)
        _describe(answer, kinds)
        calls[call.path] = {"arguments": arguments.__name__, "answer": _name(answer), "permission": call.permission}
    samples = {name: msgspec.msgpack.encode(value).hex() for name, (value, _) in SAMPLES.items()}
    return {"calls": calls, "kinds": dict(sorted(kinds.items())), "samples": samples}


def _describe(kind: Any, kinds: dict[str, Any]) -> None:
    for part in _parts(kind):
        if part.__name__ in kinds:
            continue
        if issubclass(part, Enum):
            kinds[part.__name__] = {"values": [one.value for one in part]}
            continue
        config, fields = part.__struct_config__, msgspec.structs.fields(part)
        kinds[part.__name__] = {
            "form": "array" if config.array_like else "map",
            "tag": config.tag,
            "fields": [[field.encode_name, _name(field.type), not field.required] for field in fields],
        }
        for field in fields:
            _describe(field.type, kinds)


def _parts(kind: Any) -> Iterator[type[Any]]:
    """Yield the Structs and enums that a type is made of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct | Enum):
        yield kind
    for argument in get_args(kind):
        yield from _parts(argument)


def _name(kind: Any) -> str:
    plain = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
    return re.sub(r"(?:\w+\.)+(\w+)", r"\1", plain)  # where a class lies does not travel


def as_text(form: dict[str, Any]) -> str:
    """Return a form as JSON with a line for each call, kind and sample, so that a difference is seen."""
    parts = []
    for part, entries in form.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
        parts.append(f" {json.dumps(part)}: {{\n{lines}\n }}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def breaches(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what a program of one form could not say to, or understand from, one of the other; nothing is fine."""
    found = [f"{path} is gone or other" for path, call in before["calls"].items() if now["calls"].get(path) != call]
    for name, old in before["kinds"].items():
        new = now["kinds"].get(name)
        if new is None:
            found.append(f"{name} is gone")
        elif "values" in old:
            # Who does not know a value cannot read what has it.
            found += [f"{name} has other values"] if old != new else []
        else:
            found += _breaches_of(name, old, new)
    return found


def _breaches_of(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    if (old["form"], old["tag"]) != (new["form"], new["tag"]):
        return [f"{name} is written in another way"]
    before = {field: kind for field, kind, _ in old["fields"]}
    after = {field: kind for field, kind, _ in new["fields"]}
    if old["form"] == "array" and list(after)[: len(before)] != list(before):
        return [f"the fields of {name} do not begin with {list(before)}"]
    found = [f"{name}.{field} is gone or other" for field, kind in before.items() if after.get(field) != kind]
    added = [(field, has_default) for field, _, has_default in new["fields"] if field not in before]
    return found + [f"{name}.{field} is new and has no default" for field, has_default in added if not has_default]


if __name__ == "__main__":
    PINNED.write_text(as_text(described()))
