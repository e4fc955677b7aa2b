"""What the decorated objects share: a thin callable face over a spec, and ways to vary it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, ParamSpec, Self, TypeVar, cast

import msgspec

from nadi.engine.definitions import hook_list
from nadi.exceptions import DefinitionError
from nadi.model.specs import Hook, Spec
from nadi.storage.pickles import reduce_by_name

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=Callable[..., Any])


class Definition(Generic[P, R]):
    """A function that is marked as a flow or task."""

    #: What messages call it.
    KIND: ClassVar[str]

    spec: Spec
    #: The keywords as given, from which variants are made.
    _given: dict[str, Any]
    #: The static method or class method that was marked, if it was one.
    _descriptor: Any

    def _wrap(self, fn: Any, given: dict[str, Any], spec: Spec) -> None:
        """Be the face of `spec`, with the signature and docstring of its function."""
        self._given = given
        self._descriptor = fn if isinstance(fn, classmethod | staticmethod) else None
        self.spec = spec
        functools.update_wrapper(self, spec.fn)  # type: ignore[arg-type]  # callable, by the subclasses

    @property
    def fn(self) -> Callable[P, R]:
        """The function itself: calling it runs it plainly, as if it were not marked."""
        return cast(Callable[P, R], self.spec.fn)

    @property
    def name(self) -> str:
        """Its name, in records and messages."""
        return self.spec.name

    @property
    def description(self) -> str:
        """What it does: the keyword, or the docstring's first line."""
        return self.spec.description

    @property
    def tags(self) -> frozenset[str]:
        """Tags of every run of it."""
        return self.spec.tags

    @property
    def retries(self) -> int:
        """Further attempts after a failed first."""
        return self.spec.retry.retries

    @property
    def is_async(self) -> bool:
        """Whether calling it gives a coroutine or an async iterator."""
        return self.spec.is_async

    def with_options(self, **changes: Any) -> Self:
        """Return the same function marked with other keywords; takes every keyword of the decorator.

        Raises:
            DefinitionError: a keyword is unknown.
        """
        self._check_known(changes)
        fn = self._descriptor if self._descriptor is not None else self.spec.fn
        return self._made_from(fn, {**self._given, **changes})

    def _check_known(self, changes: Mapping[str, Any]) -> None:
        unknown = changes.keys() - self._given.keys()
        if unknown:
            raise DefinitionError(f"{self.name}.with_options() does not know {', '.join(sorted(unknown))}.")

    def on_completion(self, hook: Hook) -> Hook:
        """Call `hook(flow or task, run, state)` when a run of it completes. A decorator."""
        return self._add_hook("completion", hook)

    def on_failure(self, hook: Hook) -> Hook:
        """Call `hook(flow or task, run, state)` when a run of it has failed and is not retried. A decorator."""
        return self._add_hook("failure", hook)

    def on_running(self, hook: Hook) -> Hook:
        """Call `hook(flow or task, run, state)` when a run of it starts. A decorator."""
        return self._add_hook("running", hook)

    def on_cancellation(self, hook: Hook) -> Hook:
        """Call `hook(flow or task, run, state)` when a run of it is cancelled. A decorator."""
        return self._add_hook("cancellation", hook)

    def _add_hook(self, when: str, hook: H) -> H:
        hook_list([hook], f"@{self.KIND} {self.name}", f"on_{when}")
        hooks = self.spec.hooks
        added = (*getattr(hooks, when), hook)
        msgspec.structs.force_setattr(self.spec, "hooks", msgspec.structs.replace(hooks, **{when: added}))
        self.spec.__dict__.pop("hooks_are_empty", None)
        self.spec.__dict__.pop("tells_start", None)
        self.spec.__dict__.pop("is_transaction", None)
        self._given[f"on_{when}"] = added  # for methods and with_options()
        return hook

    def _bound_to(self, instance: object, owner: type) -> Self:
        """Return it as a method of an instance, or of a class."""
        bound = self._descriptor.__get__(instance, owner) if self._descriptor is not None else None
        if bound is None:
            if instance is None:
                return self
            bound = self.spec.fn.__get__(instance, owner)
        return self._made_from(bound, {**self._given, "name": self.name})

    @classmethod
    def _made_from(cls, fn: Any, given: dict[str, Any]) -> Self:
        return cls(fn, **given)  # type: ignore[call-arg]  # every subclass takes a function and its keywords

    def __reduce__(self) -> Any:
        return reduce_by_name(self) or (_rebuild, (type(self), self.spec.fn, self._given))

    def __repr__(self) -> str:
        return f"<{self.KIND.capitalize()} {self.name}>"


def _rebuild(kind: type[Definition[..., Any]], fn: Callable[..., Any], given: dict[str, Any]) -> Definition[..., Any]:
    return kind._made_from(fn, given)
