"""`with Flow("name") as flow:`: a flow that is declared as a graph of tasks, and run later."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Token
from pathlib import Path
from typing import Any, NoReturn, Self, overload

import msgspec

from nadi import flows
from nadi._declaring import DeclaredGraph, declared
from nadi._definition import H
from nadi.declarative.drawing import Picture, visualize
from nadi.declarative.edges import Edge
from nadi.declarative.graph import Graph
from nadi.declarative.running import run_flow, spec_of
from nadi.declarative.states import State
from nadi.engine.definitions import hook_list
from nadi.exceptions import DefinitionError
from nadi.model.names import check_flow_name
from nadi.model.specs import FlowSpec, Hooks
from nadi.storage.pickles import pickled, unpickled
from nadi.tasks import P, R

#: What Prefect 1 needs of a flow that its server runs, and what serves here in its place.
_NOT_HERE = {
    "run_config": "what a run needs is what is there where it runs: the environment of `python flow.py` or `nadi run`",
    "storage": "a flow is loaded from where it is defined: `nadi run flow.py:name`, or module:name",
}


class Flow(Graph, flows.Flow[P, R]):
    """A flow that is declared as a graph: inside of its `with` block calls of tasks add nodes, and nothing runs.

    Args:
        name: Its name, in records and messages.
        schedule: When `run()` runs it.
        executor: Where its tasks run: a name such as "process", or an executor; threads if not given.
        run_config, storage: Of Prefect 1's server; refused.
        tasks: Tasks to start from.
        edges: Edges to start from.
        reference_tasks: The tasks whose states decide that of the flow; the terminal ones if not given.
        state_handlers: Functions `(flow, old_state, new_state)`, asked at each change of the flow's state.
        on_failure: Function `(flow, state)`, called when the flow has failed.
        validate: Whether edges are checked for cycles as they are added.
        result: Where results of its tasks are written, for tasks that do not say.
        terminal_state_handler: Function `(flow, state, reference_states)` that may answer another final state.

    With a function in place of the name it is `@flow` that was meant: `Flow(fn, name=...)` gives an imperative flow.
    """

    # Set on each flow, in place of the properties of flows that have one function.
    name: str = ""
    tags: frozenset[str] = frozenset()

    def __new__(cls, *args: Any, **keywords: Any) -> Any:
        if args and (callable(args[0]) or isinstance(args[0], classmethod | staticmethod)):
            return flows.Flow(*args, **keywords)
        return super().__new__(cls)

    @classmethod
    def __subclasshook__(cls, kind: type) -> Any:
        # `nadi.Flow` is what users call every flow: those of `@flow` are instances too.
        return True if cls is Flow and issubclass(kind, flows.Flow) else NotImplemented

    @overload
    def __init__(self, fn: Callable[..., Any], /, **keywords: Any) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        schedule: Any = None,
        executor: Any = None,
        run_config: None = None,
        storage: None = None,
        tasks: Iterable[Any] | None = None,
        edges: Iterable[Edge] | None = None,
        reference_tasks: Iterable[Any] | None = None,
        state_handlers: Sequence[Callable[..., Any]] | None = None,
        on_failure: Callable[..., Any] | None = None,
        validate: bool | None = None,
        result: Any = None,
        terminal_state_handler: Callable[..., Any] | None = None,
    ) -> None: ...
    def __init__(  # type: ignore[misc]  # of a function `__new__` makes another class, which this is not called for
        self,
        name: Any,
        schedule: Any = None,
        executor: Any = None,
        run_config: Any = None,
        storage: Any = None,
        tasks: Iterable[Any] | None = None,
        edges: Iterable[Edge] | None = None,
        reference_tasks: Iterable[Any] | None = None,
        state_handlers: Sequence[Callable[..., Any]] | None = None,
        on_failure: Callable[..., Any] | None = None,
        validate: bool | None = None,
        result: Any = None,
        terminal_state_handler: Callable[..., Any] | None = None,
    ) -> None:
        """Declare a flow.

        Raises:
            DefinitionError: the name cannot be one, a handler is no function, or a keyword is of Prefect 1's server;
                it says what serves.
        """
        super().__init__(check_flow_name(name))
        for keyword, value in (("run_config", run_config), ("storage", storage)):
            if value is not None:
                raise DefinitionError(
                    f"The flow {name!r} was given {keyword}, which only Prefect 1's server knows;"
                    f" here {_NOT_HERE[keyword]}. Leave it out."
                )
        self.schedule = schedule
        self.executor = executor
        for keyword, value in (("on_failure", on_failure), ("terminal_state_handler", terminal_state_handler)):
            if value is not None and not callable(value):
                raise DefinitionError(f"The flow {name!r}: {keyword} must be a function, not {value!r}.")
        self.state_handlers = list(
            hook_list(state_handlers, f"The flow {name!r}", "state_handlers", "(flow, old_state, new_state)")
        )
        #: Called as `(flow, state)` when the flow has failed.
        self.failure_callback = on_failure
        self.result = result
        self.terminal_state_handler = terminal_state_handler
        #: What to call when a run reaches a state, as decorators of the flow have added.
        self.hooks = Hooks()
        self._eager = bool(validate)
        self._tokens: list[Token[DeclaredGraph | None]] = []
        #: The module and file in which it is declared.
        self.__module__, self.file = _declared_in()
        for task in tasks or ():
            self.add_task(task)
        for edge in edges or ():
            self.add_edge(edge.upstream_task, edge.downstream_task, edge.key, edge.mapped, edge.flattened)
        if reference_tasks is not None:
            self.set_reference_tasks(reference_tasks)

    def __enter__(self) -> Self:
        self._tokens.append(declared.set(self))
        return self

    def __exit__(self, *error: object) -> None:
        declared.reset(self._tokens.pop())

    @property
    def description(self) -> str:
        """Nothing: a declared flow has no docstring."""
        return ""

    @property
    def spec(self) -> FlowSpec:  # type: ignore[override]  # made of the graph as it is now
        """What the engine takes."""
        return spec_of(self)

    def run(
        self,
        parameters: Mapping[str, Any] | None = None,
        run_on_schedule: bool | None = None,
        runner_cls: Any = None,
        **kwargs: Any,
    ) -> State:
        """Run the flow here and return its state, whose `result` is the state of each task; nothing of it is raised.

        (A call of the flow itself, `flow(rows=3)`, raises what it failed with and returns values, as `@flow` does.)

        Args:
            parameters: Its parameters by name.
            run_on_schedule: Whether to wait for each time of the schedule and run then; so unless it is `False`.
            runner_cls: Refused: one engine runs all flows.
            kwargs: A name of a parameter gives that parameter. Others: `executor`, `context`, `task_contexts`,
                `task_states`, `state`.

        Raises:
            ValueError: a parameter is missing or unknown; nothing ran.
            TypeError: there is no such keyword.
            RuntimeError: it is called inside of a `with Flow(...)`.
        """
        return run_flow(self, parameters, run_on_schedule, runner_cls, **kwargs)

    def _add_hook(self, when: str, hook: H) -> H:
        hook_list([hook], f"The flow {self.name}", f"on_{when}")
        self.hooks = msgspec.structs.replace(self.hooks, **{when: (*getattr(self.hooks, when), hook)})
        return hook

    def with_options(self, **changes: Any) -> Self:
        """Return the same flow with other keywords; the graph can be changed without touching this one.

        Raises:
            DefinitionError: a keyword is unknown.
        """
        twin = self.copy()
        for keyword, value in changes.items():
            attribute = "failure_callback" if keyword == "on_failure" else keyword
            if attribute not in _OPTIONS:
                raise DefinitionError(f"The declared flow {self.name!r} has no option {keyword!r} to change.")
            setattr(twin, attribute, check_flow_name(value) if keyword == "name" else value)
        return twin

    def visualize(
        self,
        flow_state: State | None = None,
        filename: str | None = None,
        format: str | None = None,
        horizontal: bool = False,
    ) -> Picture:
        """Draw the flow; the picture is text, which a notebook shows and `print` prints.

        Args:
            flow_state: What `run()` answered: each task then has the colour of its state.
            filename: Where to write it as well; an ending that is missing is added.
            format: "svg", "mermaid" or "text"; if not given, that of the file's ending, else SVG.
            horizontal: Let what comes later stand to the right, not below.

        Raises:
            ValueError: there is no such format, or the flow has a cycle, which the sentence names.
        """
        return visualize(self, flow_state, filename, format, horizontal)

    def serialize(self, build: bool = False) -> dict[str, Any]:
        """The graph as plain data: its tasks, edges, parameters and reference tasks, each task by its slug.

        Raises:
            DefinitionError: `build` was asked for; there is no storage to build.
        """
        if build:
            raise DefinitionError(f"The flow {self.name!r} has no storage to build; here {_NOT_HERE['storage']}.")
        slugs, parameters, references = self.slugs, self.parameters(), self.reference_tasks()
        edges = [edge for task in slugs for edge in self.incoming(task)]
        return {
            "name": self.name,
            "tasks": [
                {"slug": slug, "name": task.name, "type": type(task).__name__, "tags": sorted(task.tags)}
                for task, slug in slugs.items()
            ],
            "edges": [
                {
                    "upstream_task": slugs[edge.upstream_task],
                    "downstream_task": slugs[edge.downstream_task],
                    "key": edge.key,
                    "mapped": edge.mapped,
                    "flattened": edge.flattened,
                }
                for edge in edges
            ],
            "parameters": [
                {"name": one.name, "default": one.default, "required": one.required}
                for one in slugs
                if one in parameters
            ],
            "reference_tasks": [slug for task, slug in slugs.items() if task in references],
        }

    def save(self, fpath: str | os.PathLike[str]) -> str:
        """Write the flow to a file, for `load`; returns the path. It holds a pickle: load only what you wrote."""
        path = Path(fpath)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickled(self))
        return str(path)

    @staticmethod
    def load(fpath: str | os.PathLike[str]) -> Flow:
        """Read a flow that `save` wrote. Runs what the file names, so it must come from you.

        Raises:
            DefinitionError: the file holds something else.
        """
        found = unpickled(Path(fpath).read_bytes())
        if not isinstance(found, Graph) or not isinstance(found, Flow):
            raise DefinitionError(f"{fpath} holds no declared flow, but {type(found).__name__}.")
        return found

    def register(self, *args: Any, **keywords: Any) -> NoReturn:
        """Refused: what runs unattended is deployed, by `flow.deploy` or `nadi deploy`.

        Raises:
            DefinitionError: always; the sentence says what serves here.
        """
        raise DefinitionError(
            f"register() tells Prefect 1's server about a flow. To have {self.name!r} run unattended, deploy it:"
            ' flow.deploy("name", cron=...), or `nadi deploy path/to/file.py:flow`; a worker runs it.'
        )

    def run_agent(self, *args: Any, **keywords: Any) -> NoReturn:
        """Refused: there is no agent.

        Raises:
            DefinitionError: always; the sentence says what serves here.
        """
        raise DefinitionError(
            f"run_agent() waits for runs of Prefect 1's server; flow.serve() or `nadi worker` runs {self.name!r} here."
        )

    def __get__(self, instance: object, owner: type) -> Any:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_tokens": []}

    def __reduce__(self) -> Any:
        return _restored, (type(self), self.__getstate__())

    def __repr__(self) -> str:
        return f"<Flow {self.name}>"


#: What `with_options` may change.
_OPTIONS = ("name", "schedule", "executor", "state_handlers", "failure_callback", "result", "terminal_state_handler")


def _restored(kind: type[Flow], state: dict[str, Any]) -> Flow:
    flow: Flow = object.__new__(kind)
    flow.__dict__.update(state)
    return flow


def _declared_in() -> tuple[str, str]:
    """The module and the file of the code that declares a flow: the first on the stack that is not ours."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "nadi":
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "__main__")), frame.f_code.co_filename


__all__ = ["Flow"]
