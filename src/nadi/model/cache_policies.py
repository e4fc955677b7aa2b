"""Cache policies: which calls of a task may share one result. Each turns a call into a key; equal keys share.

Policies are values: compared by what they say, added with `+`, never changed. The keys of the policies here hold
the task's own name and file, so two tasks share nothing by accident. A `cache_key_fn` says the whole key itself.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

import msgspec

from nadi.exceptions import DefinitionError, Unhashable
from nadi.model.cache_hashing import Untellable, complete_digest, task_source_digest
from nadi.model.code import encode_str, stable_name
from nadi.model.digests import blake2b


class CachedTask(Protocol):
    """What a policy looks at of a task; its spec has all of it."""

    @property
    def fn(self) -> Callable[..., Any]:
        """The function."""

    @property
    def name(self) -> str:
        """The name, for people."""

    @property
    def key(self) -> str:
        """Name and source file name."""


class CacheContext(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One call of a task, as policies and `cache_key_fn` see it."""

    task: CachedTask
    #: The arguments by parameter name, defaults filled in, futures resolved.
    parameters: Mapping[str, Any]
    #: Flow run that the call is made in; "" outside of a flow.
    run_id: str
    #: Parameters of that flow run.
    flow_parameters: Mapping[str, Any] = {}
    #: The task run, as hooks see it.
    task_run: Any = None


#: `cache_key_fn(context, parameters)`: the key, or `None` not to cache this call.
CacheKeyFn = Callable[[Any, dict[str, Any]], str | None]

_OPTIONS = ("key_storage", "lock_manager", "isolation_level")


class CachePolicy(ABC):
    """Which calls share one result. Derive from it and write `compute_key`, or add those there are."""

    #: Where entries are kept, if not in the store.
    key_storage: Any = None
    #: What guards a key while its value is computed, if not the locks of the home.
    lock_manager: Any = None
    #: A `nadi.transactions.IsolationLevel`.
    isolation_level: str | None = None

    def __init_subclass__(cls) -> None:
        # Prefect's form: compute_key(self, task_ctx, inputs, flow_parameters, **kwargs).
        own = vars(cls).get("compute_key")
        code = getattr(own, "__code__", None)
        if own is not None and code is not None and code.co_argcount > 2:
            cls.compute_key = _from_parts(own)  # type: ignore[method-assign, assignment]

    @abstractmethod
    def compute_key(self, context: CacheContext) -> str | None:
        """Return the key of a call, or `None` when it shares with no other.

        Raises:
            Unhashable: an argument cannot be part of a key.
        """

    @staticmethod
    def from_cache_key_fn(fn: CacheKeyFn) -> CachePolicy:
        """Return the policy that asks `fn` for the key."""
        return KeyFromFunction(fn)

    def configure(self, key_storage: Any = None, lock_manager: Any = None, isolation_level: str | None = None) -> Self:
        """Return this policy with the options that are given."""
        given = zip(_OPTIONS, (key_storage, lock_manager, isolation_level), strict=True)
        return self._with({name: value for name, value in given if value is not None})

    def _with(self, values: Mapping[str, Any]) -> Self:
        changed = copy.copy(self)
        for name, value in values.items():
            # Past the class's own __setattr__: a policy of the user's may be a frozen dataclass.
            object.__setattr__(changed, name, value)
        return changed

    def __add__(self, other: CachePolicy) -> CachePolicy:
        """Return the policy whose calls share a result only where both say so."""
        if not isinstance(other, CachePolicy):
            return NotImplemented
        if isinstance(other, NoCache):
            return self
        options = _both_options(self, other)
        parts = list(_parts_of(self))
        parts += [part for part in _parts_of(other) if part not in parts]
        return Together(tuple(parts))._with(options) if len(parts) > 1 else parts[0]._with(options)

    def __sub__(self, argument: str) -> CachePolicy:
        """Return this policy without an argument; one that looks at no arguments stays as it is."""
        _check_name(self, argument)
        return self

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _said_of(other) == _said_of(self)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name in _OPTIONS if (value := getattr(self, name)) is not None)
        return f"({self._said()}).configure({options})" if options else self._said()

    def _said(self) -> str:
        own = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if name not in _OPTIONS)
        return f"{type(self).__name__}({own})"


class Inputs(CachePolicy):
    """Calls of one task with equal arguments share. The code of the task counts nothing."""

    def __init__(self, exclude: tuple[str, ...] = ()) -> None:
        self.exclude = tuple(sorted(set(exclude)))

    def compute_key(self, context: CacheContext) -> str | None:
        given = context.parameters
        return _key("inputs", context, {name: given[name] for name in given if name not in self.exclude})

    def __sub__(self, argument: str) -> CachePolicy:
        _check_name(self, argument)
        return self._with({"exclude": Inputs((*self.exclude, argument)).exclude})

    def _said(self) -> str:
        return " - ".join(["INPUTS", *map(repr, self.exclude)])


class TaskSource(CachePolicy):
    """Calls share while the task's code, and that of the helpers it uses, is the same; see `source_digest`."""

    def compute_key(self, context: CacheContext) -> str | None:
        return _key("source", context, {"": task_source_digest(context.task.fn)})

    def _said(self) -> str:
        return "TASK_SOURCE"


