"""Artifacts: things that a run shows to people. Each is one record; a large picture lies in result storage."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Mapping
from typing import Any

import msgspec

from nadi.engine.pictures import Picture
from nadi.engine.scope import Scope, scope_of
from nadi.engine.shown import plain_text, shown_as_json
from nadi.exceptions import StoreError, ValueRefused
from nadi.model.records import ArtifactMade
from nadi.model.secrets import mask
from nadi.model.text import safe_repr

#: The most bytes of JSON that one artifact has; a picture beyond it goes to result storage.
LARGEST = 1024 * 1024
#: The most bytes of a picture that lie in the record itself.
INLINE_PICTURE = 48 * 1024
#: The most bytes of a picture.
LARGEST_PICTURE = 32 * 1024 * 1024

_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class ArtifactId(str):
    """The id of an artifact. Awaiting it gives it too, so that `await create_...()`, as Prefect has it, works."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, ArtifactId]:
        return self
        yield


def make_artifact(kind: str, data: Any, *, key: str | None, description: str | None) -> ArtifactId:
    """Record an artifact of the run whose code calls this.

    Args:
        kind: markdown, table, link, image or progress.
        data: What JSON can hold, besides scalars of NumPy, dates and the like, which become text.
        key: Name under which later runs make the same artifact again; `None` for one of its own.
        description: What people read beside it.

    Raises:
        ContextError: called outside of a flow or task.
        ValueRefused: the key is no key, or there is too much data.
    """
    scope = scope_of(f"create_{kind}_artifact()")
    checked = _checked_key(key)
    id = scope.session.next_id()
    _append(scope, _record(scope, id, checked, kind, description or "", _encoded(kind, data)))
    return ArtifactId(id)


def make_picture(picture: Picture, *, key: str | None, description: str | None) -> ArtifactId:
    """Record a picture; its bytes go to result storage unless they are few. They are never unpickled.

    Raises:
        ContextError, ValueRefused: as `make_artifact`; also where a large picture cannot be kept.
    """
    scope = scope_of("create_image_artifact()")
    checked = _checked_key(key)
    size = len(picture.data)
    if size > LARGEST_PICTURE:
        raise ValueRefused(f"The picture has {size:,} bytes; an image artifact has at most {LARGEST_PICTURE:,}.")
    id = scope.session.next_id()
    shown: dict[str, Any] = {"media_type": picture.media_type, "size_bytes": size}
    if size > INLINE_PICTURE:
        shown["kept"] = _kept(scope, picture.data, id)
    else:
        shown["base64"] = picture.data
    _append(scope, _record(scope, id, checked, "image", description or "", msgspec.json.encode(shown)))
    return ArtifactId(id)


def _kept(scope: Scope, data: bytes, id: str) -> dict[str, Any]:
    keeper = scope.session.keeper
    ref = keeper.keep(data, task_run_id=id, format="bytes") if keeper is not None else None
    if ref is None or ref.kind != "file":
        why = ref.note if ref is not None else "the store could not be reached to sign it"
        raise ValueRefused(f"The picture of {len(data):,} bytes cannot be kept: {why}")
    named = {field: getattr(ref, field) for field in ref.__struct_fields__}
    return {field: value for field, value in named.items() if field not in ("data", "note")}


def update_progress(artifact: str, progress: float, *, description: str | None) -> ArtifactId:
    """Record how far a progress artifact of this root run is now.

    Raises:
        ContextError: called outside of a flow or task.
        ValueRefused: there is no such progress artifact in this run, or it was made in another process.
    """
    scope = scope_of("update_progress_artifact()")
    session = scope.session
    made = session.progress.get(artifact) or _progress_in_store(scope, artifact)
    record = ArtifactMade(
        session.root,
        session.token,
        session.now(),
        artifact,
        made.run,
        made.task,
        made.key,
        "progress",
        made.description if description is None else mask(description),
        _encoded("progress", checked_progress(progress)),
    )
    _append(scope, record)
    return ArtifactId(artifact)


