"""Reading artifacts back: the newest of a key, and the bytes of a picture."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from nadi.engine.recording import recorder
from nadi.engine.scope import current
from nadi.exceptions import MissingResult
from nadi.model.results import ResultRef
from nadi.model.runs import Artifact
from nadi.storage.recorder import Recorder


def newest_artifact(key: str) -> Artifact | None:
    """Return the artifact of a key that was made last; `None` when there is none."""
    into = _recorder()
    into.barrier()
    found = into.store().artifacts(key=key, limit=1_000_000)
    return found[-1] if found else None


def picture_bytes(artifact: str, data: Any, fetch: Callable[[ResultRef], Any] | None = None) -> bytes:
    """Return the bytes of a picture from what its artifact says of it.

    Args:
        artifact: Its id.
        data: What it holds.
        fetch: Reads a kept value; that of the run that calls this, or of this process, if not given.

    Raises:
        MissingResult: they are not kept, or cannot be read.
    """
    if isinstance(data, dict) and "base64" in data:
        return base64.b64decode(data["base64"])
    if not isinstance(data, dict) or "kept" not in data:
        raise MissingResult(f"Artifact {artifact} holds no picture of its own.")
    named = data["kept"]
    try:
        signature = base64.b64decode(named["signature"])
        # Whatever the record says, this is read as plain bytes and never unpickled.
        ref = ResultRef("file", b"", named["key"], "bytes", named["size_bytes"], signature)
    except (KeyError, TypeError, binascii.Error):
        raise MissingResult(f"Artifact {artifact} does not say where its picture lies.") from None
    found = (fetch or _recorder().fetch)(ref)
    assert isinstance(found, bytes)
    return found


def _recorder() -> Recorder:
    scope = current.get()
    return scope.session.recorder if scope is not None else recorder()
