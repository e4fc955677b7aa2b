"""Transactions: what belongs together becomes visible together, or is undone together."""

from nadi.engine.transaction_blocks import get_transaction, transaction
from nadi.engine.transactions import Transaction
from nadi.model.transactions import CommitMode, IsolationLevel, TransactionState

__all__ = [
    "CommitMode",
    "IsolationLevel",
    "Transaction",
    "TransactionState",
    "get_transaction",
    "transaction",
]
