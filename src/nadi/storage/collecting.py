"""Collection: result files that nothing names any more are removed.

It starts from what the store knows, the tombstones of deleted runs and the files that lost their last name, and
never takes a file for garbage because it stands in a listing: its record may be on the way, in the journal of a
process that cannot reach the store. Such a journal is delivered within the longest spool age or not at all.
"""

from __future__ import annotations

import msgspec

from nadi.exceptions import CallError
from nadi.storage.contract import Store
from nadi.storage.results import ResultStorage

#: Seconds that a record may lie in a journal before it is delivered: seven days.
LONGEST_SPOOL_AGE = 7 * 24 * 3600.0


class Collected(msgspec.Struct, frozen=True):
    """What a collection removed."""

    files: int = 0
    #: Deleted runs whose files are gone now.
    runs: int = 0


def collect(store: Store, storage: ResultStorage, now: float, *, age: float = LONGEST_SPOOL_AGE) -> Collected:
    """Remove the files of runs deleted, and those that lost their last name, more than `age` seconds ago.

    What a cache entry, or the record of a run that took the cached result, still names stays. A process that is
    killed in the middle leaves the rest to the next collection: the store is told of a file after it is gone.

    Raises:
        StoreError: the store cannot be used.
        OSError: the storage cannot be used.
    """
    before = now - age
    files, runs = storage.drop_unfinished(before), 0
    while deleted := store.result_files.deleted_runs(before=before):
        for run in deleted:
            files += _remove_files_of(run, store, storage)
            store.result_files.mark_collected(run)
            runs += 1
    while released := store.result_files.released_files(before=before):
        files += sum(_remove(file, storage) for file in released)
        store.result_files.forget_files(released)
    return Collected(files, runs)


def _remove_files_of(run: str, store: Store, storage: ResultStorage) -> int:
    # All in the folder of a deleted run: also what a killed process wrote and no record ever named.
    try:
        found = storage.keys(f"{store.id}/{run}")
    except CallError:  # an id that no engine made, and that leads elsewhere: nothing was ever kept under it
        return 0
    named = store.result_files.named_files(run)
    return sum(_remove(file, storage) for file in found if file not in named)


def _remove(file: str, storage: ResultStorage) -> int:
    try:
        was_there = storage.exists(file)
        storage.delete(file)
    except CallError:  # records can name anything; what is no key of a result names no file
        return 0
    return int(was_there)
