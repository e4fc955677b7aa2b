"""What a flow or task function takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from nadi.exceptions import ParameterBindError, ParameterTypeError
from nadi.model.parameters.annotations import ANYTHING, Kinds, resolve
from nadi.model.parameters.binding import Signature, signature_of
from nadi.model.parameters.containers import Series, Table
from nadi.model.parameters.docstrings import parameter_descriptions
from nadi.model.parameters.kind import Definitions, Kind, Mismatch
from nadi.model.parameters.records import add_default


class Parameters:
    """What a flow or task function takes.

    *Bound* arguments are a dict of parameter name to value in the order of the signature, `*args` as a
    tuple and `**kwargs` as a dict under their own names. Making one is cheap; annotations are looked
    up when `validate`, `schema` or `from_text` is first called, so they may name what comes later in the file.
    """

    def __init__(self, function: Any, signature: Signature, *, skip_first: bool = False) -> None:
        self._function = function
        self._skip_first = skip_first
        self._signature = signature
        #: Every parameter, in the order of the signature.
        self.names: tuple[str, ...] = signature.names

    @property
    def defaults(self) -> Mapping[str, Any]:
        """The default values, by parameter."""
        return self._signature.defaults

    @property
    def positional_only(self) -> tuple[str, ...]:
        """The parameters that can be given by position only."""
        return self._signature.positional_only

    @property
    def variadic(self) -> str | None:
        """Name of the `*args` parameter; `None` when there is none."""
        return self._signature.variadic

    @property
    def variadic_keyword(self) -> str | None:
        """Name of the `**kwargs` parameter; `None` when there is none."""
        return self._signature.keywords

    @classmethod
    def of(cls, fn: Any, *, skip_first: bool = False) -> Parameters:
        """The parameters of any callable.

        Args:
            fn: A function, method, class- or static method, partial, wrapper or callable object.
            skip_first: Leave out the first parameter: `self` or `cls` of a function taken from its class.
        """
        return cls(fn, signature_of(fn, skip_first=skip_first), skip_first=skip_first)

    def __reduce__(self) -> tuple[Any, ...]:
        # The compiled binder does not pickle; the function does, or nothing of it would.
        return _again, (self._function, self._skip_first)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call by name, defaults filled in.

        Raises:
            ParameterBindError: if one is missing, unknown or given twice.
        """
        return self._signature.bind(args, kwargs)

    def bind_named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Bound arguments from values given by name, as a deployment or the command line has them.

        Positional-only parameters go by their name too, and so do `*args` (a list) and `**kwargs` (a dict);
        a name that is no parameter becomes part of `**kwargs` where there is one.

        Raises:
            ParameterBindError: if one is missing or unknown.
        """
        return self._signature.bind_named(given)

    def spread(self, bound: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Bound arguments as `(args, kwargs)` for the call."""
        return self._signature.spread(bound)

    def validate(self, bound: dict[str, Any]) -> dict[str, Any]:
        """A copy of bound arguments, each converted to its annotated type.

        What has its type already is passed on as the same object. A default that does not fit its own
        annotation, such as `rows: int = None`, passes. Nothing is cut off to make a value fit.

        Raises:
            ParameterTypeError: naming every parameter that does not fit, what was expected and what came.
        """
        checked = dict(bound)
        problems: list[str] = []
        for name, kind, exact in self._checks:
            value = checked[name]
            if type(value) is exact:
                continue
            try:
                checked[name] = _converted(kind, value)
            except Mismatch as mismatch:
                if name not in self._signature.defaults or value is not self._signature.defaults[name]:
                    problems.append(_line(name, mismatch))
        if problems:
            raise ParameterTypeError(self._sentence(problems))
        return checked

    def validate_named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Values given by name, each converted to its annotated type; parameters that are not given stay out.

        For who gives some of the values beforehand, and leaves the others to who asks for a run.

        Raises:
            ParameterBindError: if there is no such parameter.
            ParameterTypeError: naming every parameter that does not fit, what was expected and what came.
        """
        return self._read_named(given, _converted)

    def with_secrets_wrapped(self, bound: dict[str, Any]) -> dict[str, Any]:
        """Bound arguments with those that are annotated as secrets wrapped, before anybody records them.

        What cannot be wrapped stays as it is; `validate` says so.
        """
        hidden = [(name, kind) for name, kind, _ in self._checks if kind.hidden]
        if not hidden:
            return bound
        wrapped = dict(bound)
        for name, kind in hidden:
            try:
                wrapped[name] = _converted(kind, bound[name])
            except Mismatch:
                continue
        return wrapped

    def from_text(self, pairs: Mapping[str, str]) -> dict[str, Any]:
        """Values from the text that a user typed, as in `-p rows=1000`; for `bind_named`.

        Text is read by the type of the parameter: text stays text, numbers and dates are parsed, collections
        are JSON. Without annotation it is JSON if it parses, else text. `null` is None where None is allowed.

        Raises:
            ParameterBindError: if there is no such parameter.
            ParameterTypeError: naming every text that cannot be read as what its parameter takes.
        """
        return self._read_named(pairs, lambda kind, text: kind.read_text(text))

    def _read_named(self, given: Mapping[str, Any], read: Callable[[Kind, Any], Any]) -> dict[str, Any]:
        rest = self._kinds.get(self._signature.keywords or "")
        values: dict[str, Any] = {}
        unknown: list[str] = []
        problems: list[str] = []
        for name, value in given.items():
            if name not in self.names and rest is None:
                unknown.append(name)
                continue
            kind = self._kinds[name] if name in self.names else getattr(rest, "item", ANYTHING)
            try:
                values[name] = read(kind, value)
            except Mismatch as mismatch:
                problems.append(_line(name, mismatch))
        if unknown:
            raise ParameterBindError(self._signature.unknown(unknown))
        if problems:
            raise ParameterTypeError(self._sentence(problems))
        return values

    def schema(self) -> dict[str, Any]:
        """A JSON Schema (2020-12) of an object that holds the parameters by name.

        Descriptions come from the docstring's `Args:` or `Parameters` section, defaults are told where JSON
        can hold them, and classes with fields stand once under `$defs`.
        """
        definitions = Definitions()
        described = parameter_descriptions(getattr(self._signature.function, "__doc__", None))
        properties: dict[str, Any] = {}
        for name, kind in self._kinds.items():
            properties[name] = {"title": name, **kind.schema(definitions)}
            if name in described:
                properties[name]["description"] = described[name]
            if name in self._signature.defaults:
                add_default(properties[name], self._signature.defaults[name], kind)
        optional = {*self._signature.defaults, self._signature.variadic, self._signature.keywords}
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self._signature.title,
            "type": "object",
            "properties": properties,
            "required": [name for name in self.names if name not in optional],
            "additionalProperties": self._signature.keywords is not None,
            **({"$defs": definitions.schemas} if definitions.schemas else {}),
        }

    def _sentence(self, problems: list[str]) -> str:
        return f"{self._signature.title}() was given arguments that it cannot take:\n" + "\n".join(problems)

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        """What each parameter asks for, by name."""
        function, annotations = self._signature.function, self._signature.annotations
        scope = getattr(function, "__globals__", {})
        local = _enclosing(function)
        kinds = Kinds()
        found = {name: kinds.of(resolve(annotations.get(name, Any), scope, local)) for name in self.names}
        for name in (self._signature.variadic, self._signature.keywords):
            if name is not None:
                found[name] = self._collected(name, found[name])
        return found

    def _collected(self, name: str, item: Kind) -> Kind:
        """The kind of all that `*args` or `**kwargs` collects."""
        if name == self._signature.variadic:
            return Series(tuple, tuple, "a list", item)
        return Table(dict, dict, ANYTHING, item)

    @cached_property
    def _checks(self) -> list[tuple[str, Kind, type | None]]:
        """The parameters whose values need a look, with the class that needs none."""
        return [(name, kind, kind.exact) for name, kind in self._kinds.items() if not kind.anything]


def _again(function: Any, skip_first: bool) -> Parameters:
    return Parameters.of(function, skip_first=skip_first)


def _converted(kind: Kind, value: Any) -> Any:
    try:
        return kind.convert(value)
    except RecursionError:
        raise Mismatch("a value that does not contain itself and is not nested this deeply", "one that does") from None


def _line(name: str, mismatch: Mismatch) -> str:
    return f"  {name}{mismatch.path}: expected {mismatch.expected}, got {mismatch.got}"


def _enclosing(function: Any) -> dict[str, Any]:
    """Names that a function's annotations may use besides its globals: type parameters and enclosing variables."""
    names = {parameter.__name__: parameter for parameter in getattr(function, "__type_params__", ())}
    cells = getattr(function, "__closure__", None) or ()
    for name, cell in zip(function.__code__.co_freevars if cells else (), cells, strict=True):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return names
