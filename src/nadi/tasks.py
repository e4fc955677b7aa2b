"""`@task`: marks a function as a task. A thin callable face over a TaskSpec; the engine does the rest."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, cast, overload

import msgspec

from nadi.engine.calls import call_task, map_task, own_keywords, submit_task
from nadi.engine.definitions import hook_list, sentence_of, style_of, unwrap_method
from nadi.engine.futures import FutureList, NadiFuture
from nadi.exceptions import DefinitionError
from nadi.model.names import check_flow_name
from nadi.model.parameters import Parameters
from nadi.model.retries import Delay, RetryPolicy, exponential_backoff
from nadi.model.specs import Hook, Hooks, TaskSpec
from nadi.model.states import State
from nadi.storage.pickles import reduce_by_name

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")

Condition = Callable[[Any, Any, Any], Any]

#: Keywords of `@task` that take no spec field; caching and transactions give them their behaviour.
_KEPT = (
    "cache_policy",
    "cache_key_fn",
    "cache_expiration",
    "refresh_cache",
    "result_storage",
    "result_storage_key",
    "on_commit",
    "on_rollback",
    "viz_return_value",
    "asset_deps",
)


class Task(Generic[P, R]):
    """A function that runs as a task: recorded, retried, timed out, and not repeated on resume."""

    __name__: str
    __qualname__: str

    def __init__(
        self,
        fn: Callable[P, R],
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
        on_failure: Sequence[Hook] | None = None,
        on_running: Sequence[Hook] | None = None,
        on_cancellation: Sequence[Hook] | None = None,
        on_rollback: Sequence[Hook] | None = None,
        on_commit: Sequence[Hook] | None = None,
        viz_return_value: Any = None,
        asset_deps: Sequence[Any] | None = None,
        durable: bool = False,
        rerun_on_retry: bool = False,
    ) -> None:
        """Describe the task; see docs/reference/decorators.md for every keyword.

        Raises:
            DefinitionError: a keyword has a value that cannot work; the sentence names task and keyword.
        """
        given = {key: value for key, value in locals().items() if key not in ("self", "fn")}
        function = unwrap_method(fn, "@task")
        title = (
            name
            if name is not None
            else getattr(function, "__name__", type(function).__name__).replace("<lambda>", "lambda")
        )
        owner = f"@task {title}"
        if timeout_seconds is not None and not timeout_seconds > 0:
            raise DefinitionError(f"{owner}: timeout_seconds must be greater than 0, not {timeout_seconds!r}.")
        self._given = given
        self._descriptor = fn if isinstance(fn, classmethod | staticmethod) else None
        self.spec = TaskSpec(
            fn=function,
            name=check_flow_name(title),
            style=style_of(function),
            parameters=Parameters.of(function),
            description=description or sentence_of(function),
            version=version or "",
            tags=frozenset(tags or ()),
            retry=RetryPolicy.of(retries, retry_delay_seconds, retry_jitter_factor, owner=owner),
            timeout=float(timeout_seconds) if timeout_seconds is not None else None,
            log_prints=log_prints,
            run_name=task_run_name,
            hooks=Hooks(
                running=hook_list(on_running, owner, "on_running"),
                completion=hook_list(on_completion, owner, "on_completion"),
                failure=hook_list(on_failure, owner, "on_failure"),
                cancellation=hook_list(on_cancellation, owner, "on_cancellation"),
            ),
            persist_result=persist_result,
            serializer=result_serializer or "pickle",
            cache_result_in_memory=cache_result_in_memory,
            face=self,
            kept_keywords={key: given[key] for key in _KEPT},
            retry_condition=retry_condition_fn,
            durable=durable,
            rerun_on_retry=rerun_on_retry,
        )
        functools.update_wrapper(self, function)

    @property
    def fn(self) -> Callable[P, R]:
        """The function itself: calling it runs it plainly, as if it were no task."""
        return cast(Callable[P, R], self.spec.fn)

    @property
    def name(self) -> str:
        """Name of the task."""
        return self.spec.name

    @property
    def description(self) -> str:
        """What the task does: the keyword, or the docstring's first line."""
        return self.spec.description

    @property
    def version(self) -> str:
        """Version, as given."""
        return self.spec.version

    @property
    def tags(self) -> frozenset[str]:
        """Tags of every run of this task."""
        return self.spec.tags

    @property
    def retries(self) -> int:
        """Further attempts after a failed first."""
        return self.spec.retry.retries

    @property
    def is_async(self) -> bool:
        """Whether calling it gives a coroutine or an async iterator."""
        return self.spec.is_async

    # Any: a State, or a coroutine that gives one; mypy takes a function that returns Any for a coroutine function.
    @overload
    def __call__(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> Any: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task here and now; returns what its function returns.

        Besides the function's own arguments it takes `wait_for` (futures that must complete
        first) and `return_state` (the final State instead of the value; nothing is raised).
        """
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
        kwargs.pop("deferred", None)
        return map_task(self.spec, args, kwargs, **own_keywords(kwargs))

    def with_options(self, **changes: Any) -> Task[P, R]:
        """Return the same task with other keywords; takes every keyword of `@task`."""
        unknown = changes.keys() - self._given.keys()
        if unknown:
            raise DefinitionError(f"{self.name}.with_options() does not know {', '.join(sorted(unknown))}.")
        fn = self._descriptor if self._descriptor is not None else self.spec.fn
        return type(self)(cast(Callable[P, R], fn), **{**self._given, **changes})

    def on_completion(self, hook: Hook) -> Hook:
        """Call `hook(task, run, state)` when a run of this task completes. A decorator."""
        return self._add_hook("completion", hook)

    def on_failure(self, hook: Hook) -> Hook:
        """Call `hook(task, run, state)` when a run of this task has failed and is not retried. A decorator."""
        return self._add_hook("failure", hook)

    def on_running(self, hook: Hook) -> Hook:
        """Call `hook(task, run, state)` when a run of this task starts. A decorator."""
        return self._add_hook("running", hook)

    def on_cancellation(self, hook: Hook) -> Hook:
        """Call `hook(task, run, state)` when a run of this task is cancelled. A decorator."""
        return self._add_hook("cancellation", hook)

    def _add_hook(self, when: str, hook: Hook) -> Hook:
        hook_list([hook], f"@task {self.name}", f"on_{when}")
        hooks = self.spec.hooks
        added = (*getattr(hooks, when), hook)
        msgspec.structs.force_setattr(self.spec, "hooks", msgspec.structs.replace(hooks, **{when: added}))
        self.spec.__dict__.pop("hooks_are_empty", None)
        self._given[f"on_{when}"] = added  # for methods and with_options()
        return hook

    @overload
    def __get__(self, instance: None, owner: type) -> Task[P, R]: ...
    @overload
    def __get__(self: Task[Concatenate[Any, Q], S], instance: object, owner: type) -> Task[Q, S]: ...
    def __get__(self, instance: object, owner: type) -> Any:
        bound = self._descriptor.__get__(instance, owner) if self._descriptor is not None else None
        if bound is None:
            if instance is None:
                return self
            bound = self.spec.fn.__get__(instance, owner)
        return type(self)(bound, **{**self._given, "name": self.name})

    def __reduce__(self) -> Any:
        return reduce_by_name(self) or (_rebuild, (self.spec.fn, self._given))

    def __repr__(self) -> str:
        return f"<Task {self.name}>"


def _rebuild(fn: Callable[..., Any], given: dict[str, Any]) -> Task[..., Any]:
    return Task(fn, **given)


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
    on_failure: Sequence[Hook] | None = None,
    on_running: Sequence[Hook] | None = None,
    on_cancellation: Sequence[Hook] | None = None,
    on_rollback: Sequence[Hook] | None = None,
    on_commit: Sequence[Hook] | None = None,
    viz_return_value: Any = None,
    asset_deps: Sequence[Any] | None = None,
    durable: bool = False,
    rerun_on_retry: bool = False,
) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(fn: Callable[..., Any] | None = None, /, **keywords: Any) -> Any:
    """Mark a function as a task. With and without parentheses; every keyword is in docs/reference/decorators.md."""
    if fn is None:
        return lambda fn: Task(fn, **keywords)
    if not callable(fn) and not isinstance(fn, classmethod | staticmethod):
        raise DefinitionError(f"@task marks a function, not {fn!r}. Keywords go by name: @task(name=...).")
    return Task(fn, **keywords)


__all__ = ["Task", "exponential_backoff", "task"]
