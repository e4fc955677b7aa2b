"""Result files kept by a far server."""

from __future__ import annotations

import errno
import os
import time
from typing import Any

import msgspec

from nadi.exceptions import MissingResult, RequestRefused, StoreUnavailable
from nadi.model.text import human_bytes
from nadi.storage.http.calls import LARGEST_RESULT
from nadi.storage.http.client import Answer, Client
from nadi.storage.http.unsent import Unsent
from nadi.storage.results import safe_join

BYTES = "application/octet-stream"
#: Seconds for which a server that did not answer is not sent results, and that in times of what the try cost: where it
#: is silent rather than away, each may cost the whole patience of a connection.
REST, REST_TIMES = 5.0, 10
#: Seconds for which a server that is away is waited for to read a result: without, its task would run again.
TO_READ = 30.0
_PAGE = 1000


class HttpResults:
    """Result storage behind a Nadi server, for values of up to 64 MiB each."""

    def __init__(self, client: Client, unsent: Unsent | None = None) -> None:
        """Use a server; it is not asked before something is read or written.

        Args:
            client: The way there.
            unsent: Where results wait while it is away; without, they are not kept then.
        """
        self._client = client
        self._unsent = unsent
        self._away_until = 0.0
        self._waits_to_read = True

    @property
    def url(self) -> str:
        return f"{self._client.url}/api/results"

    def write(self, key: str, data: bytes | memoryview) -> None:
        try:
            self._try_to_put(key, data)
        except OSError as error:
            if error.errno != errno.EHOSTUNREACH or self._unsent is None:
                raise
            self._unsent.keep(key, data)

    def replace(self, key: str, data: bytes | memoryview) -> None:
        self._try_to_put(key, data, replace=True)

    def _try_to_put(self, key: str, data: bytes | memoryview, *, replace: bool = False) -> None:
        began = time.monotonic()
        if began < self._away_until:
            raise OSError(errno.EHOSTUNREACH, "the server was away a moment ago", self.url)
        try:
            self.put(key, data, replace=replace)
        except OSError as error:
            if error.errno == errno.EHOSTUNREACH:
                now = time.monotonic()
                self._away_until = now + max(REST, REST_TIMES * (now - began))
            raise

    def put(self, key: str, data: bytes | memoryview, *, replace: bool = False) -> None:
        """Put a result at the server itself and nowhere else, however short ago it was away."""
        data = memoryview(data).cast("B")
        if len(data) > LARGEST_RESULT:
            told = f"it has {len(data):,} bytes, more than the {human_bytes(LARGEST_RESULT)} that a server takes"
            raise OSError(errno.EFBIG, f"{told}; set NADI_RESULTS_URL to a folder for larger ones", key)
        self._ask("PUT", key, body=data, query={"replace": "true"} if replace else None)

    def read(self, key: str) -> bytes:
        """Return the bytes under `key`; a server that went away is waited for, and the next time only once it was back.

        Raises:
            OSError: see `ResultStorage`.
        """
        waiting = self._unsent.read(key) if self._unsent is not None else None
        if waiting is not None:
            return waiting
        deadline, pause = time.monotonic() + (TO_READ if self._waits_to_read else 0.0), 0.05
        while True:
            try:
                data = self._ask("GET", key, headers={"Accept": BYTES}).body
            except OSError as error:
                if error.errno != errno.EHOSTUNREACH:
                    raise
                if time.monotonic() + pause > deadline:
                    self._waits_to_read = False
                    raise
            else:
                self._waits_to_read = True
                return data
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def exists(self, key: str) -> bool:
        return self._ask("HEAD", key, also=(404,)).status != 404

    def keys(self, folder: str) -> list[str]:
        safe_join(os.sep, folder)
        found: list[str] = []
        while page := self._page(folder, found[-1] if found else ""):
            found += page
        return found

    def _page(self, folder: str, after: str) -> list[str]:
        query = {"folder": folder, "after": after, "limit": str(_PAGE)}
        answer = self._ask("GET", None, query=query).body
        return msgspec.msgpack.decode(answer, type=list[str])

    def drop_unfinished(self, before: float) -> int:
        return 0  # the server sees to its own

    def delete(self, key: str) -> None:
        self._ask("DELETE", key)

    def _ask(self, method: str, key: str | None, **given: Any) -> Answer:
        path = "/api/results"
        if key is not None:
            safe_join(os.sep, key)
            path = f"{path}/{key}"
        try:
            return self._client.request(method, path, content_type=BYTES, **given)
        except StoreUnavailable as error:
            raise OSError(errno.EHOSTUNREACH, str(error).rstrip("."), self.url) from error
        except MissingResult:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), key) from None
        except RequestRefused as error:
            if error.status == 409:
                raise FileExistsError(errno.EEXIST, "another result is already kept under this key", key) from None
            raise OSError(errno.EPROTO, str(error).rstrip("."), self.url) from error


def far_results(url: str, key: str, unsent: str | os.PathLike[str], limit: int) -> HttpResults:
    """Return the results of the server at `url`; up to `limit` bytes of them wait in the folder `unsent`."""
    return HttpResults(Client(url, key), Unsent(unsent, limit))
