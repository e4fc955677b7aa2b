"""Server processes that tests start, kill and start again, and places whose runs are recorded there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

from nadi.storage.home import Home
from nadi.storage.install_token import read_install_token
from tests.journeys.places import Place


class ServerProcess:
    """`nadi server` over a home of its own, always on the same port."""

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir()
        self.place = Place(folder)
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = self.place.start("-m", "nadi", "server", "--port", str(self.port), "--json", *self._options)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        self.port = json.loads(line)["port"]

    @property
    def url(self) -> str:
        return f"{'https' if '--certificate' in self._options else 'http'}://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return read_install_token(Home(self.place.home))

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, number)
            process.communicate(timeout=30)


class FarPlace(Place):
    """Scripts and a home whose runs are recorded at a server."""

    def __init__(self, folder: Path, server: ServerProcess) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.server = server

    def environment(self, **more: str) -> dict[str, str]:
        return super().environment(**{"NADI_API_URL": self.server.url, "NADI_API_KEY": self.server.key, **more})

    def nadi(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line."""
        return self.run("-m", "nadi", *arguments, **more)
