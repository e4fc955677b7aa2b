"""Why a run, and each task of it that is not done, stands where it does: computed from the store when asked.

Nothing here is stored as a reason: what is told follows from states, upstreams, due times, requests and
holders as they are now. What the store cannot know (how many places an executor has) is told as far as it is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec

from nadi.engine.background_futures import is_background, told_background
from nadi.engine.decisions import CACHED, NOT_READY
from nadi.engine.limit_reasons import reasons_of_limits
from nadi.engine.resuming import source_of
from nadi.engine.run_inputs import asked_fields, open_pauses, options_for, the_open_pause
from nadi.engine.work_reasons import reasons_of_work
from nadi.model.holders import Holder
from nadi.model.names import told_for_shell
from nadi.model.pauses import Pause
from nadi.model.runs import FlowRun, TaskRun
from nadi.model.states import StateType
from nadi.model.text import human_duration, one_line, plural
from nadi.storage.claiming import is_released
from nadi.storage.contract import Store
from nadi.storage.home import process_start

_WAITING = (StateType.SCHEDULED, StateType.PENDING, StateType.PAUSED)
_OPEN = (*_WAITING, StateType.RUNNING, StateType.CANCELLING)
_WENT_WRONG = (StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)


class Reason(msgspec.Struct):
    """Why one task, or several that stand alike, are where they are."""

    #: Name of the task run, or of the task where several runs of it stand alike.
    subject: str
    state: str
    why: str
    #: How many task runs this is said of.
    count: int = 1
    #: Id of the task run, or of the first of them; and the type of their state, which `state` refines.
    task_run: str = ""
    state_type: str = ""


class Explanation(msgspec.Struct):
    """Why a run is where it is."""

    id: str
    name: str
    state: str
    state_name: str
    #: Sentences about the run itself.
    told: list[str]
    #: About its tasks that run, wait, or went wrong; in that order, those that stand alike together.
    tasks: list[Reason]
    #: What to do next; "" where there is nothing to do.
    advice: str


def explain(store: Store, run: FlowRun, *, observer: Holder, now: float) -> Explanation:
    """Return why a flow run, and each task of it that is not done, is where it is."""
    root = run if run.is_root else store.flow_run(run.root) or run
    told = list(about_run(store, run, root, observer, now, for_workers=reasons_of_work(store, run, now=now)))
    if not run.is_final:
        told += reasons_of_limits(store, run, observer=observer, now=now)
    lost = len(store.superseded(run.root))
    if lost:
        told.append(f"{plural(lost, 'message')} of a process that had lost the run came too late and changed nothing.")
    return Explanation(
        id=run.id,
        name=run.name,
        state=run.state_type,
        state_name=run.state_name,
        told=told,
        tasks=_folded(chain(_about_tasks(store, run, root, now), _about_cached(store, run))),
        advice=_advice(root),
    )


# -- the run --------------------------------------------------------------------------------


def about_run(
    store: Store, run: FlowRun, root: FlowRun, observer: Holder, now: float, *, for_workers: Sequence[str] = ()
) -> Iterator[str]:
    """Yield sentences about why a flow run is where it is, without what its tasks do.

    Args:
        store: The store.
        run: The run.
        root: Its root run.
        observer: This process.
        now: Unix seconds.
        for_workers: Why it waits for a worker, where it does: see `nadi.engine.work_reasons`.
    """
    since = human_duration(round(max(0.0, now - run.state_at)))
    state = run.state_type
    if not run.is_root:
        yield f"It is a subflow run of {root.name}, which is {root.state_name}."
    if state is StateType.COMPLETED:
        yield "It completed; nothing is waited for."
    elif state is StateType.FAILED:
        yield f"It failed {since} ago: {_or(run.message, 'no message was recorded')}"
    elif state is StateType.CRASHED:
        yield f"It crashed {since} ago: {_or(run.message, 'its process ended without finishing it')}"
    elif state is StateType.CANCELLED:
        yield f"It was cancelled {since} ago: {_or(run.message, 'no reason was recorded')}"
    elif state is StateType.RUNNING:
        yield f"It has been running for {human_duration(round(run.duration(now)))} in {holder_told(root, observer)}."
    elif state is StateType.PENDING:
        yield f"It was claimed {since} ago by {holder_told(root, observer)}, and has not said yet that it runs."
    elif state is StateType.SCHEDULED and run.state_name == "AwaitingRetry":
        yield f"Its function failed ({_or(run.message, 'no message')}) and is entered again after the retry delay."
        yield f"It is held by {holder_told(root, observer)}."
    elif for_workers:
        yield from for_workers
    elif state is StateType.SCHEDULED:
        yield f"It waits to be started, since {since}: {_who_could_claim(run)}"
    elif state is StateType.PAUSED:
        yield f"It has been paused for {since}{': ' + run.message if run.message else '.'}"
        yield from _about_holding(root, observer)
    else:
        yield f"It is being cancelled, since {since}, in {holder_told(root, observer)}."
    yield from about_pauses(store, run, now)
    if not run.is_final:
        for request in store.requests([run.root]):
            ago = human_duration(round(max(0.0, now - request.at)))
            by = request.by or "Somebody"
            yield f"{by} asked for a {request.kind} {ago} ago; what cannot be interrupted runs on."


def _about_holding(root: FlowRun, observer: Holder) -> Iterator[str]:
    if is_released(root):
        yield "No process has it: it is suspended."
    else:
        yield f"It waits in {holder_told(root, observer)}."


def about_pauses(store: Store, run: FlowRun, now: float) -> Iterator[str]:
    """Say of each pause what is asked and until when, and how to answer; of a suspended run, also the last answer."""
    if run.state_type in (StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED):
        return
    pauses = [one for one in store.inputs.pauses(run.root) if run.is_root or one.run == run.id]
    waiting = open_pauses(store, run)
    if is_released(run):
        own = the_open_pause(store, run)
        waiting = [own] if own is not None else []
    for pause in waiting:
        yield from _about_pause(store, run, pause, now)
    answered = [one for one in pauses if one.answer is not None]
    if answered and not waiting and is_released(run):
        last = max(answered, key=lambda one: one.answered)
        ago = human_duration(round(max(0.0, now - last.answered)))
        yield f"Pause {last.key} was answered {ago} ago{f' by {last.by}' if last.by else ''}: it is ready to go on."


def _about_pause(store: Store, run: FlowRun, pause: Pause, now: float) -> Iterator[str]:
    below = store.flow_run(pause.run) if pause.run != run.id else None
    since = human_duration(round(max(0.0, now - pause.at)))
    fields = asked_fields(pause)
    what = f"for input ({', '.join(f'{one.name}: {one.expects}' for one in fields)})" if fields else "to be resumed"
    until = f", for {human_duration(round(pause.deadline - now))} more" if pause.deadline > now else ""
    over = "; its time is over" if pause.is_overdue(now) else ""
    yield f"Pause {pause.key}{f' of {below.name}' if below else ''} waits {what} since {since}{until}{over}."
    if pause.refused:
        yield f"Its last answer was refused: {pause.refused}"
    if not over:
        wanted = told_for_shell(below.name, below.id) if below else told_for_shell(run.name, run.id)
        yield f"Answer it with: nadi resume {wanted}{options_for(pause)}"


def _who_could_claim(run: FlowRun) -> str:
    if is_background(run):
        return f"it is a background run, and no worker that serves the task {run.flow!r} has claimed it."
    return "no process has claimed it."


def _or(text: str, otherwise: str) -> str:
    return f"{text.rstrip('.') or otherwise}."


def holder_told(run: FlowRun, observer: Holder) -> str:
    """Return which process holds a run, and whether it lives as far as that can be told from here."""
    holder = Holder.decode(run.holder)
    if not holder.pid:
        return "a process of which nothing is known"
    if holder.shares_pids_with(observer) and holder.started:
        lives = "is alive" if process_start(holder.pid) == holder.started else "is gone"
        return f"{holder}, which {lives}"
    return f"{holder}, which cannot be looked up from here"


def _advice(root: FlowRun) -> str:
    name = told_for_shell(root.name, root.id)
    if is_released(root):
        return f"nadi resume {name} continues it; nadi cancel {name} ends it."
    if not root.is_final:
        return f"nadi logs {name} -f follows it; nadi cancel {name} stops it."
    if root.state_type is StateType.COMPLETED:
        return ""
    return not_resumable(root) or f"nadi resume {name} continues it; finished tasks are kept."


def not_resumable(root: FlowRun) -> str:
    """Return why `nadi resume` cannot continue a run, and what serves instead; "" where it can."""
    if is_background(root):
        return told_background(root)
    source = source_of(root)
    if source is not None and source.entrypoint is not None:
        return ""
    why = source.not_loadable if source is not None and source.not_loadable else "Its code was not recorded."
    return f"It cannot be continued from the command line: {why} nadi.resume(run, flow=...) serves."


# -- its tasks ------------------------------------------------------------------------------


class _Upstreams:
    """What task runs wait for, each looked up once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, TaskRun | FlowRun | None] = {}

    def __getitem__(self, id: str) -> TaskRun | FlowRun | None:
        if id not in self._known:
            self._known[id] = self._store.task_run(id) or self._store.flow_run(id)
        return self._known[id]


