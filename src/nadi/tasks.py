"""`@task`: marks a function as a task. A thin callable face over a TaskSpec; the engine does the rest."""

from __future__ import annotations

import datetime
import importlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Literal, Self, overload

import msgspec

from nadi._declaring import DeclaredGraph, Node, declared, refuse_to_run
from nadi._definition import Definition
from nadi._task_keywords import KeywordAttribute, ObjectTaskSpec, check_families, spec_of
from nadi.engine import late
from nadi.engine.background_futures import BackgroundFuture
from nadi.engine.calls import call_task, map_task, own_keywords, submit_task
from nadi.engine.definitions import unwrap_method
from nadi.engine.futures import FutureList, NadiFuture
from nadi.engine.logs import get_run_logger
from nadi.engine.scope import current
from nadi.exceptions import DefinitionError
from nadi.model.parameters.names import close_match
from nadi.model.retries import Delay, exponential_backoff
from nadi.model.specs import Hook, TaskSpec, TransactionHook
from nadi.model.states import State

if TYPE_CHECKING:
    # Defaults of type variables, which Python has from 3.13 on: `class Extract(Task)` needs no brackets.
    from typing_extensions import ParamSpec, TypeVar

    P = ParamSpec("P", default=...)
    R = TypeVar("R", default=Any)
else:
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")
Q = ParamSpec("Q")
S = TypeVar("S")

Condition = Callable[[Any, Any, Any], Any]