def _progress_in_store(scope: Scope, artifact: str) -> ArtifactMade:
    session = scope.session
    session.recorder.barrier()
    try:
        found = session.recorder.store().artifact(artifact)
    except StoreError as error:
        raise ValueRefused(
            f"The progress artifact {artifact} was not made by this task, and it cannot be looked up: {error}"
        ) from None
    if found is None or found.root != session.root or found.kind != "progress":
        raise ValueRefused(
            f"This run has no progress artifact {artifact}. Pass what create_progress_artifact() returned."
        )
    return ArtifactMade(
        session.root, session.token, 0.0, found.id, found.run, found.task, found.key, found.kind, found.description, b""
    )


def checked_progress(progress: float) -> float:
    """Return a progress in per cent.

    Raises:
        ValueRefused: it is no number from 0 to 100.
    """
    if isinstance(progress, bool) or not isinstance(progress, int | float) or not 0 <= progress <= 100:
        raise ValueRefused(f"progress is a number of per cent from 0 to 100, not {safe_repr(progress)}.")
    return float(progress)


def _append(scope: Scope, record: ArtifactMade) -> None:
    if record.kind == "progress":
        scope.session.progress[record.id] = record
    scope.session.append(record)


def _record(scope: Scope, id: str, key: str, kind: str, description: str, data: bytes) -> ArtifactMade:
    session = scope.session
    task = "" if scope.is_flow else scope.id
    shown = plain_text(mask(description))
    return ArtifactMade(session.root, session.token, session.now(), id, scope.flow_run, task, key, kind, shown, data)


def _checked_key(key: str | None) -> str:
    if key is None:
        return ""
    if not isinstance(key, str) or not _KEY.fullmatch(key) or len(key) > 200:
        raise ValueRefused(
            f"The artifact key {safe_repr(key)} cannot be used: a key has lower-case letters a-z, digits, and single"
            " dashes between them, such as 'daily-report'."
        )
    return key


def _encoded(kind: str, data: Any) -> bytes:
    encoded = shown_as_json(data)
    if len(encoded) > LARGEST:
        raise ValueRefused(
            f"The {kind} artifact has {len(encoded):,} bytes; an artifact has at most {LARGEST:,}."
            " Show a part of it, and return the whole as the result of a task."
        )
    return encoded


# -- tables --


def table_data(table: Any) -> dict[str, Any]:
    """Return a table as its columns and rows.

    Takes a list of dicts (a row each; a key that a row lacks is empty), a dict of lists (a column each), a list
    of lists (rows without names), and data frames of pandas and polars. Numbers that JSON has no form for,
    such as NaN, are empty.

    Raises:
        ValueRefused: it is none of these, or its columns differ in length.
    """
    if hasattr(table, "to_dict") and hasattr(table, "columns"):
        columns = [str(name) for name in table.columns]
        return {"columns": columns, "rows": [[_cell(item) for item in row] for row in _frame_rows(table)]}
    if isinstance(table, Mapping):
        return _table_of_columns(table)
    if isinstance(table, list | tuple):
        if all(isinstance(row, Mapping) for row in table):
            columns = list(dict.fromkeys(name for row in table for name in row))
            rows = [[_cell(row.get(name)) for name in columns] for row in table]
            return {"columns": [str(name) for name in columns], "rows": rows}
        if all(isinstance(row, list | tuple) for row in table):
            return {"columns": [], "rows": [[_cell(item) for item in row] for row in table]}
    raise ValueRefused(
        "A table is a list of dicts, a dict of lists, a list of lists, or a data frame of pandas or polars,"
        f" not {safe_repr(table)[:200]}."
    )


def _table_of_columns(table: Mapping[Any, Any]) -> dict[str, Any]:
    try:
        columns = {str(name): list(items) for name, items in table.items() if not isinstance(items, str)}
    except TypeError:
        columns = {}
    if len(columns) != len(table):
        raise ValueRefused("A table that is a dict has a list for each column.")
    lengths = {name: len(items) for name, items in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
        raise ValueRefused(f"The columns of a table have the same length, but {told}.")
    rows = [[_cell(item) for item in row] for row in zip(*columns.values(), strict=True)]
    return {"columns": list(columns), "rows": rows}


def _frame_rows(frame: Any) -> Any:
    if hasattr(frame, "itertuples"):
        return frame.itertuples(index=False, name=None)
    return frame.rows()


def _cell(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
