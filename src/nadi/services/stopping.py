"""Stopping: runs that are cancelled by force, each in a thread of its own while its grace lasts."""

from __future__ import annotations

import logging
import threading
import time

from nadi.engine.cancelling import cancel_run
from nadi.engine.clock import Clock
from nadi.exceptions import NadiError, RunAlreadyFinished
from nadi.model.holders import Holder
from nadi.model.runs import FlowRun
from nadi.storage.contract import Store
from nadi.storage.home import Home

_log = logging.getLogger("nadi.server")


class Stopper:
    """Cancels runs of one store by force, in the background. Thread-safe."""

    def __init__(self, store: Store, home: Home, *, holder: Holder, clock: Clock) -> None:
        """Cancel as `holder`, which is this process."""
        self._store, self._home, self._holder, self._clock = store, home, holder, clock
        self._lock = threading.Lock()
        #: Ids of the runs whose grace lasts now.
        self._stopping: set[str] = set()

    def stop(self, run: FlowRun, *, by: str, grace: float) -> None:
        """Cancel a root run, and end its process when it has not ended after `grace` seconds.

        Returns at once. A run that is being stopped already goes by the grace that it was given first. What could not
        be ended is told in the log.
        """
        with self._lock:
            if run.id in self._stopping:
                return
            self._stopping.add(run.id)
        thread = threading.Thread(target=self._stop, args=(run, by, grace), name="nadi-stopping", daemon=True)
        thread.start()

    def _stop(self, run: FlowRun, by: str, grace: float) -> None:
        try:
            done = cancel_run(
                self._store,
                self._home,
                run,
                by=by,
                grace=grace,
                observer=self._holder,
                clock=self._clock,
                pause=time.sleep,
            )
            for left in done.left:
                _log.warning("Run %s was cancelled by force, and %s.", run.id, left)
        except RunAlreadyFinished:
            return  # it was faster
        except NadiError as error:
            _log.warning("Run %s could not be cancelled by force: %s", run.id, error)
        finally:
            with self._lock:
                self._stopping.discard(run.id)
