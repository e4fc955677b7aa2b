"""Typed input of runs: what a paused run asks for, and values that are sent to a run while it runs."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import Any, Generic, Self, TypeVar, dataclass_transform
from uuid import UUID

import msgspec

from nadi.engine.answering import Done
from nadi.engine.messages import Received, receiver_of, respond, send
from nadi.engine.run_inputs import Prefilled, Wanted

T = TypeVar("T")


class _KeywordFields(msgspec.StructMeta):
    """Makes fields by name only, so that one without a default may follow one that has one.

    A list as a default is copied for each instance.
    """

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        fields = {
            key: msgspec.field(default_factory=partial(deepcopy, value))
            for key, value in namespace.items()
            if isinstance(value, list | dict | set) and value and not key.startswith("__")
        }
        return super().__new__(mcls, name, bases, {**namespace, **fields}, **{"kw_only": True, **config})


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class RunInput(msgspec.Struct, metaclass=_KeywordFields, dict=True):
    """Base of inputs with named fields: `class Approval(RunInput): reason: str; again: bool = False`.

    Any dataclass, Struct, TypedDict or pydantic model can be asked for just as well; this one can also be sent to runs.
    A subclass is a msgspec Struct.
    """

    @classmethod
    def with_initial_data(cls, description: str | None = None, **initial_data: Any) -> type[Self]:
        """Return this type to ask for, with a description and with values that an answer may leave out.

        It is for `pause_flow_run` and `suspend_flow_run`; the answer is an instance of this class.
        """
        return Prefilled(cls, description or "", initial_data)  # type: ignore[return-value]  # stands for the type

    @classmethod
    def receive(
        cls,
        timeout: float | None = 3600,
        poll_interval: float = 10,
        raise_timeout_error: bool = False,
        key_prefix: str | None = None,
        flow_run_id: str | UUID | None = None,
    ) -> Received:
        """Return the inputs of this type that were and will be sent to a run, for `for` or `async for`.

        Args:
            timeout: Seconds without one after which the loop ends; 0 for those that are there, `None` for no end.
            poll_interval: The most seconds between two looks; Nadi looks five times a second at least.
            raise_timeout_error: End by TimedOut instead.
            key_prefix: Only those sent with it.
            flow_run_id: Whose inputs: id of a run, a unique beginning of it, or its name; the run whose code asks
                when it is not given.

        Raises:
            ContextError: no flow_run_id is given, and no flow runs here.
            DefinitionError: a time is not one.
            RunNotFound, AmbiguousRun: no run, or several, match.
        """
        run = receiver_of(None if flow_run_id is None else str(flow_run_id))
        return Received(
            Wanted(cls),
            run,
            keyset_of(cls, key_prefix),
            timeout=timeout,
            poll_interval=poll_interval,
            raise_timeout_error=raise_timeout_error,
            made=_with_sender,
        )

    def send_to(self, flow_run_id: str | UUID, sender: str | None = None, key_prefix: str | None = None) -> Done:
        """Send this to a run, which receives it by `receive`. It is there when this returns; awaiting is harmless.

        Raises:
            RunNotFound, AmbiguousRun: no run, or several, match.
            InputRefused: the run has finished.
        """
        send(self, keyset_of(type(self), key_prefix), str(flow_run_id), sender=sender)
        return Done()

    @property
    def sender(self) -> str:
        """Id of the flow run that sent this; "" when no flow run did."""
        return str(self.__dict__.get("_sender", ""))

    def respond(self, run_input: Any, sender: str | None = None, key_prefix: str | None = None) -> Done:
        """Send something to the run that sent this.

        Raises:
            InputRefused: no flow run sent this, or it has finished.
        """
        respond(run_input, keyset_of(type(run_input), key_prefix), self.__dict__.get("_sender", ""), sender=sender)
        return Done()


def _with_sender(received: Any, sender: str) -> Any:
    received.__dict__["_sender"] = sender
    return received


class PlainInput(Generic[T]):
    """A plain value that was sent to a run, with who sent it."""

    def __init__(self, value: T, sender: str) -> None:
        self.value = value
        #: Id of the flow run that sent it; "" when no flow run did.
        self.sender = sender

    def respond(self, run_input: Any, sender: str | None = None, key_prefix: str | None = None) -> Done:
        """Send something to the run that sent this. See `RunInput.respond`."""
        respond(run_input, keyset_of(type(run_input), key_prefix), self.sender, sender=sender)
        return Done()

    def __repr__(self) -> str:
        return f"PlainInput({self.value!r}, sender={self.sender!r})"


def send_input(
    run_input: Any, flow_run_id: str | UUID, sender: str | None = None, key_prefix: str | None = None
) -> Done:
    """Send a value of any type that can be asked for to a run. See `RunInput.send_to`."""
    send(run_input, keyset_of(type(run_input), key_prefix), str(flow_run_id), sender=sender)
    return Done()


def receive_input(
    input_type: Any,
    timeout: float | None = 3600,
    poll_interval: float = 10,
    raise_timeout_error: bool = False,
    key_prefix: str | None = None,
    flow_run_id: str | UUID | None = None,
    with_metadata: bool = False,
) -> Received:
    """Return the values of a type that were and will be sent to a run. See `RunInput.receive`.

    With `with_metadata` each comes as a `PlainInput`, which knows its sender and can respond.
    """
    run = receiver_of(None if flow_run_id is None else str(flow_run_id))
    is_ours = isinstance(input_type, type) and issubclass(input_type, RunInput)
    bare = _with_sender if is_ours else (lambda value, sender: value)
    return Received(
        Wanted(input_type),
        run,
        keyset_of(input_type, key_prefix),
        timeout=timeout,
        poll_interval=poll_interval,
        raise_timeout_error=raise_timeout_error,
        made=PlainInput if with_metadata and not is_ours else bare,
    )


def keyset_of(input_type: Any, key_prefix: str | None = None) -> str:
    """Return the set in which inputs of a type are sent and received: its name, or the prefix that both sides say.

    What is sent as a list is of the set "list", whatever is in it.
    """
    origin = getattr(input_type, "__origin__", input_type)
    return key_prefix or str(getattr(origin, "__name__", origin))


__all__ = [
    "PlainInput",
    "RunInput",
    "keyset_of",
    "receive_input",
    "send_input",
]
