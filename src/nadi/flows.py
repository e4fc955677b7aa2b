"""`@flow`: marks a function as a flow. A thin callable face over a FlowSpec; the engine does the rest."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, Self, TypeVar, Unpack, overload

from nadi._declaring import refuse_to_run
from nadi._definition import Definition
from nadi._deployment_keywords import DeploymentKeywords
from nadi.engine.calls import call_flow, map_flow, own_keywords, submit_flow
from nadi.engine.definitions import hook_list, sentence_of, style_of, timeout_of, unwrap_method
from nadi.engine.futures import FutureList, NadiFuture
from nadi.engine.loading import stop_if_loading
from nadi.exceptions import DefinitionError
from nadi.executors.naming import check_executor
from nadi.model.names import check_flow_name
from nadi.model.parameters import Parameters
from nadi.model.retries import Delay, RetryPolicy
from nadi.model.specs import FlowSpec, Hook, Hooks, Unobserved
from nadi.model.states import State

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")


class Flow(Definition[P, R]):
    """A function that runs as a flow: recorded, resumable, and the place where tasks are submitted."""

    __name__: str
    __qualname__: str

    KIND = "flow"
    #: Tells loaders of user code what this is.
    __nadi_flow__ = True

    spec: FlowSpec

    def __init__(
        self,
        fn: Callable[P, R],
        *,
        name: str | None = None,
        version: str | None = None,
        flow_run_name: str | Callable[..., str] | None = None,
        retries: int | None = None,
        retry_delay_seconds: Delay = None,
        retry_jitter_factor: float | None = None,
        executor: Any = None,
        task_runner: Any = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        timeout_seconds: float | None = None,
        validate_parameters: bool = True,
        persist_result: bool | None = None,
        result_storage: Any = None,
        result_serializer: str | None = None,
        cache_result_in_memory: bool = True,
        log_prints: bool | None = None,
        on_completion: Sequence[Hook] | None = None,
        on_failure: Sequence[Hook] | None = None,
        on_cancellation: Sequence[Hook] | None = None,
        on_crashed: Sequence[Hook] | None = None,
        on_running: Sequence[Hook] | None = None,
        unobserved: Literal["fail", "ignore"] = "fail",
    ) -> None:
        """Describe the flow; see docs/reference/decorators.md for every keyword.

        Raises:
            DefinitionError: a keyword has a value that cannot work; the sentence names flow and keyword.
        """
        given = {key: value for key, value in locals().items() if key not in ("self", "fn")}
        function = unwrap_method(fn, "@flow")
        title = name if name is not None else getattr(function, "__name__", type(function).__name__).replace("_", "-")
        owner = f"@flow {title}"
        if executor is not None and task_runner is not None and executor is not task_runner:
            raise DefinitionError(f"{owner}: executor and task_runner mean the same; give one of them.")
        chosen = executor if executor is not None else task_runner
        check_executor(chosen, owner=owner)
        if unobserved not in ("fail", "ignore"):
            raise DefinitionError(f"{owner}: unobserved must be 'fail' or 'ignore', not {unobserved!r}.")
        spec = FlowSpec(
            fn=function,
            name=check_flow_name(title),
            style=style_of(function),
            parameters=Parameters.of(function),
            description=description or sentence_of(function),
            version=version or "",
            tags=frozenset(tags or ()),
            retry=RetryPolicy.of(retries, retry_delay_seconds, retry_jitter_factor, owner=owner),
            timeout=timeout_of(timeout_seconds, owner),
            log_prints=log_prints,
            run_name=flow_run_name,
            hooks=Hooks(
                running=hook_list(on_running, owner, "on_running"),
                completion=hook_list(on_completion, owner, "on_completion"),
                failure=hook_list(on_failure, owner, "on_failure"),
                cancellation=hook_list(on_cancellation, owner, "on_cancellation"),
                crashed=hook_list(on_crashed, owner, "on_crashed"),
            ),
            persist_result=persist_result,
            serializer=result_serializer or "pickle",
            cache_result_in_memory=cache_result_in_memory,
            face=self,
            kept_keywords={"result_storage": result_storage},
            executor=chosen,
            validate_parameters=validate_parameters,
            unobserved=Unobserved(unobserved),
        )
        self._wrap(fn, given, spec)

    @functools.cached_property
    def version(self) -> str:
        """Version, as given; else a digest of the file that defines the flow, "" where there is none."""
        if self.spec.version:
            return self.spec.version
        import hashlib  # loads OpenSSL: only where somebody asks

        code = getattr(self.spec.fn, "__code__", None)
        try:
            with open(code.co_filename if code is not None else "", "rb") as file:
                return hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
        except OSError:
            return ""

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON Schema of the parameters."""
        return self.spec.parameters.schema()

    # Any: a State, or a coroutine that gives one; mypy takes a function that returns Any for a coroutine function.
    @overload
    def __call__(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> Any: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow: a run of its own, or a subflow run inside of another flow.

        Besides the function's own arguments it takes `return_state` (the final State instead of
        the value; nothing is raised) and, inside of a flow, `wait_for`.

        Raises:
            ParameterBindError: the arguments do not fit the signature; nothing was recorded.
            BaseException: whatever the run failed with.
        """
        stop_if_loading(self)
        refuse_to_run(f"{self.name}()")
        return call_flow(self.spec, args, kwargs, **own_keywords(kwargs))

    @overload
    def submit(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> State[Any]: ...
    @overload
    def submit(self: Flow[..., Coroutine[Any, Any, S]], *args: Any, **kwargs: Any) -> NadiFuture[S]: ...
    @overload
    def submit(self: Flow[..., S], *args: Any, **kwargs: Any) -> NadiFuture[S]: ...
    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow as a subflow beside its caller and return a future at once.

        Raises:
            ContextError: called outside of a flow or task.
        """
        refuse_to_run(f"{self.name}.submit()")
        return submit_flow(self.spec, args, kwargs, **own_keywords(kwargs))

    @overload
    def map(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> list[State[Any]]: ...
    @overload
    def map(self: Flow[..., Coroutine[Any, Any, S]], *args: Any, **kwargs: Any) -> FutureList[S]: ...
    @overload
    def map(self: Flow[..., S], *args: Any, **kwargs: Any) -> FutureList[S]: ...
    def map(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow as a subflow once for each item of its iterable arguments, paired item by item.

        The rules are those of a task's `map`: `unmapped()` passes a value whole, and unequal lengths are an error.

        Raises:
            MappingLengthMismatch: the iterables have different lengths.
            MappingMissingIterable: there is nothing to iterate.
            ContextError: called outside of a flow or task.
        """
        refuse_to_run(f"{self.name}.map()")
        return map_flow(self.spec, args, kwargs, **own_keywords(kwargs))

    def to_deployment(self, name: str | None = None, **keywords: Unpack[DeploymentKeywords]) -> Any:
        """Return this flow as a deployment, for `nadi.deploy(...)` and `nadi.serve(...)`; nothing is written yet.

        Args:
            name: Name of the deployment; that of the flow if not given.
            keywords: What is said of it; see docs/how-to/deployments.md.

        Raises:
            DefinitionError: no other process could load the flow, or something that is said cannot work.
        """
        return _later("nadi.deployments").deployment_of(self, name, **keywords)

    def deploy(
        self,
        name: str | None = None,
        *,
        image: Any = None,
        build: bool = True,
        push: bool = True,
        print_next_steps: bool = True,
        ignore_warnings: bool = False,
        **keywords: Unpack[DeploymentKeywords],
    ) -> Any:
        """Deploy this flow: its runs are asked for, or scheduled, and workers run them. See `nadi.deployments.deploy`.

        Args:
            name: Name of the deployment; that of the flow if not given.
            image: Refused: a worker runs the code where it is.
            build: Of `image`.
            push: Of `image`.
            print_next_steps: Whether to print what was deployed.
            ignore_warnings: There are none.
            keywords: What is said of it; see docs/how-to/deployments.md.

        Raises:
            DefinitionError: it cannot run like that; nothing was written.
        """
        stop_if_loading(self)
        made = self.to_deployment(name, **keywords)
        [done] = _later("nadi.deployments").deploy(made, image=image, print_next_steps_message=print_next_steps)
        return done

    def serve(
        self,
        name: str | None = None,
        *,
        pause_on_shutdown: bool = True,
        print_starting_message: bool = True,
        limit: int | None = None,
        global_limit: Any = None,
        webserver: bool = False,
        **keywords: Unpack[DeploymentKeywords],
    ) -> None:
        """Deploy this flow and run its runs from here, until SIGTERM or Ctrl-C. See `nadi.serve`.

        Args:
            name: Name of the deployment; that of the flow if not given.
            pause_on_shutdown: Whether its schedules rest when this ends.
            print_starting_message: Whether to print what is served.
            limit: How many runs at once are started from here.
            global_limit: How many runs of it are under way at once, wherever.
            webserver: Refused: `nadi server` has the page.
            keywords: What is said of it; see docs/how-to/deployments.md.

        Raises:
            DefinitionError: it cannot run like that; nothing was written.
            ContextError: called inside of a flow or task.
        """
        stop_if_loading(self)
        if webserver:
            raise DefinitionError("serve() opens no port: leave webserver out. `nadi server` shows what is running.")
        if global_limit is not None:
            keywords["concurrency_limit"] = global_limit
        _later("nadi._serving").serve(
            self.to_deployment(name, **keywords),
            pause_on_shutdown=pause_on_shutdown,
            print_starting_message=print_starting_message,
            limit=limit,
        )

    @classmethod
    def from_source(cls, source: Any, entrypoint: str) -> Any:
        """Return a flow whose code lies in a folder, a git repository or an archive, loaded from there.

        Args:
            source: A folder or an address; see `nadi.deployments.flow_from_source`.
            entrypoint: `path/to/file.py:flow` or `package.module:flow`, from there on.

        Raises:
            DefinitionError: this is no source.
            LoadError: it cannot be fetched, or the flow cannot be loaded.
        """
        return _later("nadi.deployments").flow_from_source(source, entrypoint)

    def with_options(self, **changes: Any) -> Self:
        """Return the same function marked with other keywords; takes every keyword of the decorator.

        Raises:
            DefinitionError: a keyword is unknown.
        """
        if "executor" in changes:
            changes.setdefault("task_runner", None)  # two names of one thing: the new one replaces both
        elif "task_runner" in changes:
            changes["executor"] = None
        return super().with_options(**changes)

    def on_crashed(self, hook: Hook) -> Hook:
        """Call `hook(flow, run, state)` when a run of this flow crashes and nothing will resume it. A decorator."""
        return self._add_hook("crashed", hook)

    @overload
    def __get__(self, instance: None, owner: type) -> Flow[P, R]: ...
    @overload
    def __get__(self: Flow[Concatenate[Any, Q], S], instance: object, owner: type) -> Flow[Q, S]: ...
    def __get__(self, instance: object, owner: type) -> Any:
        return self._bound_to(instance, owner)


def _later(module: str) -> Any:
    # Deployments are of use to few programs, and would cost every import of the package some milliseconds.
    return importlib.import_module(module)


@overload
def flow(fn: Callable[P, R], /) -> Flow[P, R]: ...
@overload
def flow(
    *,
    name: str | None = None,
    version: str | None = None,
    flow_run_name: str | Callable[..., str] | None = None,
    retries: int | None = None,
    retry_delay_seconds: Delay = None,
    retry_jitter_factor: float | None = None,
    executor: Any = None,
    task_runner: Any = None,
    description: str | None = None,
    tags: Iterable[str] | None = None,
    timeout_seconds: float | None = None,
    validate_parameters: bool = True,
    persist_result: bool | None = None,
    result_storage: Any = None,
    result_serializer: str | None = None,
    cache_result_in_memory: bool = True,
    log_prints: bool | None = None,
    on_completion: Sequence[Hook] | None = None,
    on_failure: Sequence[Hook] | None = None,
    on_cancellation: Sequence[Hook] | None = None,
    on_crashed: Sequence[Hook] | None = None,
    on_running: Sequence[Hook] | None = None,
    unobserved: Literal["fail", "ignore"] = "fail",
) -> Callable[[Callable[P, R]], Flow[P, R]]: ...
def flow(fn: Callable[..., Any] | None = None, /, **keywords: Any) -> Any:
    """Mark a function as a flow. With and without parentheses; every keyword is in docs/reference/decorators.md."""
    if fn is None:
        return lambda fn: Flow(fn, **keywords)
    if not callable(fn) and not isinstance(fn, classmethod | staticmethod):
        raise DefinitionError(f"@flow marks a function, not {fn!r}. Keywords go by name: @flow(name=...).")
    return Flow(fn, **keywords)


__all__ = ["Flow", "flow"]
