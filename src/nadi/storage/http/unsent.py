"""Results that wait on this machine for their server, as records wait in the journal.

A record may reach the server only after the result that it names. So whoever sends records sends first what waits
here, of all processes of this home: it lies in one folder, and sending the same bytes twice does no harm.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable

from nadi.storage.results import LocalResults

_log = logging.getLogger("nadi.storage")


class Unsent:
    """A folder of results for servers that were away when they were kept."""

    def __init__(self, folder: str | os.PathLike[str], limit: int) -> None:
        """Use `folder`, which is made when something is kept; this process keeps at most `limit` bytes there."""
        self._kept = LocalResults(folder)
        self._limit = limit
        self._bytes = 0

    def keep(self, key: str, data: bytes | memoryview) -> None:
        """Keep a result until it is sent.

        Raises:
            OSError: it cannot be written, or too much waits already.
        """
        if self._bytes + len(data) > self._limit:
            raise OSError(errno.EDQUOT, f"the server is away, and more than {self._limit:,} bytes wait for it", key)
        self._kept.write(key, data)
        self._bytes += len(data)

    def read(self, key: str) -> bytes | None:
        """Return a result that waits; `None` where it does not."""
        try:
            return self._kept.read(key)
        except FileNotFoundError:
            return None

    def send(self, store: str, put: Callable[[str, bytes], None]) -> None:
        """Send all that waits for one store.

        Raises:
            OSError: the server is away still (`EHOSTUNREACH`).
        """
        if not os.path.isdir(os.path.join(self._kept.folder, store)):
            return
        for key in self._kept.keys(store):
            data = self.read(key)
            if data is None:  # another process was faster
                continue
            try:
                put(key, data)
            except OSError as error:
                if error.errno == errno.EHOSTUNREACH:
                    raise
                # It would be refused for ever, and every record would wait behind it.
                _log.warning("The result %s is not taken by the server and is dropped: %s", key, error)
            self._kept.delete(key)
            self._bytes = max(0, self._bytes - len(data))
