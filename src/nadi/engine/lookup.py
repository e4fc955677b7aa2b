"""Finding a run by what a person types: its id, a unique prefix of it, or its name."""

from __future__ import annotations

from nadi.exceptions import AmbiguousRun, RunNotFound
from nadi.model.runs import FlowRun
from nadi.storage.contract import Store


def find_run(store: Store, wanted: str) -> FlowRun:
    """Return the flow run that `wanted` means.

    Raises:
        RunNotFound: there is none.
        AmbiguousRun: there are several; the sentence lists them. Of several runs of one name the newest is
            not guessed.
    """
    exact = store.flow_run(wanted)
    if exact is not None:
        return exact
    found = store.find_flow_runs(wanted) if wanted else []
    if not found:
        raise RunNotFound(wanted, where=store.url)
    if len(found) > 1:
        raise AmbiguousRun(wanted, [f"{run.name} ({run.id})" for run in found])
    return found[0]


def find_root(store: Store, wanted: str) -> FlowRun:
    """Return the root run that `wanted` means, or belongs to."""
    run = find_run(store, wanted)
    if run.is_root:
        return run
    root = store.flow_run(run.root)
    if root is None:
        raise RunNotFound(run.root, where=store.url)
    return root