def _about_tasks(store: Store, run: FlowRun, root: FlowRun, now: float) -> Iterator[tuple[TaskRun, str]]:
    inside = "" if run.is_root else run.id
    states = _WENT_WRONG if run.is_final else _OPEN
    tasks = list(_all(store, run.root, inside, states))
    upstreams = _Upstreams(store)
    running = sum(task.state_type is StateType.RUNNING for task in tasks)
    # What runs first, then what waits, then what went wrong, each in the order it was called.
    for task in sorted(tasks, key=lambda task: _ORDER[task.state_type]):
        if not run.is_final and task.seen < root.token:
            yield task, "it is left from an earlier attempt, and the flow has not called it again yet"
        else:
            yield task, _why(task, upstreams, running, now)


def _about_cached(store: Store, run: FlowRun) -> Iterator[tuple[TaskRun, str]]:
    """Say of tasks of a run that has ended who computed what they took from the cache; of the first thousand."""
    if run.is_final:
        for task in store.task_runs(run.root, run="" if run.is_root else run.id, states=(StateType.COMPLETED,)):
            if task.state_name == CACHED.name:
                told = one_line(task.message).rstrip(".")
                yield task, told[:1].lower() + told[1:]


_ORDER = {
    StateType.RUNNING: 0,
    StateType.CANCELLING: 1,
    StateType.SCHEDULED: 2,
    StateType.PENDING: 3,
    StateType.PAUSED: 4,
    StateType.FAILED: 5,
    StateType.CRASHED: 6,
    StateType.CANCELLED: 7,
}


