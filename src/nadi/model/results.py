"""What a record says about the value of a run: the value itself, or where it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

ResultKind = Literal["none", "inline", "file", "not_kept"]


class ResultRef(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Where the value of a finished run is, and the proof that this store wrote it.

    Small values lie in `data`; larger ones in result storage under `key`. A reference is data only:
    `nadi.storage.results.fetch` reads the value.
    """

    #: `none`: the value is None. `inline`: it is in `data`. `file`: it is in result storage. `not_kept`: nowhere.
    kind: ResultKind
    #: The serialised value of an inline result.
    data: bytes = b""
    #: The key in result storage, `<store id>/<run>/<attempt>/<id>`, of a result of kind `file`.
    key: str = ""
    #: How the value was serialised: `pickle`, `json`, `compressed/pickle`, ...
    format: str = ""
    #: Length of the serialised value.
    size_bytes: int = 0
    #: Keyed hash of kind, format, key and serialised value.
    signature: bytes = b""
    #: Why a value is not kept, as one sentence.
    note: str = ""


class KeptElsewhere:
    """A value that was dropped from memory: read again each time that it is asked for."""

    __slots__ = ("_fetch", "_ref")

    def __init__(self, ref: ResultRef, fetch: Callable[[ResultRef], Any]) -> None:
        self._ref, self._fetch = ref, fetch

    def read(self) -> Any:
        """Return the value.

        Raises:
            MissingResult: it is not kept, or not there any more.
        """
        return self._fetch(self._ref)


#: The result of everything that returned None; it carries no data, so there is nothing to sign.
NO_VALUE = ResultRef("none")

#: What stands in the place of a result whose making was undone.
ROLLED_BACK = ResultRef("not_kept", note="it was rolled back with its transaction")
