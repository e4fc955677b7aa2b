"""Specs: what a flow or task is, as the engine takes it. The decorated objects of floor 4 hold one each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from nadi.model.assets import TaskAssets
from nadi.model.code import calling_digest, code_digest, stable_module_name
from nadi.model.parameters import Parameters
from nadi.model.retries import RetryPolicy
from nadi.model.states import State
from nadi.model.transactions import IsolationLevel

#: `hook(flow_or_task, run, state)`; its errors are logged and change nothing.
Hook = Callable[[Any, Any, Any], Any]

#: `hook(transaction)`, called when a transaction commits or is rolled back.
TransactionHook = Callable[[Any], Any]


class Style(StrEnum):
    """How the function is written, which decides how it is driven."""

    SYNC = "sync"
    ASYNC = "async"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"


class Unobserved(StrEnum):
    """What a failed task whose outcome nobody took does to its flow run."""

    #: The flow run fails.
    FAIL = "fail"
    #: Prefect 3's rule: only what the flow returns counts.
    IGNORE = "ignore"


class Hooks(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What to call when a run reaches a state."""

    running: tuple[Hook, ...] = ()
    completion: tuple[Hook, ...] = ()
    failure: tuple[Hook, ...] = ()
    cancellation: tuple[Hook, ...] = ()
    crashed: tuple[Hook, ...] = ()
    #: Of tasks only.
    commit: tuple[TransactionHook, ...] = ()
    rollback: tuple[TransactionHook, ...] = ()


class Caching(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """How the results of a task stand for calls of other runs."""

    #: Computes the key (a CachePolicy of model/cache_policies.py); `None` where `storage_key` is the key.
    policy: Any = None
    #: Seconds from its computing on for which a result stands; `None` for ever.
    expiration: float | None = None
    #: Whether to compute anew and replace what is there.
    refresh: bool = False
    #: Template of the name under which the value lies in result storage, which is the key too; "" for none.
    storage_key: str = ""
    #: `None` takes that of the transaction around the call.
    isolation_level: IsolationLevel | None = None


class Spec(msgspec.Struct, frozen=True, eq=False, kw_only=True, dict=True):
    """What flows and tasks share."""

    fn: Callable[..., Any]
    name: str
    style: Style
    parameters: Parameters
    description: str = ""
    version: str = ""
    tags: frozenset[str] = frozenset()
    retry: RetryPolicy = RetryPolicy()
    timeout: float | None = None
    #: `None` inherits from the caller.
    log_prints: bool | None = None
    #: Template over the parameters, or a callable that gives the run's name.
    run_name: str | Callable[..., str] | None = None
    hooks: Hooks = Hooks()
    #: `None` and `True` keep results; `False` keeps none, so that the run runs again on resume.
    persist_result: bool | None = None
    serializer: str = "pickle"
    cache_result_in_memory: bool = True
    #: The public object, handed to hooks and conditions.
    face: Any = None
    #: `handler(run, old_state, new_state)`: asked at every transition, may answer another; see engine/steering.py.
    state_handler: Callable[[Any, State[Any], State[Any]], State[Any] | None] | None = None
    #: Keywords that later issues give their behaviour: caching, transactions.
    kept_keywords: Mapping[str, Any] = {}

    @cached_property
    def key(self) -> str:
        """Name and source file name: what a recorded call knows the function by."""
        return f"{self.name}@{stable_module_name(self.fn.__module__)}"

    @cached_property
    def code(self) -> bytes:
        """Digest of the compiled code and of the helpers it names in the user's modules."""
        return code_digest(self.fn)

    @cached_property
    def calling_code(self) -> bytes:
        """Digest of what the function itself does between its calls; a change in a task that it calls is none in it."""
        return calling_digest(self.fn)

    @cached_property
    def hooks_are_empty(self) -> bool:
        """Whether there is nothing to call at a final state."""
        return not (self.hooks.completion or self.hooks.failure or self.hooks.cancellation or self.hooks.crashed)

    @cached_property
    def tells_start(self) -> bool:
        """Whether there is something to call when an attempt starts."""
        return bool(self.hooks.running) or self.state_handler is not None

    @property
    def is_async(self) -> bool:
        """Whether calling it gives something to await or to iterate asynchronously."""
        return self.style in (Style.ASYNC, Style.ASYNC_GENERATOR)

    @property
    def is_generator(self) -> bool:
        """Whether calling it gives items one by one."""
        return self.style in (Style.GENERATOR, Style.ASYNC_GENERATOR)


class TaskSpec(Spec, frozen=True, eq=False, kw_only=True, dict=True):
    """What a task is."""

    #: `condition(task, task_run, state) -> bool`: whether to retry; `None` always does.
    retry_condition: Callable[[Any, Any, Any], Any] | None = None
    #: Committed and flushed to disk before the next step.
    durable: bool = False
    #: A retry or resume of its caller runs it again even where it finished.
    rerun_on_retry: bool = False
    #: What it makes and reads, where it said so.
    assets: TaskAssets | None = None
    #: `None` for a task whose results stand for no other call.
    cache: Caching | None = None

    @cached_property
    def is_transaction(self) -> bool:
        """Whether each run of it is a transaction: there is something to look up, to commit or to undo."""
        return self.cache is not None or bool(self.hooks.commit or self.hooks.rollback)


class FlowSpec(Spec, frozen=True, eq=False, kw_only=True, dict=True):
    """What a flow is."""

    #: Where submitted tasks run: a name, an executor, or a class of one; `None` inherits, then "thread".
    executor: Any = None
    validate_parameters: bool = True
    unobserved: Unobserved = Unobserved.FAIL
