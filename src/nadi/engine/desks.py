"""Which desk a run stands at: that of its recorder, or, in a task of another process, one of its own."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

from nadi.engine.recording import clock, recorder
from nadi.engine.remote import RemoteRecorder
from nadi.engine.scope import current
from nadi.engine.slots import Desk
from nadi.exceptions import StoreUnavailable
from nadi.storage.contract import Store
from nadi.storage.home import Home, this_holder
from nadi.storage.opening import store_in_force
from nadi.storage.recorder import JournalRecorder, Recorder
from nadi.storage.settings import read_settings

#: By what gives the store: a recorder, or in a process without one the store itself.
_desks: weakref.WeakKeyDictionary[Recorder | Store, Desk] = weakref.WeakKeyDictionary()
#: Stores that tasks of this process opened, by id.
_opened: dict[str, Store] = {}
_making = threading.Lock()


def desk_here() -> Desk:
    """Return the desk of this process at the store of the run that calls, or of this process.

    Raises:
        StoreUnavailable: the store cannot be reached from here.
    """
    scope = current.get()
    into = scope.session.recorder if scope is not None else recorder()
    with _making:
        if isinstance(into, RemoteRecorder):
            return _desk_over_there(into)
        desk = _desks.get(into)
        if desk is None:
            home = into.home if isinstance(into, JournalRecorder) else None
            desk = _desks[into] = Desk(_store_of(into), into.holder, home)
        return desk


def _store_of(into: Recorder) -> Callable[[], Store]:
    # Weakly: the desk is kept for as long as the recorder, which must not be kept by its desk.
    reference = weakref.ref(into)

    def store() -> Store:
        there = reference()
        if there is None:
            raise StoreUnavailable("The recorder of this run is gone, and with it the way to its store.")
        return there.store()

    return store


def _desk_over_there(into: RemoteRecorder) -> Desk:
    # States travel home; slots are held by this process, and gone with it, so it needs the store itself.
    store = _opened.get(into.store_id)
    if store is None:
        if not into.results_folder:
            raise StoreUnavailable(
                "Limits of a store in memory hold within one process, and this task runs in another one."
                " Use executor='thread', or a database."
            )
        settings = read_settings()
        store = store_in_force(settings)
        if store.id != into.store_id:
            store.close()
            raise StoreUnavailable(
                f"This task runs in another process, where the settings lead to the store {store.url}, which is not"
                " that of its run. Set NADI_HOME and NADI_DATABASE_URL there as they are here."
            )
        _opened[into.store_id] = store
    desk = _desks.get(store)
    if desk is None:
        found, home = store, Home(read_settings().home)
        desk = _desks[store] = Desk(lambda: found, this_holder(clock.new_id()), home)
    return desk


def _forget_in_child() -> None:
    # What is claimed belongs to the process that forked this one, and its thread is not here.
    global _making
    _making = threading.Lock()
    _desks.clear()
    _opened.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