class Task(Node, Definition[P, R]):
    """A function that runs as a task: recorded, retried, timed out, and not repeated on resume.

    `@task` makes one of a function. A class of tasks derives from it and defines `run`. Inside of a
    `with Flow(...)` a call adds a copy to the flow that is declared; elsewhere it runs.
    """

    __name__: str
    __qualname__: str

    KIND = "task"

    spec: TaskSpec

    def __init__(
        self,
        fn: Callable[P, R] | str | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        version: str | None = None,
        cache_policy: Any = None,
        cache_key_fn: Callable[[Any, dict[str, Any]], str | None] | None = None,
        cache_expiration: datetime.timedelta | None = None,
        task_run_name: str | Callable[..., str] | None = None,
        retries: int | None = None,
        retry_delay_seconds: Delay = None,
        retry_jitter_factor: float | None = None,
        retry_condition_fn: Condition | None = None,
        persist_result: bool | None = None,
        result_storage: Any = None,
        result_storage_key: str | None = None,
        result_serializer: str | None = None,
        cache_result_in_memory: bool = True,
        timeout_seconds: float | None = None,
        log_prints: bool | None = None,
        refresh_cache: bool | None = None,
        on_completion: Sequence[Hook] | None = None,
        on_failure: Sequence[Hook] | Callable[[Any, Any], Any] | None = None,
        on_running: Sequence[Hook] | None = None,
        on_cancellation: Sequence[Hook] | None = None,
        on_rollback: Sequence[TransactionHook] | None = None,
        on_commit: Sequence[TransactionHook] | None = None,
        viz_return_value: Any = None,
        asset_deps: Sequence[Any] | None = None,
        durable: bool = False,
        rerun_on_retry: bool = False,
        slug: str | None = None,
        max_retries: int | None = None,
        retry_delay: datetime.timedelta | None = None,
        retry_on: type[BaseException] | Iterable[type[BaseException]] | None = None,
        timeout: int | datetime.timedelta | None = None,
        trigger: Callable[[dict[Any, Any]], bool] | None = None,
        skip_on_upstream_skip: bool = True,
        cache_for: datetime.timedelta | None = None,
        cache_validator: Callable[..., bool] | None = None,
        cache_key: str | None = None,
        checkpoint: bool | None = None,
        state_handlers: Sequence[Callable[..., Any]] | None = None,
        log_stdout: bool = False,
        result: Any = None,
        target: str | Callable[..., str] | None = None,
        nout: int | None = None,
    ) -> None:
        """Describe the task; see docs/reference/decorators.md for every keyword.

        Raises:
            DefinitionError: a keyword has a value that cannot work; the sentence names task and keyword.
        """
        given = {key: value for key, value in locals().items() if key not in ("self", "fn")}
        if isinstance(fn, str):
            if name is not None:
                raise DefinitionError(f"The task {fn!r} is given the name {name!r} too; give it one of the two.")
            given["name"], fn = fn, None
        self._define(fn, given)

    def _define(self, fn: Callable[..., Any] | None, given: dict[str, Any]) -> None:
        """Be the task that the keywords describe; without a function, that of the class's own `run`."""
        self._runs_itself = fn is None
        function = unwrap_method(fn, "@task") if fn is not None else self._own_function()
        title = given["name"]
        if title is None:
            named = type(self) if fn is None else function
            title = getattr(named, "__name__", type(function).__name__).replace("<lambda>", "lambda")
        check_families(given, f"@task {title}")
        spec = spec_of(function, given, self, title, kind=TaskSpec if fn is not None else ObjectTaskSpec)
        if fn is not None:
            self._wrap(fn, given, spec)
            return
        self._given, self._descriptor, self.spec = given, None, spec
        self.__dict__["__wrapped__"] = function  # so that its signature is told

    def _own_function(self) -> Callable[..., Any]:
        return _nothing if type(self).run is Task.run else self.run

    def _redefine(self, changes: Mapping[str, Any]) -> None:
        """Change keywords of this very task."""
        self._given = {**self._given, **changes}
        spec = self.spec
        title = self._given["name"] if "name" in changes else spec.name
        self.spec = spec_of(spec.fn, self._given, self, title, kind=type(spec), parameters=spec.parameters)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "spec" and not isinstance(value, TaskSpec):
            raise DefinitionError(
                f"{type(self).__name__} sets its attribute 'spec', which holds what Nadi knows about a task."
                " Give the attribute another name."
            )
        super().__setattr__(name, value)

    @property
    def name(self) -> str:
        """Its name, in records and messages."""
        return self.spec.name

    @name.setter
    def name(self, name: str) -> None:
        self._redefine({"name": name})

    @property
    def tags(self) -> frozenset[str]:
        """Tags of every run of it."""
        return self.spec.tags

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        self._redefine({"tags": frozenset(tags)})

    slug = KeywordAttribute()
    max_retries = KeywordAttribute()
    retry_delay = KeywordAttribute()
    retry_on = KeywordAttribute()
    timeout = KeywordAttribute()
    trigger = KeywordAttribute()
    skip_on_upstream_skip = KeywordAttribute()
    cache_for = KeywordAttribute()
    cache_validator = KeywordAttribute()
    cache_key = KeywordAttribute()
    checkpoint = KeywordAttribute()
    state_handlers = KeywordAttribute()
    log_stdout = KeywordAttribute()
    result = KeywordAttribute()
    target = KeywordAttribute()
    task_run_name = KeywordAttribute()
    nout = KeywordAttribute()

    @property
    def logger(self) -> logging.Logger | logging.LoggerAdapter[Any]:
        """The logger of the run that is going on; outside of runs, the one called `nadi.` and the task's name."""
        return logging.getLogger(f"nadi.{self.name}") if current.get() is None else get_run_logger()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function plainly, as if it were not marked. A class of tasks gives its own."""
        return self.spec.fn(*args, **kwargs)

    def with_options(self, **changes: Any) -> Self:
        """Return the same task with other keywords; takes every keyword of the decorator.

        Raises:
            DefinitionError: a keyword is unknown.
        """
        if not self._runs_itself:
            return super().with_options(**changes)
        self._check_known(changes)
        twin = self._twin()
        twin._define(None, {**self._given, **changes})
        return twin

    def copy(self, **attributes: Any) -> Self:
        """Return another task of the same function: another node, with other attributes where some are given.

        The copy has none of the dependencies of this task. Attributes are the keywords of the decorator, and what
        the `__init__` of a class of tasks has set.

        Raises:
            DefinitionError: the task has no such attribute.
        """
        keywords = {name: value for name, value in attributes.items() if name in self._given}
        twin = self.with_options(**keywords) if keywords else self._twin()
        for name in attributes.keys() - keywords.keys():
            own = {**_plain_attributes(type(self)), **self.own_attributes()}
            if name not in own:
                near = close_match(name, [*self._given, *own])
                raise DefinitionError(f"The task {self.name} has no attribute {name!r} that a copy could have{near}.")
            setattr(twin, name, attributes[name])
        return twin

    def own_attributes(self) -> dict[str, Any]:
        """What the `__init__` of a class of tasks has set, by name; it is part of what the task does."""
        return {
            name: value for name, value in vars(self).items() if name not in _MADE_HERE and not name.startswith("__")
        }

    def __copy__(self) -> Self:
        return self._twin()

    def _twin(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        if self._runs_itself:
            # Its run reads the attributes of this very object.
            function = twin.__dict__["__wrapped__"] = twin._own_function()
            twin.spec = msgspec.structs.replace(self.spec, fn=function, face=twin)
        return twin

    def on_failure(self, hook: Hook) -> Hook:
        """Call `hook(task, run, state)` when a run of it has failed and is not retried. A decorator.

        Raises:
            DefinitionError: the task has an `on_failure` of Prefect 1 already, one function of (task, state).
        """
        if callable(self._given["on_failure"]):
            raise DefinitionError(
                f"The task {self.name} was given a function as on_failure, which is called with (task, state)."
                " Give a list of hooks, each called with (task, run, state), to have several."
            )
        return super().on_failure(hook)

    def on_commit(self, hook: TransactionHook) -> TransactionHook:
        """Call `hook(transaction)` when the transaction of a run of it commits. A decorator."""
        return self._add_hook("commit", hook)

    def on_rollback(self, hook: TransactionHook) -> TransactionHook:
        """Call `hook(transaction)` when what a run of it did is to be undone. A decorator."""
        return self._add_hook("rollback", hook)

    @property
    def version(self) -> str:
        """Version, as given."""
        return self.spec.version

    # Any: a State, or a coroutine that gives one; mypy takes a function that returns Any for a coroutine function.
    @overload
    def __call__(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> Any: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(self, *args: Any, upstream_tasks: Iterable[Any], **kwargs: Any) -> R: ...
    @overload
    def __call__(self, *args: Any, task_args: Mapping[str, Any], **kwargs: Any) -> R: ...
    @overload
    def __call__(self, *args: Any, flow: DeclaredGraph, **kwargs: Any) -> R: ...
    @overload
    def __call__(self, *args: Any, mapped: bool, **kwargs: Any) -> R: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task here and now; returns what its function returns.

        Besides the function's own arguments it takes `wait_for` (futures that must complete
        first) and `return_state` (the final State instead of the value; nothing is raised).

        Inside of a `with Flow(...)` nothing runs: the call adds a copy of the task to the flow and
        returns it, with edges from the tasks among the arguments. There it takes `upstream_tasks`
        (what only comes before), `mapped`, `task_args` (attributes of the copy) and `flow`.
        """
        place = declared.get()
        if place is None and kwargs:
            place = kwargs.get("flow")
        if place is not None and isinstance(place, DeclaredGraph):
            return place.call(self, args, kwargs)
        return call_task(self.spec, args, kwargs, **own_keywords(kwargs))

    @overload
    def submit(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> State[Any]: ...
    @overload
    def submit(self: Task[..., Coroutine[Any, Any, S]], *args: Any, **kwargs: Any) -> NadiFuture[S]: ...
    @overload
    def submit(self: Task[..., S], *args: Any, **kwargs: Any) -> NadiFuture[S]: ...
    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Hand the task to the flow's executor and return a future at once.

        Futures among the arguments, also inside of collections, are waited for without holding
        a thread, and the task receives their values. `wait_for` names what else must complete.

        Raises:
            ContextError: called outside of a flow or task.
        """
        if declared.get() is not None:
            refuse_to_run(f"{self.name}.submit()")
        return submit_task(self.spec, args, kwargs, **own_keywords(kwargs))

    @overload
    def map(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> list[State[Any]]: ...
    @overload
    def map(self: Task[..., Coroutine[Any, Any, S]], *args: Any, **kwargs: Any) -> FutureList[S]: ...
    @overload
    def map(self: Task[..., S], *args: Any, **kwargs: Any) -> FutureList[S]: ...
    def map(self, *args: Any, **kwargs: Any) -> Any:
        """Submit the task once for each item of its iterable arguments, which are paired item by item.

        What is wrapped in `unmapped()`, and strings, bytes, dicts and defaults, are passed whole.

        Raises:
            MappingLengthMismatch: the iterables have different lengths; the sentence names them.
            MappingMissingIterable: there is nothing to iterate.
            ContextError: called outside of a flow or task.
        """
        place = declared.get() or kwargs.get("flow")
        if place is not None and isinstance(place, DeclaredGraph):
            return place.call(self, args, kwargs, mapped=True)
        kwargs.pop("deferred", None)
        return map_task(self.spec, args, kwargs, **own_keywords(kwargs))

    @overload
    def delay(self: Task[..., Coroutine[Any, Any, S]], *args: Any, **kwargs: Any) -> BackgroundFuture[S]: ...
    @overload
    def delay(self: Task[..., S], *args: Any, **kwargs: Any) -> BackgroundFuture[S]: ...
    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """Ask for a run of the task in the background, and return its future at once; a worker runs it.

        The run is in the store when this returns, whether a worker serves the task or not; see `serve`. Arguments are
        kept as results are: what cannot be pickled, and secrets, are refused.

        Raises:
            DefinitionError: a worker could not find the task again by its name.
            ValueRefused: the arguments cannot be kept.
        """
        return self.apply_async(args, kwargs)

    def apply_async(
        self,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        wait_for: Iterable[Any] | None = None,
    ) -> BackgroundFuture[Any]:
        """Ask for a run in the background, as `delay` does, with arguments as tuple and dict.

        Args:
            args: Arguments by position.
            kwargs: Arguments by name.
            wait_for: Futures that must complete before the run starts.
        """
        refuse_to_run(f"{self.name}.delay()")
        future: BackgroundFuture[Any] = _later("nadi.engine.background").enqueue(
            self.spec, tuple(args or ()), dict(kwargs or {}), wait_for=wait_for or ()
        )
        return future

    def serve(self, *, limit: int | None = 10, status_server_port: int | None = None) -> None:
        """Run background runs of this task in this process until it is stopped; see `nadi.task_worker.serve`."""
        _later("nadi.task_worker").serve(self, limit=limit, status_server_port=status_server_port)

    @overload
    def __get__(self, instance: None, owner: type) -> Task[P, R]: ...
    @overload
    def __get__(self: Task[Concatenate[Any, Q], S], instance: object, owner: type) -> Task[Q, S]: ...
    def __get__(self, instance: object, owner: type) -> Any:
        return self if self._runs_itself else self._bound_to(instance, owner)

    def __reduce__(self) -> Any:
        if not self._runs_itself:
            return super().__reduce__()
        return _restored, (type(self), self.own_attributes(), self._given)


def _restored(kind: type[Task[..., Any]], state: dict[str, Any], given: dict[str, Any]) -> Task[..., Any]:
    task = object.__new__(kind)
    task.__dict__.update(state)
    task._define(None, given)
    return task


def _nothing() -> None:
    """What a task without a function does: it only stands somewhere in the order."""


#: Attributes of a task that are no user's.
_MADE_HERE = frozenset({"spec", "_given", "_descriptor", "_runs_itself"})


def _plain_attributes(kind: type) -> dict[str, Any]:
    """What a class of tasks and its bases below Task give plain values."""
    bases = kind.__mro__[: kind.__mro__.index(Task)]
    return {
        name: value
        for base in reversed(bases)
        for name, value in vars(base).items()
        if not name.startswith("_") and not callable(value)
    }


def _later(module: str) -> Any:
    # Background runs are of use to few programs, and would cost every import of the package some milliseconds.
    return importlib.import_module(module)


@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    name: str | None = None,
    description: str | None = None,
    tags: Iterable[str] | None = None,
    version: str | None = None,
    cache_policy: Any = None,
    cache_key_fn: Callable[[Any, dict[str, Any]], str | None] | None = None,
    cache_expiration: datetime.timedelta | None = None,
    task_run_name: str | Callable[..., str] | None = None,
    retries: int | None = None,
    retry_delay_seconds: Delay = None,
    retry_jitter_factor: float | None = None,
    retry_condition_fn: Condition | None = None,
    persist_result: bool | None = None,
    result_storage: Any = None,
    result_storage_key: str | None = None,
    result_serializer: str | None = None,
    cache_result_in_memory: bool = True,
    timeout_seconds: float | None = None,
    log_prints: bool | None = None,
    refresh_cache: bool | None = None,
    on_completion: Sequence[Hook] | None = None,
    on_failure: Sequence[Hook] | Callable[[Any, Any], Any] | None = None,
    on_running: Sequence[Hook] | None = None,
    on_cancellation: Sequence[Hook] | None = None,
    on_rollback: Sequence[TransactionHook] | None = None,
    on_commit: Sequence[TransactionHook] | None = None,
    viz_return_value: Any = None,
    asset_deps: Sequence[Any] | None = None,
    durable: bool = False,
    rerun_on_retry: bool = False,
    slug: str | None = None,
    max_retries: int | None = None,
    retry_delay: datetime.timedelta | None = None,
    retry_on: type[BaseException] | Iterable[type[BaseException]] | None = None,
    timeout: int | datetime.timedelta | None = None,
    trigger: Callable[[dict[Any, Any]], bool] | None = None,
    skip_on_upstream_skip: bool = True,
    cache_for: datetime.timedelta | None = None,
    cache_validator: Callable[..., bool] | None = None,
    cache_key: str | None = None,
    checkpoint: bool | None = None,
    state_handlers: Sequence[Callable[..., Any]] | None = None,
    log_stdout: bool = False,
    result: Any = None,
    target: str | Callable[..., str] | None = None,
    nout: int | None = None,
) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(fn: Callable[..., Any] | None = None, /, **keywords: Any) -> Any:
    """Mark a function as a task. With and without parentheses; every keyword is in docs/reference/decorators.md."""
    if fn is None:
        return lambda fn: Task(fn, **keywords)
    if not callable(fn) and not isinstance(fn, classmethod | staticmethod):
        raise DefinitionError(f"@task marks a function, not {fn!r}. Keywords go by name: @task(name=...).")
    return Task(fn, **keywords)


def task_input_hash(context: Any, arguments: dict[str, Any]) -> str | None:
    """A ready `cache_key_fn`: calls share where arguments and code of the task are the same, over all runs."""
    key: str | None = late.cache_policies().task_input_hash(context, arguments)
    return key


__all__ = ["Task", "exponential_backoff", "task", "task_input_hash"]
