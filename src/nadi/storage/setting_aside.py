"""A record that the database cannot keep: it alone is set aside, so that it does not stop those that come after it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from nadi.exceptions import ValueRefused
from nadi.model.records import Counted
from nadi.storage.contract import Applied, Batch, Refusal, Refused

_log = logging.getLogger("nadi.storage")

#: What stores, their libraries and Python raise for a value that cannot be kept: too large a number, too long a key.
#: That the store is away, or out of memory, is none of them: then the same batch will do later.
_DOES_NOT_FIT = (ValueRefused, ValueError, ArithmeticError, LookupError, TypeError, RecursionError)


def apply_what_fits(batch: Batch, apply: Callable[[Batch], Applied]) -> Applied:
    """Apply a batch, and refuse as invalid each record that `apply` cannot keep.

    Nothing is looked for as long as all is well. Otherwise the batch is applied in halves, each in a transaction of
    its own, down to the record that does not fit.
    """
    try:
        return apply(batch)
    except _DOES_NOT_FIT as error:
        if not batch.records:
            raise
        if len(batch.records) == 1:
            _log.warning("Record %d of writer %s is set aside: %s", batch.first, batch.writer, error)
    half = len(batch.records) // 2
    if half == 0:
        return _set_aside(batch, apply)
    front = apply_what_fits(Batch(batch.writer, batch.first, batch.records[:half]), apply)
    back = apply_what_fits(Batch(batch.writer, batch.first + half, batch.records[half:]), apply)
    return Applied(back.watermark, (*front.refused, *back.refused))


def _set_aside(batch: Batch, apply: Callable[[Batch], Applied]) -> Applied:
    (record,) = batch.records
    # Of no run, so that it changes nothing but how far the writer is.
    nothing = Counted(root="", token=0, at=0.0, run="", what="unkept", count=1)
    applied = apply(Batch(batch.writer, batch.first, [nothing]))
    refused = [Refused(one.n, record.root, record.token, Refusal.INVALID) for one in applied.refused]
    return Applied(applied.watermark, tuple(refused))
