"""Parameters of a declared flow: tasks whose value is given when the flow is run."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any, Final, Self

from nadi._declaring import DeclaredGraph
from nadi.exceptions import ParameterBindError
from nadi.model.parameters import Parameters
from nadi.model.parameters.binding import Signature
from nadi.tasks import Task


class _NoDefault:
    """Tells that a parameter has no default; `None` is one."""

    def __repr__(self) -> str:
        return "<no default>"

    def __reduce__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Final = _NoDefault()


class Parameter(Task[..., Any]):
    """A value that is given when the declared flow is run.

    Args:
        name: What the value is given as; unique in its flow, and its slug.
        default: The value where none is given.
        required: Whether a value must be given, whatever the default. Left out: yes where there is no default.
        tags: Tags of its task run.

    Using it in the flow adds this very object, which is never copied by a call.
    """

    #: What kind of value is expected, for conversion, the command line and the JSON Schema.
    value_type: Any = Any

    def __init__(
        self, name: str, default: Any = NO_DEFAULT, required: bool | None = None, tags: Iterable[str] | None = None
    ) -> None:
        super().__init__(name=name, slug=name, tags=tags)
        #: The value where none is given; `None` where there is no default.
        self.default = None if default is NO_DEFAULT else default
        #: Whether a value must be given.
        self.required: bool = default is NO_DEFAULT if required is None else required

    def run(self, value: Any) -> Any:
        """Return the value; the flow run gives it the one that it was given itself."""
        return value

    def __call__(self, *args: Any, flow: DeclaredGraph | None = None, **kwargs: Any) -> Any:
        """Add this very parameter to the flow that is declared and return it.

        Raises:
            ParameterBindError: anything else was given: what a parameter holds is known when the flow is run.
            DefinitionError: no flow is being declared.
        """
        if args or kwargs:
            raise ParameterBindError(
                f"The parameter {self.name!r} takes no arguments; its value is given when the flow is run."
            )
        self._flow("A call", flow).set_dependencies(self)
        return self

    def copy(self, name: str | None = None, **attributes: Any) -> Self:
        """Return another parameter, under another name where one is given."""
        twin = super().copy(**attributes)
        if name is not None:
            twin._redefine({"name": name, "slug": name})
        return twin

    def __repr__(self) -> str:
        return f"<Parameter {self.name}>"


class DateTimeParameter(Parameter):
    """A parameter whose value is a time; text in ISO 8601 is read."""

    value_type = datetime.datetime

    def __init__(self, name: str, required: bool = True, tags: Iterable[str] | None = None) -> None:
        super().__init__(name, default=NO_DEFAULT if required else None, required=required, tags=tags)


class _Declared(Signature):
    """The signature of a declared flow: names that need be no identifiers, given by name."""

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if args:
            raise ParameterBindError(f"{self.title}() takes its parameters by name. It takes ({self}).")
        return self.bind_named(kwargs)


def parameters_of(flow: str, tasks: Iterable[Parameter]) -> Parameters:
    """What a declared flow takes: the required parameters first, each group in the order given."""
    ordered = sorted(tasks, key=lambda one: not one.required)

    def takes() -> None:
        """Stand for the flow where a function is asked for."""

    takes.__qualname__ = flow
    annotations = {
        one.name: one.value_type if one.required or one.value_type is Any else one.value_type | None for one in ordered
    }
    defaults = {one.name: one.default for one in ordered if not one.required}
    names = tuple(one.name for one in ordered)
    return Parameters(takes, _Declared(takes, (), (), None, names, None, defaults, annotations))


__all__ = ["NO_DEFAULT", "DateTimeParameter", "Parameter", "parameters_of"]
