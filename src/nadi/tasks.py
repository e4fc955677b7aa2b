"""`@task`: marks a function as a task. A thin callable face over a TaskSpec; the engine does the rest."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, overload

from nadi._definition import Definition
from nadi.engine.calls import call_task, map_task, own_keywords, submit_task
from nadi.engine.definitions import hook_list, sentence_of, style_of, timeout_of, unwrap_method
from nadi.engine.futures import FutureList, NadiFuture
from nadi.exceptions import DefinitionError
from nadi.model.names import check_task_name
from nadi.model.parameters import Parameters
from nadi.model.retries import Delay, RetryPolicy, exponential_backoff
from nadi.model.specs import Hook, Hooks, TaskSpec
from nadi.model.states import State

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


class Task(Definition[P, R]):
    """A function that runs as a task: recorded, retried, timed out, and not repeated on resume."""

    __name__: str
    __qualname__: str

    KIND = "task"

    spec: TaskSpec

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
        spec = TaskSpec(
            fn=function,
            name=check_task_name(title),
            style=style_of(function),
            parameters=Parameters.of(function),
            description=description or sentence_of(function),
            version=version or "",
            tags=frozenset(tags or ()),
            retry=RetryPolicy.of(retries, retry_delay_seconds, retry_jitter_factor, owner=owner),
            timeout=timeout_of(timeout_seconds, owner),
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
        self._wrap(fn, given, spec)

    @property
    def version(self) -> str:
        """Version, as given."""
        return self.spec.version

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

    @overload
    def __get__(self, instance: None, owner: type) -> Task[P, R]: ...
    @overload
    def __get__(self: Task[Concatenate[Any, Q], S], instance: object, owner: type) -> Task[Q, S]: ...
    def __get__(self, instance: object, owner: type) -> Any:
        return self._bound_to(instance, owner)


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
