"""Input of runs: the types that can be asked for, and answers from whoever gives them.

An answer is judged twice. Where it is given, by the JSON Schema that the run recorded, since the type itself may not
be at hand there; where it is taken, by the type, whose own checks may still refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from nadi.exceptions import DefinitionError, InputRefused
from nadi.model.parameters.annotations import Kinds
from nadi.model.parameters.containers import Table
from nadi.model.parameters.foreign import Pydantic
from nadi.model.parameters.kind import Instance, Kind, Mismatch
from nadi.model.parameters.records import Record, Shape
from nadi.model.parameters.schemas import Fields, kind_of_schema, schema_of_kind
from nadi.model.pauses import Pause, Verdict
from nadi.model.runs import FlowRun
from nadi.model.states import StateType
from nadi.model.text import human_duration, safe_repr
from nadi.storage.claiming import is_released
from nadi.storage.contract import Store

#: Name under which a plain value is given where names are needed.
PLAIN = "value"


class Prefilled(msgspec.Struct, frozen=True):
    """A type of input with values that its form starts with."""

    annotation: Any
    description: str
    values: dict[str, Any]


class Wanted:
    """A type of input: what is asked for, and how an answer becomes an instance of it.

    Raises:
        DefinitionError: nobody could answer with such a value.
    """

    def __init__(self, annotation: Any) -> None:
        prefilled = annotation if isinstance(annotation, Prefilled) else Prefilled(annotation, "", {})
        asked = prefilled.annotation
        self.kind = _kind(asked)
        #: Values for the fields that an answer leaves out.
        self.initial = _plain_values(prefilled.values)
        self.description = prefilled.description or _description(asked, self.kind)
        schema = schema_of_kind(self.kind)
        if _holds_secret(schema):
            raise DefinitionError(
                f"{self.kind.name} asks for a secret, but answers are kept in the store, which no secret is."
                " Ask for the name under which the flow finds it."
            )
        if isinstance(self.kind, Record) and not isinstance(self.kind, Shape):
            schema.setdefault("additionalProperties", False)
        self.schema = msgspec.json.encode(_with_defaults(schema, self.initial))

    def taken(self, answer: bytes) -> Any:
        """Return an answer as the type asked for.

        Raises:
            InputRefused: the type does not take it.
        """
        value = msgspec.json.decode(answer)
        if self.initial and isinstance(value, dict):
            value = {**self.initial, **value}
        try:
            return self.kind.convert(value)
        except Mismatch as mismatch:
            raise InputRefused(told_mismatch(mismatch)) from None


def _kind(annotation: Any) -> Kind:
    kind = Kinds().of(annotation)
    unknown = kind.anything and annotation not in (Any, object)
    if not unknown and not isinstance(kind, Instance):
        return kind
    raise DefinitionError(
        f"{safe_repr(annotation)} is no type of input. Ask for a RunInput, a dataclass, a Struct, a TypedDict, a"
        " pydantic model, or a plain type such as str, int, bool, list[str] or Literal."
    )


def _description(annotation: Any, kind: Kind) -> str:
    if not isinstance(kind, Record | Pydantic):
        return ""
    told = vars(annotation).get("__doc__") if isinstance(annotation, type) else None
    if not told or told.startswith(f"{annotation.__name__}("):  # what dataclasses write by themselves
        return ""
    from inspect import cleandoc  # slow to import, and most have no docstring

    return cleandoc(told)


def _holds_secret(schema: Any) -> bool:
    if isinstance(schema, dict):
        return schema.get("writeOnly") is True or any(map(_holds_secret, schema.values()))
    return isinstance(schema, list) and any(map(_holds_secret, schema))


def _with_defaults(schema: dict[str, Any], initial: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    unknown = [name for name in initial if name not in properties]
    if unknown:
        known = ", ".join(properties) or "none"
        raise DefinitionError(f"There is no field {unknown[0]!r} to give an initial value; there are: {known}.")
    for name, value in initial.items():
        properties[name] = {**properties[name], "default": value}
    if initial and "required" in schema:
        schema["required"] = [name for name in schema["required"] if name not in initial]
    return schema


def _plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: msgspec.json.decode(as_json(value)) for name, value in values.items()}


def as_json(value: Any) -> bytes:
    """Return a value as JSON.

    Raises:
        InputRefused: it has no JSON form.
    """
    try:
        return msgspec.json.encode(value, enc_hook=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputRefused(f"An input is a value that JSON can hold, not {safe_repr(value)}: {error}") from None


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump") and not hasattr(value, "get_secret_value"):
        return value.model_dump(mode="json")
    if hasattr(value, "__fspath__"):
        return value.__fspath__()
    raise TypeError(f"a {type(value).__name__} has no JSON form")


def told_mismatch(mismatch: Mismatch) -> str:
    """Say what was wrong with an answer."""
    where = mismatch.path.lstrip(".")
    return f"{f'{where}: ' if where else ''}expected {mismatch.expected}, got {mismatch.got}."


# -- for whoever answers --------------------------------------------------------------------


class AskedField(msgspec.Struct, frozen=True):
    """One value that a pause asks for."""

    name: str
    #: What to give, in words.
    expects: str
    required: bool
    #: JSON; "" where there is none.
    default: str
    description: str


def asked_fields(pause: Pause) -> list[AskedField]:
    """Return what a pause asks for, field by field; one field named `value` where it asks for a plain value.

    A schema that no engine made, as another client may record one, asks for a plain value, too.
    """
    if not pause.schema:
        return []
    try:
        return _fields_of(msgspec.json.decode(pause.schema))
    except (msgspec.DecodeError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        return [AskedField(PLAIN, "a value", True, "", "")]


def _fields_of(schema: Any) -> list[AskedField]:
    kind = kind_of_schema(schema)
    if not isinstance(kind, Fields):
        return [AskedField(PLAIN, kind.expects, True, "", "")]
    return [
        AskedField(
            name=field.name,
            expects=field.kind.expects,
            required=field.required,
            default="" if field.default is msgspec.UNSET else msgspec.json.encode(field.default).decode(),
            description=str(schema["properties"][field.name].get("description", "")),
        )
        for field in kind.fields.values()
    ]


def options_for(pause: Pause) -> str:
    """Return the options of `nadi resume` that answer a pause, with a space before each."""
    fields = asked_fields(pause)
    needed = [field for field in fields if field.required] or fields[:1]
    return "".join(f" --input {field.name}=..." for field in needed)


def read_texts(pause: Pause, texts: Mapping[str, str]) -> Any:
    """Return the value that a person meant by `name=text` pairs, each read by what is asked for.

    Raises:
        InputRefused: there is no such field, or it cannot take the text.
    """
    kind = kind_of_schema(msgspec.json.decode(pause.schema)) if pause.schema else None
    values: dict[str, Any] = {}
    for name, text in texts.items():
        read = _reader_of(kind, name)
        if read is None:
            raise InputRefused(f"Pause {pause.key} asks for nothing called {name!r}. {_asks_told(pause)}")
        try:
            values[name] = read(text)
        except Mismatch as mismatch:
            raise InputRefused(told_mismatch(mismatch.inside(f".{name}"))) from None
    return values


def _reader_of(kind: Kind | None, name: str) -> Callable[[str], Any] | None:
    if isinstance(kind, Fields):
        field = kind.fields.get(name)
        return field.kind.read_text if field is not None else None
    if isinstance(kind, Table):
        return kind.item.read_text
    return kind.read_text if kind is not None and name == PLAIN else None


def _asks_told(pause: Pause) -> str:
    fields = asked_fields(pause)
    return f"It asks for: {', '.join(field.name for field in fields)}." if fields else "It asks for no input."


def read_answer(pause: Pause, given: Any) -> bytes:
    """Return an answer as it is kept, converted to what the pause asks for.

    Raises:
        InputRefused: it is not what is asked for.
    """
    if not pause.schema:
        if given is None or given == {}:
            return b"null"
        raise InputRefused(f"Pause {pause.key} asks for no input, but {safe_repr(given)} was given.")
    if given is None:
        raise InputRefused(f"Pause {pause.key} needs an input. {_asks_told(pause)}")
    value = msgspec.json.decode(as_json(given))
    kind = kind_of_schema(msgspec.json.decode(pause.schema))
    if not isinstance(kind, Fields | Table) and isinstance(value, dict) and list(value) == [PLAIN]:
        value = value[PLAIN]
    try:
        return msgspec.json.encode(kind.convert(value))
    except Mismatch as mismatch:
        raise InputRefused(f"{told_mismatch(mismatch)} The run stays paused.") from None


def open_pauses(store: Store, run: FlowRun) -> list[Pause]:
    """Return the pauses that a flow run waits for; of a root run, those of its subflow runs too.

    What was asked before the run that asked last began, or by one that was not entered again, is open still, and
    nobody waits for it. Of a run that ended before it asked again that is not known, and it counts.
    """
    found = [one for one in store.inputs.pauses(run.root) if one.is_open and (run.is_root or one.run == run.id)]
    root = run if run.is_root else store.flow_run(run.root)
    ended = root is None or root.is_final
    askers = {one: run if one == run.id else store.flow_run(one) for one in {pause.run for pause in found}}
    waited_for = [one for one in found if _is_waited_for(one, askers[one.run], ended=ended)]
    return waited_for or (found if ended else [])


def _is_waited_for(pause: Pause, asker: FlowRun | None, *, ended: bool) -> bool:
    return asker is not None and pause.at >= asker.started and (ended or not asker.is_final)


def the_open_pause(store: Store, run: FlowRun) -> Pause | None:
    """Return the pause of a run that is to be answered: of a suspended one the newest, else the first; or `None`.

    Raises:
        InputRefused: there are several, of subflow runs; one of those has to be named.
    """
    found = open_pauses(store, run)
    if is_released(run):
        own = [one for one in found if one.run == run.id]
        return own[-1] if own else None
    if len(found) > 1 and len({one.run for one in found}) > 1:
        told = ", ".join(f"{one.run} (pause {one.key})" for one in found)
        raise InputRefused(f"Several flow runs of {run.name} wait for an answer: {told}. Say which one by its id.")
    return found[0] if found else None


def asks_for_nothing(store: Store, run: FlowRun) -> InputRefused:
    """Return what to say to an answer for a run that has no open pause."""
    answered = [one for one in store.inputs.pauses(run.root) if one.run == run.id and one.answer is not None]
    if not is_released(run) or not answered:
        return InputRefused(f"Run {run.name} is {run.state_name} and asks for no input.")
    last = max(answered, key=lambda one: one.answered)
    return InputRefused(f"{_answered_already(run, last)} Continue the run without an input.")


def _answered_already(run: FlowRun, pause: Pause) -> str:
    who = f" by {pause.by}" if pause.by else ""
    return f"Pause {pause.key} of run {run.name} has been answered already{who}; the first answer counts."


def answer_pause(store: Store, run: FlowRun, pause: Pause, given: Any, *, by: str, now: float) -> None:
    """Answer a pause of a flow run.

    Raises:
        InputRefused: the value is not what is asked for, somebody else was faster, the time is over, or the run
            has finished.
    """
    root = run if run.is_root else store.flow_run(run.root) or run
    if root.state_type in (StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED):
        again = "" if root.state_type is StateType.COMPLETED else " Resumed without one, it asks again."
        raise InputRefused(f"Run {root.name} finished as {root.state_name} and takes no answer any more.{again}")
    verdict = store.inputs.answer(pause.run, pause.key, read_answer(pause, given), by=by, now=now)
    if verdict is Verdict.TAKEN:
        return
    if verdict is Verdict.OVERDUE:
        late = human_duration(round(now - pause.deadline, 1))
        raise InputRefused(f"Pause {pause.key} of run {run.name} could be answered until {late} ago.")
    raise InputRefused(_answered_already(run, store.inputs.pause(pause.run, pause.key) or pause))
