"""The keywords of a task, of both families, and the spec that they make.

Prefect 3 and Prefect 1 call the same things by other names. A task is described in one of the two; what a keyword
of the other family would mean beside them is not guessed.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from nadi.engine.assets import task_assets
from nadi.engine.definitions import hook_list, sentence_of, style_of, timeout_of
from nadi.engine.late import cache_keywords
from nadi.engine.state_handlers import handler_of
from nadi.exceptions import DefinitionError
from nadi.model.code import code_digest, encode_str
from nadi.model.digests import blake2b
from nadi.model.fingerprints import content_digest
from nadi.model.names import check_task_name
from nadi.model.parameters import Parameters
from nadi.model.retries import RetryPolicy
from nadi.model.specs import Hooks, TaskSpec

#: Keywords that take no spec field.
_KEPT = ("result_storage", "viz_return_value")

#: What state handlers are called with, as messages say it.
_HANDLED = "(task, old_state, new_state)"

#: Keywords of which each turns caching on.
_CACHING = ("cache_policy", "cache_key_fn", "cache_expiration", "result_storage_key")

#: What only Prefect 3 calls so. What both call the same is in no family; nor are hooks, which are added to any task.
IMPERATIVE = frozenset(_KEPT) | {
    "cache_policy",
    "cache_key_fn",
    "cache_expiration",
    "refresh_cache",
    "result_storage_key",
    "retries",
    "retry_delay_seconds",
    "retry_jitter_factor",
    "retry_condition_fn",
    "persist_result",
    "result_serializer",
    "cache_result_in_memory",
    "timeout_seconds",
    "log_prints",
}

#: What only Prefect 1 calls so, with the values that say nothing.
DECLARED: Mapping[str, Any] = {
    "slug": None,
    "max_retries": None,
    "retry_delay": None,
    "retry_on": None,
    "timeout": None,
    "trigger": None,
    "skip_on_upstream_skip": True,
    "cache_for": None,
    "cache_validator": None,
    "cache_key": None,
    "checkpoint": None,
    "state_handlers": None,
    "log_stdout": False,
    "result": None,
    "target": None,
    "nout": None,
}


class ObjectTaskSpec(TaskSpec, frozen=True, eq=False, kw_only=True, dict=True):
    """What a task is whose function is a method of its own: what the object holds is part of what it does."""

    @cached_property
    def code(self) -> bytes:
        """Digest of the code, and of the object's attributes as far as their content is cheap to tell."""
        told = [code_digest(self.fn)]
        for name, value in sorted(self.face.own_attributes().items()):
            digest = content_digest(value)
            if digest is not None:
                told += [encode_str(name), digest]
        return told[0] if len(told) == 1 else blake2b(b"".join(told), digest_size=16).digest()