def _all(store: Store, root: str, run: str, states: tuple[StateType, ...]) -> Iterator[TaskRun]:
    after = ""
    while page := store.task_runs(root, run=run, states=states, after=after):
        yield from page
        after = page[-1].id


def _why(task: TaskRun, upstreams: _Upstreams, running: int, now: float) -> str:
    state = task.state_type
    if state is StateType.RUNNING:
        again = f", attempt {task.attempt}" if task.attempt > 1 else ""
        return f"it has been running for {human_duration(round(task.duration(now)))}{again}"
    if state is StateType.SCHEDULED:
        return _why_scheduled(task, now)
    if state is StateType.PENDING:
        return _why_pending(task, upstreams, running)
    if state is StateType.PAUSED:
        return f"it is paused{': ' + task.message if task.message else ''}"
    if task.state_name == NOT_READY.name:
        told = task.message.partition(" Wrap the argument")[0].rstrip(".")
        return f"it {told.removeprefix(f'{task.name} ')}" if told else "an upstream failed"
    if state is StateType.CANCELLED and not task.started:
        return "it had not started when the run ended"
    return task.message.rstrip(".") or "no message was recorded"


def _why_scheduled(task: TaskRun, now: float) -> str:
    failed = f"attempt {task.attempt} failed ({task.message.rstrip('.')})" if task.message else "it waits"
    if task.due > now:
        return f"{failed}; the next attempt is due in {human_duration(round(task.due - now, 1))}"
    return f"{failed}; the next attempt is due and waits for a free place"


def _why_pending(task: TaskRun, upstreams: _Upstreams, running: int) -> str:
    waits = [found for found in map(upstreams.__getitem__, task.upstream) if found is not None and not found.is_final]
    if not waits:
        return (
            "its inputs are ready; it waits for a free place in its executor,"
            f" where {plural(running, 'task')} of this run {'is' if running == 1 else 'are'} running"
        )
    told = ", ".join(f"{one.name} ({one.state_name})" for one in waits[:3])
    more = f" and {len(waits) - 3:,} more" if len(waits) > 3 else ""
    return f"it waits for {told}{more}"


def _folded(reasons: Iterator[tuple[TaskRun, str]]) -> list[Reason]:
    """Put task runs of one task that stand alike for the same reason into one."""
    folded: dict[tuple[str, str, str], Reason] = {}
    for task, why in reasons:
        key = (task.task, task.state_name, why)
        found = folded.get(key)
        if found is None:
            folded[key] = Reason(task.name, task.state_name, why, task_run=task.id, state_type=task.state_type)
        else:
            found.subject, found.count = task.task, found.count + 1
    return list(folded.values())
