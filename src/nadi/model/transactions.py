"""Transactions as values: when one commits, what others see of it meanwhile, and how far it is."""

from __future__ import annotations

from enum import StrEnum


class CommitMode(StrEnum):
    """When a transaction commits."""

    #: At its own end, also inside of another one.
    EAGER = "EAGER"
    #: When the outermost one ends, together with all in it.
    LAZY = "LAZY"
    #: Only where `commit()` is called, or with the transaction around it, if that commits.
    OFF = "OFF"


class IsolationLevel(StrEnum):
    """What others may do with the key of a transaction that has not ended."""

    #: They see what was committed before, and may compute the same.
    READ_COMMITTED = "READ_COMMITTED"
    #: They wait until it has committed or was rolled back.
    SERIALIZABLE = "SERIALIZABLE"


class TransactionState(StrEnum):
    """How far a transaction is."""

    #: Not entered.
    PENDING = "PENDING"
    #: Entered; nothing is staged.
    ACTIVE = "ACTIVE"
    #: It has a value and hooks, and waits for the commit.
    STAGED = "STAGED"
    COMMITTED = "COMMITTED"
    ROLLED_BACK = "ROLLED_BACK"
