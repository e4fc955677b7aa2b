"""Whether processes have live runs in a database: what a migration waits for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nadi.exceptions import StoreUnavailable
from nadi.model.holders import Holder
from nadi.storage.home import is_gone

#: Runs that some process has in hand. Written out, since databases of every schema are asked; all have these columns.
HELD_RUNS = (
    "SELECT name, holder FROM flow_run WHERE id = root AND state <> 'COMPLETED' AND holder <> ''"
    " AND state IN ('PENDING', 'RUNNING', 'CANCELLING', 'PAUSED') ORDER BY id"
)


class HeldRun(NamedTuple):
    """A run that is not finished, and the text of its `Holder`."""

    name: str
    holder: str

    def __str__(self) -> str:
        return f"{self.name} ({Holder.decode(self.holder)})"


def live_runs(held: Iterable[HeldRun], observer: Holder, *, certain: bool = False) -> list[HeldRun]:
    """Return those of the held runs whose process is not known to be gone.

    Args:
        held: Runs with a holder.
        observer: This process.
        certain: Only those whose process is known to live.
    """
    return [run for run in held if _lives(Holder.decode(run.holder), observer, certain=certain)]


def _lives(holder: Holder, observer: Holder, *, certain: bool) -> bool:
    if holder.shares_pids_with(observer) and holder.started:
        return not is_gone(holder, observer)
    # A machine that was started again since has none of the processes that it had.
    restarted = bool(holder.boot and observer.boot) and holder.host == observer.host and holder.boot != observer.boot
    return not certain and not restarted


def upgrade_waits(where: str, live: list[HeldRun], *, schema: int, wanted: int) -> StoreUnavailable:
    """Return the error for a migration that has to wait for live runs."""
    return StoreUnavailable(
        f"The database {where} has to be brought from schema {schema} to {wanted}, but there are live runs:"
        f" {told(live)}. Wait until they have ended, or do it beside them with `nadi db upgrade --now`."
    )


def told(live: list[HeldRun]) -> str:
    """Return live runs for people, the first three by name."""
    more = f" and {len(live) - 3} more" if len(live) > 3 else ""
    return ", ".join(str(run) for run in live[:3]) + more