class RunId(CachePolicy):
    """Calls of one task share within their flow run; outside of a flow this adds nothing."""

    def compute_key(self, context: CacheContext) -> str | None:
        return _key("run", context, {"": context.run_id}) if context.run_id else None

    def _said(self) -> str:
        return "RUN_ID"


class FlowParameters(CachePolicy):
    """Calls of one task share where the flow run that makes them was given equal parameters."""

    def compute_key(self, context: CacheContext) -> str | None:
        return _key("flow parameters", context, context.flow_parameters)

    def _said(self) -> str:
        return "FLOW_PARAMETERS"


class NoCache(CachePolicy):
    """No two calls share. Added to another policy it changes nothing."""

    def compute_key(self, context: CacheContext) -> str | None:
        return None

    def __add__(self, other: CachePolicy) -> CachePolicy:
        return other

    def _said(self) -> str:
        return "NO_CACHE"


class KeyFromFunction(CachePolicy):
    """The key that the user's function gives, as it stands: tasks that give the same key share."""

    def __init__(self, fn: CacheKeyFn) -> None:
        self.fn = fn

    def compute_key(self, context: CacheContext) -> str | None:
        key = self.fn(context, dict(context.parameters))
        if key is not None and not (isinstance(key, str) and key):
            raise DefinitionError(
                f"The cache_key_fn of task {context.task.name!r} gave {key!r}. A key is text that is not empty; None"
                " says not to cache the call."
            )
        return key

    def _said(self) -> str:
        return f"CachePolicy.from_cache_key_fn({stable_name(self.fn)})"


class Together(CachePolicy):
    """Several policies; calls share only where all of them agree. Those that say nothing of a call do not count."""

    def __init__(self, parts: tuple[CachePolicy, ...]) -> None:
        self.parts = parts

    def compute_key(self, context: CacheContext) -> str | None:
        # Sorted: A + B is B + A.
        keys = sorted(key for part in self.parts if (key := part.compute_key(context)) is not None)
        return blake2b(b"".join(map(encode_str, keys)), digest_size=16).hexdigest() if keys else None

    def __sub__(self, argument: str) -> CachePolicy:
        return self._with({"parts": tuple(part - argument for part in self.parts)})

    def _said(self) -> str:
        return " + ".join(f"({part!r})" if " " in repr(part) else repr(part) for part in self.parts)


def _key(kind: str, context: CacheContext, values: Mapping[str, Any]) -> str:
    hashed = blake2b(encode_str(kind) + encode_str(context.task.key), digest_size=16)
    for name in sorted(values):
        try:
            told = complete_digest(values[name])
        except Untellable as error:
            of_flow = values is context.flow_parameters
            raise Unhashable(context.task.name, name, place=error.place, why=error.why, of_flow=of_flow) from error
        hashed.update(encode_str(name) + told)
    return hashed.hexdigest()


def _said_of(policy: object) -> dict[str, Any]:
    """What a policy holds, options that say nothing left out."""
    return {name: value for name, value in vars(policy).items() if value is not None or name not in _OPTIONS}


def _parts_of(policy: CachePolicy) -> tuple[CachePolicy, ...]:
    """The policies that one adds up, without their common options."""
    if not isinstance(policy, Together):
        return (policy._with(dict.fromkeys(_OPTIONS)) if _options(policy) else policy,)
    return policy.parts


def _options(policy: CachePolicy) -> dict[str, Any]:
    return {name: value for name in _OPTIONS if (value := getattr(policy, name)) is not None}


def _both_options(one: CachePolicy, other: CachePolicy) -> dict[str, Any]:
    options = _options(one)
    for name, value in _options(other).items():
        if options.setdefault(name, value) != value:
            raise DefinitionError(
                f"These policies cannot be added, because they name two values of {name}: {options[name]!r} and"
                f" {value!r}. Configure one of them, or their sum."
            )
    return options


def _check_name(policy: CachePolicy, argument: object) -> None:
    if not isinstance(argument, str):
        raise DefinitionError(f"{policy!r} - {argument!r}: an argument is left out by its name, as in INPUTS - 'conn'.")


def _from_parts(compute_key: Callable[..., str | None]) -> Callable[[CachePolicy, CacheContext], str | None]:
    def from_context(self: CachePolicy, context: CacheContext) -> str | None:
        return compute_key(self, context, dict(context.parameters), dict(context.flow_parameters))

    return from_context


INPUTS = Inputs()
TASK_SOURCE = TaskSource()
RUN_ID = RunId()
FLOW_PARAMETERS = FlowParameters()
NO_CACHE = NoCache()
DEFAULT = INPUTS + TASK_SOURCE + RUN_ID


def task_input_hash(context: CacheContext, arguments: dict[str, Any]) -> str | None:
    """Return the key of `nadi.tasks.task_input_hash`."""
    given = msgspec.structs.replace(context, parameters=arguments)
    return (INPUTS + TASK_SOURCE).compute_key(given)
