"""Which arguments a function takes, and the fast way to name those of one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType, MethodType
from typing import Any

from nadi.exceptions import ParameterBindError
from nadi.model.parameters.names import close_match

_VARIADIC, _KEYWORDS = 0x04, 0x08  # code flags: takes *args, takes **kwargs


class Signature:
    """The parameters of a function by the way they are given."""

    __slots__ = (
        "_binder",
        "annotated",
        "defaults",
        "function",
        "keyword_only",
        "keywords",
        "places",
        "positional",
        "positional_only",
        "title",
        "variadic",
    )

    def __init__(
        self,
        function: Any,
        positional_only: tuple[str, ...],
        positional: tuple[str, ...],
        variadic: str | None,
        keyword_only: tuple[str, ...],
        keywords: str | None,
        defaults: dict[str, Any],
        annotated: dict[str, Any] | None = None,
    ) -> None:
        #: Whose scope the annotations are written in.
        self.function = function
        self.title = getattr(function, "__qualname__", type(function).__name__).rpartition("<locals>.")[2]
        self.positional_only = positional_only
        #: Given by position or by name.
        self.positional = positional
        #: All that can be given by position.
        self.places = positional_only + positional
        self.variadic = variadic
        self.keyword_only = keyword_only
        self.keywords = keywords
        self.defaults = defaults
        #: Annotations, where they are not simply the function's own.
        self.annotated = annotated
        self._binder: Callable[..., dict[str, Any]] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter, in the order of the signature."""
        variadic = (self.variadic,) if self.variadic else ()
        keywords = (self.keywords,) if self.keywords else ()
        return self.places + variadic + self.keyword_only + keywords

    @property
    def annotations(self) -> dict[str, Any]:
        """Annotations as written; text is not looked up yet."""
        return self.annotated if self.annotated is not None else getattr(self.function, "__annotations__", {})

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        binder = self._binder
        if binder is None:
            binder = self._binder = _compile(self)
        try:
            return binder(*args, **kwargs)
        except TypeError:
            raise ParameterBindError(self._why_not(args, kwargs)) from None

    def spread(self, bound: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args = tuple([bound[name] for name in self.places])
        if self.variadic is not None:
            args += tuple(bound[self.variadic])
        kwargs = {name: bound[name] for name in self.keyword_only}
        if self.keywords is not None:
            kwargs.update(bound[self.keywords])
        return args, kwargs

    def bind_named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        single = self.places + self.keyword_only
        extra = {name: value for name, value in given.items() if name not in self.names}
        missing = [name for name in single if name not in given and name not in self.defaults]
        problems = [self._no_such(name) for name in extra] if self.keywords is None else []
        problems += _missing(missing)
        if problems:
            raise ParameterBindError(self._sentence(problems))
        bound: dict[str, Any] = {}
        for name in self.names:
            if name == self.variadic:
                bound[name] = tuple(given.get(name, ()))
            elif name == self.keywords:
                bound[name] = {**given.get(name, {}), **extra}
            else:
                bound[name] = given[name] if name in given else self.defaults[name]
        return bound

    def _why_not(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        problems = []
        if len(args) > len(self.places) and self.variadic is None:
            takes = (
                "no positional argument"
                if not self.places
                else f"at most {_count(len(self.places), 'positional argument')}"
            )
            problems.append(f"takes {takes}, but {len(args)} were given")
        for name in kwargs:
            if name in self.positional[: max(0, len(args) - len(self.positional_only))]:
                problems.append(f"was given {name!r} twice, by position and by name")
            elif name in self.positional_only and self.keywords is None:
                problems.append(f"takes {name!r} by position only, not by name")
            elif name not in self.positional + self.keyword_only and self.keywords is None:
                problems.append(self._no_such(name))
        # With **kwargs, a positional-only parameter given by name went there and is still missing.
        named = {name for name in kwargs if self.keywords is None or name not in self.positional_only}
        left = [name for name in self.places[len(args) :] + self.keyword_only if name not in named]
        problems += _missing([name for name in left if name not in self.defaults])
        return self._sentence(problems)

    def unknown(self, names: list[str]) -> str:
        """The sentence for names that are no parameters."""
        return self._sentence([self._no_such(name) for name in names])

    def _no_such(self, name: Any) -> str:
        return f"has no parameter {name!r}{close_match(str(name), self.names)}"

    def _sentence(self, problems: list[str]) -> str:
        told = "; and ".join(problems) or "was called with arguments that do not fit"
        return f"{self.title}() {told}. It takes ({self})."

    def __str__(self) -> str:
        """The parameters as they stand in the source, defaults shortened."""
        parts = [self._told(name) for name in self.positional_only]
        parts += ["/"] if parts else []
        parts += [self._told(name) for name in self.positional]
        if self.variadic is not None:
            parts.append(f"*{self.variadic}")
        elif self.keyword_only:
            parts.append("*")
        parts += [self._told(name) for name in self.keyword_only]
        parts += [f"**{self.keywords}"] if self.keywords else []
        return ", ".join(parts)

    def _told(self, name: str) -> str:
        annotation = self.annotations.get(name)
        told = name
        if annotation is not None:
            if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
                annotation = annotation.__qualname__.rpartition("<locals>.")[2]
            told += f": {annotation}".replace("typing.", "")
        if name not in self.defaults:
            return told
        default = self.defaults[name]
        # Only what cannot be a secret is shown.
        plain = default is None or isinstance(default, (bool, int, float))
        shown = repr(default) if plain else "..."
        return f"{told} = {shown}" if annotation is not None else f"{told}={shown}"


def _missing(names: list[str]) -> list[str]:
    return [f"is missing {', '.join(map(repr, names))}"] if names else []


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def signature_of(function: Any, *, skip_first: bool) -> Signature:
    """The signature of any callable; that of a plain function is read from its code without `inspect`."""
    if isinstance(function, (staticmethod, classmethod)):
        skip_first = skip_first or isinstance(function, classmethod)
        function = function.__func__
    if isinstance(function, MethodType):
        function, skip_first = function.__func__, True
    marks = getattr(function, "__dict__", {})
    if not isinstance(function, FunctionType) or "__wrapped__" in marks or "__signature__" in marks:
        return _inspected(function, skip_first)

    code = function.__code__
    names, count = code.co_varnames, code.co_argcount
    first = 1 if skip_first and count else 0
    end = count + code.co_kwonlyargcount
    variadic = names[end] if code.co_flags & _VARIADIC else None
    keywords = names[end + (variadic is not None)] if code.co_flags & _KEYWORDS else None
    given = function.__defaults__ or ()
    defaults = dict(zip(names[count - len(given) : count], given, strict=True))
    if function.__kwdefaults__:
        defaults.update(function.__kwdefaults__)
    return Signature(
        function,
        names[first : code.co_posonlyargcount],
        names[max(first, code.co_posonlyargcount) : count],
        variadic,
        names[count:end],
        keywords,
        defaults,
    )


def _inspected(function: Any, skip_first: bool) -> Signature:
    """The signature of a wrapper, a partial, an object with `__call__`, or a builtin."""
    import inspect

    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some builtins do not tell theirs
        return Signature(function, (), (), "args", (), "kwargs", {}, {})

    def named(kind: Any) -> tuple[str, ...]:
        return tuple([parameter.name for parameter in parameters if parameter.kind is kind])

    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if skip_first and parameters and parameters[0].kind in positional:
        del parameters[0]
    return Signature(
        _innermost(function),
        named(inspect.Parameter.POSITIONAL_ONLY),
        named(inspect.Parameter.POSITIONAL_OR_KEYWORD),
        next(iter(named(inspect.Parameter.VAR_POSITIONAL)), None),
        named(inspect.Parameter.KEYWORD_ONLY),
        next(iter(named(inspect.Parameter.VAR_KEYWORD)), None),
        {parameter.name: parameter.default for parameter in parameters if parameter.default is not parameter.empty},
        {p.name: p.annotation for p in parameters if p.annotation is not p.empty},
    )


def _innermost(function: Any) -> Any:
    """The plain function inside wrappers, partials and callable objects; its module knows the annotations' names."""
    while True:
        marks = getattr(function, "__dict__", {})
        if "__wrapped__" in marks:
            function = marks["__wrapped__"]
        elif hasattr(function, "func") and hasattr(function, "keywords"):  # functools.partial
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif not isinstance(function, (FunctionType, type)) and isinstance(type(function).__call__, FunctionType):
            return type(function).__call__
        else:
            return function


def _compile(signature: Signature) -> Callable[..., dict[str, Any]]:
    """A function with this very signature that returns its arguments by name.

    So Python itself binds the arguments, in C, and we only explain when it refuses.
    """
    defaults: list[Any] = []

    def parameter(name: str) -> str:
        if name not in signature.defaults:
            return name
        defaults.append(signature.defaults[name])
        return f"{name}=_{len(defaults) - 1}"

    parts = [parameter(name) for name in signature.positional_only]
    parts += ["/"] if parts else []
    parts += [parameter(name) for name in signature.positional]
    if signature.variadic is not None:
        parts.append(f"*{signature.variadic}")
    elif signature.keyword_only:
        parts.append("*")
    parts += [parameter(name) for name in signature.keyword_only]
    parts += [f"**{signature.keywords}"] if signature.keywords is not None else []

    values = ", ".join(f"{name!r}: {name}" for name in signature.names)
    slots = ", ".join(f"_{number}" for number in range(len(defaults)))
    scope: dict[str, Any] = {}
    exec(f"def make({slots}):\n def bind({', '.join(parts)}):\n  return {{{values}}}\n return bind", scope)
    binder: Callable[..., dict[str, Any]] = scope["make"](*defaults)
    return binder