class KeywordAttribute:
    """A keyword as an attribute of the task, which can be set on each node of a graph by itself."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, task: Any, owner: type | None = None) -> Any:
        return self if task is None else task._given[self._name]

    def __set__(self, task: Any, value: Any) -> None:
        if "_given" not in task.__dict__:
            raise DefinitionError(
                f"{type(task).__name__}.__init__ sets {self._name!r} before super().__init__(), which would overwrite"
                f" it. Call super().__init__({self._name}=...), or set it afterwards."
            )
        task._redefine({self._name: value})


def check_families(given: Mapping[str, Any], owner: str) -> None:
    """Refuse keywords of both families on one task, and retries of Prefect 1 without their delay or the converse.

    Raises:
        DefinitionError: the sentence names one keyword of each.
    """
    old = [name for name, unset in DECLARED.items() if given[name] is not unset and given[name] != unset]
    new = sorted(name for name in IMPERATIVE if given[name] is not (name == "cache_result_in_memory" or None))
    if callable(given["on_failure"]):
        old.append("on_failure")
    if old and new:
        raise DefinitionError(
            f"{owner}: {old[0]} is a keyword of Prefect 1 and {new[0]} one of Prefect 3."
            " A task takes keywords of one of the two: write both in the same style."
        )
    retries, delay = given["max_retries"], given["retry_delay"]
    if retries and delay is None:
        raise DefinitionError(f"{owner}: max_retries needs a retry_delay beside it, such as timedelta(seconds=10).")
    if delay is not None and not retries:
        raise DefinitionError(f"{owner}: retry_delay needs a max_retries greater than 0 beside it.")


def spec_of(
    function: Callable[..., Any],
    given: Mapping[str, Any],
    face: Any,
    title: str,
    *,
    kind: type[TaskSpec] = TaskSpec,
    parameters: Parameters | None = None,
) -> TaskSpec:
    """The spec that the keywords make of a function.

    Raises:
        DefinitionError: a keyword has a value that cannot work; the sentence names task and keyword.
    """
    owner = f"@task {title}"
    on_failure = given["on_failure"]
    _check_graph_keywords(given, owner)
    return kind(
        fn=function,
        name=check_task_name(title),
        style=style_of(function),
        parameters=parameters if parameters is not None else Parameters.of(function),
        description=given["description"] or sentence_of(function),
        version=given["version"] or "",
        tags=_tags_of(given["tags"], owner),
        retry=_retry_of(given, owner),
        timeout=_timeout_of(given, owner),
        log_prints=True if given["log_stdout"] else given["log_prints"],
        run_name=given["task_run_name"],
        hooks=Hooks(
            running=hook_list(given["on_running"], owner, "on_running"),
            completion=hook_list(given["on_completion"], owner, "on_completion"),
            failure=() if callable(on_failure) else hook_list(on_failure, owner, "on_failure"),
            cancellation=hook_list(given["on_cancellation"], owner, "on_cancellation"),
            commit=hook_list(given["on_commit"], owner, "on_commit", "(transaction)"),
            rollback=hook_list(given["on_rollback"], owner, "on_rollback", "(transaction)"),
        ),
        persist_result=given["persist_result"],
        serializer=given["result_serializer"] or "pickle",
        cache_result_in_memory=given["cache_result_in_memory"],
        face=face,
        state_handler=handler_of(
            face, hook_list(given["state_handlers"], owner, "state_handlers", _HANDLED), on_failure
        ),
        kept_keywords={key: given[key] for key in _KEPT},
        retry_condition=_condition_of(given, owner),
        durable=given["durable"],
        rerun_on_retry=given["rerun_on_retry"],
        cache=None if all(given[name] is None for name in _CACHING) else cache_keywords().caching_of(given, owner),
        assets=task_assets(
            owner, made=given.get("assets", ()), tool=given.get("materialized_by"), deps=given["asset_deps"]
        ),
    )


def _check_graph_keywords(given: Mapping[str, Any], owner: str) -> None:
    trigger, nout, cache_for, slug = given["trigger"], given["nout"], given["cache_for"], given["slug"]
    if trigger is not None and not callable(trigger):
        raise DefinitionError(f"{owner}: trigger must be a function of nadi.triggers or one like it, not {trigger!r}.")
    if nout is not None and (isinstance(nout, bool) or not isinstance(nout, int) or nout < 0):
        raise DefinitionError(f"{owner}: nout must be a whole number of at least 0, not {nout!r}.")
    if cache_for is not None and not isinstance(cache_for, datetime.timedelta):
        raise DefinitionError(f"{owner}: cache_for must be a timedelta, not {cache_for!r}.")
    if slug is not None and not isinstance(slug, str):
        raise DefinitionError(f"{owner}: slug must be a string, not {slug!r}.")


def _tags_of(tags: Any, owner: str) -> frozenset[str]:
    if isinstance(tags, str):
        raise DefinitionError(f"{owner}: tags must be several strings, such as [{tags!r}], not one.")
    return frozenset(tags or ())


def _retry_of(given: Mapping[str, Any], owner: str) -> RetryPolicy:
    if given["max_retries"] is None:
        return RetryPolicy.of(given["retries"], given["retry_delay_seconds"], given["retry_jitter_factor"], owner=owner)
    retries, delay = given["max_retries"], given["retry_delay"]
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise DefinitionError(f"{owner}: max_retries must be a whole number of at least 0, not {retries!r}.")
    if delay is not None and (not isinstance(delay, datetime.timedelta) or delay < datetime.timedelta(0)):
        raise DefinitionError(f"{owner}: retry_delay must be a timedelta of at least 0, not {delay!r}.")
    return RetryPolicy(retries, () if delay is None else (delay.total_seconds(),))


def _timeout_of(given: Mapping[str, Any], owner: str) -> float | None:
    limit = given["timeout"]
    if limit is None:
        return timeout_of(given["timeout_seconds"], owner)
    seconds = limit.total_seconds() if isinstance(limit, datetime.timedelta) else limit
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0 or seconds != int(seconds):
        raise DefinitionError(f"{owner}: timeout must be whole seconds, a number or a timedelta, not {limit!r}.")
    return float(seconds)


def _condition_of(given: Mapping[str, Any], owner: str) -> Callable[[Any, Any, Any], Any] | None:
    kinds = given["retry_on"]
    if kinds is None:
        condition: Callable[[Any, Any, Any], Any] | None = given["retry_condition_fn"]
        return condition
    listed = tuple(kinds) if isinstance(kinds, Iterable) and not isinstance(kinds, type) else (kinds,)
    if not listed or not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in listed):
        raise DefinitionError(f"{owner}: retry_on must be an exception class or several, not {kinds!r}.")
    if not given["max_retries"]:
        raise DefinitionError(f"{owner}: retry_on needs a max_retries greater than 0 beside it.")
    return lambda task, run, state: isinstance(state.result(raise_on_failure=False), listed)
