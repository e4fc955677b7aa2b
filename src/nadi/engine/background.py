"""Background runs: a call of a task that is written to the store, for a worker in whichever process to run.

A background run is a root run in state SCHEDULED that nobody holds. Its identity of the call names the
task by its function key, which is how workers know their own. Its arguments are kept as results are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nadi.engine.background_futures import BackgroundFuture, background_futures_in, is_background, recorder_here
from nadi.engine.flow_runs import display
from nadi.engine.inputs import resolved
from nadi.engine.lookup import find_root
from nadi.engine.provenance import describe_source
from nadi.engine.recorded_values import recorded_id
from nadi.engine.recording import clock
from nadi.engine.roots import run_name
from nadi.engine.runs import outcome_for
from nadi.engine.scope import current, current_tags
from nadi.exceptions import DefinitionError, StoreUnavailable, ValueRefused
from nadi.model.names import told_for_shell
from nadi.model.records import CallKey, FlowRunBegun
from nadi.model.secrets import mask_value
from nadi.model.specs import TaskSpec
from nadi.model.states import StateType
from nadi.storage.pickles import reduce_by_name

#: Among the kept arguments: what must have ended first. No parameter has such a name.
WAITS = "wait_for="


def enqueue(
    spec: TaskSpec, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, wait_for: Iterable[Any] = ()
) -> BackgroundFuture[Any]:
    """Write a background run of a task; it is in the store when this returns.

    In a flow or task this is a recorded call: a resumed or retried run asks for the same background run, once.
    Futures of submitted tasks among the arguments are waited for here; those of background runs by the worker.

    Raises:
        DefinitionError: a worker could not find the task again by its name.
        ValueRefused: the arguments cannot be kept; a secret is never.
        UpstreamFailed: a submitted task among the arguments failed.
    """
    _check_findable(spec)
    outcome = outcome_for(spec.name)
    bound = {name: resolved(value, outcome) for name, value in spec.parameters.bind(args, dict(kwargs)).items()}
    waits = [one for value in wait_for for one in background_futures_in(resolved(value, outcome))]
    into = recorder_here()
    scope = current.get()
    id = recorded_id(spec.key, bound)
    future: BackgroundFuture[Any] = BackgroundFuture(id)
    if scope is not None and scope.history is not None and into.store().flow_run(id) is not None:
        return future  # an earlier attempt of the caller asked for it
    keeper = into.keeper(id, 1)
    if keeper is None:
        raise StoreUnavailable("The arguments of a background run are signed by the store, which was never seen.")
    ref = keeper.keep({**bound, WAITS: waits} if waits else bound, task_run_id="arguments")
    if ref.kind == "not_kept":
        raise ValueRefused(f"The arguments of {spec.name}.delay() cannot be kept for a worker: {ref.note}")
    source = describe_source(spec.face if spec.face is not None else spec.fn)
    into.append(
        FlowRunBegun(
            id,
            1,
            clock.now(),
            id,
            spec.name,
            run_name(spec),
            1,
            StateType.SCHEDULED,
            "Scheduled",
            "",
            CallKey("", spec.key, spec.code, b"", 0, 0, 0),
            spec.version,
            tuple(sorted(spec.tags | current_tags() | (scope.tags if scope is not None else frozenset()))),
            display(bound),
            ref,
            "",
            msgspec.json.encode(mask_value(msgspec.to_builtins(source))),
            spec.description,
        )
    )
    into.barrier()
    return future


def _check_findable(spec: TaskSpec) -> None:
    if reduce_by_name(spec.fn) is None:
        raise DefinitionError(
            f"{spec.name}.delay() needs a task that a worker can find again by its name: one that is a variable of a"
            " module or script. This one was made inside a function, or in a notebook or `python -c`."
        )


def background_future(run: str) -> BackgroundFuture[Any]:
    """Return the future of a background run, for example after a restart.

    Args:
        run: Its id (`future.task_run_id`), a unique prefix of it, or its name.

    Raises:
        RunNotFound, AmbiguousRun: no run, or several, match.
        ValueRefused: the run is no background run.
    """
    found = find_root(recorder_here().store(), run)
    if not is_background(found):
        raise ValueRefused(
            f"Run {found.name} is no background run: it was not asked for by task.delay()."
            f" `nadi show {told_for_shell(found.name, found.id)}` shows it."
        )
    return BackgroundFuture(found.id)
