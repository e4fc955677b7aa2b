"""Declared flows made by chance, and a small interpreter that says what must become of each of their tasks."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from nadi import Flow, case, merge, runtime, task, unmapped
from nadi.declarative.context import context
from nadi.model.runs import TaskRun
from nadi.model.states import StateType
from nadi.signals import SKIP
from nadi.triggers import all_failed, all_finished, all_successful, any_failed, any_successful, not_all_skipped


class Step(msgspec.Struct, frozen=True):
    """One task of a program, or the comparison that a `case` block stands for."""

    label: str
    #: number, list, fail, skip, fickle (by its input), retry, merge; compare for a block.
    does: str
    #: Label of an earlier step, and how it is taken: data, order, each (item by item), order-each.
    takes: tuple[tuple[str, str], ...] = ()
    trigger: str = "all_successful"
    skips: bool = True
    #: Label of the block it stands in; "" outside of all.
    block: str = ""
    #: How long a list is, or what a comparison expects.
    size: int = 0

    @property
    def is_mapped(self) -> bool:
        return any(how.endswith("each") for _, how in self.takes)


Program = list[Step]

#: State and value of a task; of a mapped one, "Mapped" and the outcomes of its children.
Outcome = tuple[str, Any]


# -- programs ----------------------------------------------------------------------------------


def a_program(rng: random.Random, most: int = 12) -> Program:
    """Return a random program; each step takes only what stands before it."""
    program: Program = []
    blocks = [""]
    for number in range(rng.randint(1, most)):
        numbers = [step.label for step in program if step.does in ("number", "retry") and not step.is_mapped]
        if numbers and rng.random() < 0.15 and len(blocks) < 3:
            condition = ((rng.choice(numbers), "data"),)
            program.append(Step(f"case{number}", "compare", condition, block=blocks[-1], size=rng.randint(0, 2)))
            blocks.append(f"case{number}")
        program.append(_a_step(rng, f"s{number}", program, blocks[-1]))
        if len(blocks) > 1 and rng.random() < 0.4:
            blocks.pop()
    return program


def _a_step(rng: random.Random, label: str, program: Program, block: str) -> Step:
    before = [step for step in program if step.does != "compare"]
    chosen = rng.sample(before, min(len(before), rng.choice([0, 1, 1, 2, 2, 3])))
    if len(chosen) > 1 and rng.random() < 0.3:
        takes = tuple((step.label, "data") for step in chosen if not step.is_mapped)
        if takes:
            return Step(label, "merge", takes, "not_all_skipped", skips=False, block=block)
    takes = tuple((step.label, _how(rng, step)) for step in chosen)
    does = rng.choice(["number"] * 5 + ["list"] * 3 + ["fickle", "fail", "skip", "retry"])
    trigger = rng.choice(["all_successful"] * 5 + sorted(TRIGGERS)) if takes else "all_successful"
    return Step(label, does, takes, trigger, skips=rng.random() < 0.8, block=block, size=rng.randint(0, 3))


def _how(rng: random.Random, step: Step) -> str:
    if step.is_mapped:
        return rng.choice(["each", "each", "data", "order", "order-each"])
    return rng.choice(["each", "each", "data"] if step.does == "list" else ["data", "data", "order"])


# -- as a flow ---------------------------------------------------------------------------------


@task
def step_of(label: str, does: str, size: int, **inputs: Any) -> Any:
    if "LEDGER" in os.environ:
        with open(os.environ["LEDGER"], "a", encoding="utf-8") as ledger:
            ledger.write(f"{label}/{context.get('map_index', -1)}\n")
    return done(does, label, size, list(inputs.values()), attempt=runtime.task_run.run_count)


def done(does: str, label: str, size: int, inputs: list[Any], *, attempt: int = 2) -> Any:
    """What a step does with its inputs; both the flow and the interpreter ask here."""
    if does == "merge":
        return next((each for each in inputs if each is not None), None)
    total = sum(map(_number, inputs)) + len(label)
    if does == "fail" or (does == "retry" and attempt < 2) or (does == "fickle" and total % 3 == 0):
        raise ValueError(label)
    if does == "skip" or (does == "fickle" and total % 3 == 1):
        raise SKIP(label)
    return [(total + place) % 3 for place in range(size)] if does == "list" else total % 3


def _number(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_number, value))
    return value if isinstance(value, int) else 7 if isinstance(value, BaseException) else 0


def declared(program: Program, name: str = "random") -> tuple[Flow, dict[str, Any]]:
    """Return the flow of a program, and its tasks by label."""
    with Flow(name) as flow:
        tasks = add_steps(program)
    return flow, tasks


def add_steps(program: Program) -> dict[str, Any]:
    """Add the steps of a program to the flow that is being declared, and return their tasks by label."""
    tasks: dict[str, Any] = {}
    _add(program, "", tasks)
    return tasks


def _add(program: Program, block: str, tasks: dict[str, Any]) -> None:
    for step in program:
        if step.block != block:
            continue
        if step.does == "compare":
            with case(tasks[step.takes[0][0]], step.size):
                _add(program, step.label, tasks)
        elif step.does == "merge":
            tasks[step.label] = merge(*(tasks[label] for label, _ in step.takes), name=step.label)
        else:
            tasks[step.label] = _call(step, tasks)


def _call(step: Step, tasks: dict[str, Any]) -> Any:
    options = {"trigger": NAMED[step.trigger], "skip_on_upstream_skip": step.skips, "name": step.label}
    options |= RETRYING if step.does == "retry" else {}
    given = {f"input_{label}": _given(how, tasks[label]) for label, how in step.takes if "order" not in how}
    order = [_given(how, tasks[label]) for label, how in step.takes if "order" in how]
    constants = {"label": step.label, "does": step.does, "size": step.size}
    call = step_of.map if step.is_mapped else step_of
    if step.is_mapped:
        constants = {key: unmapped(value) for key, value in constants.items()}
    return call(**constants, **given, upstream_tasks=order, task_args=options)


def _given(how: str, node: Any) -> Any:
    return node if how.endswith("each") else unmapped(node)


# -- what must become of it --------------------------------------------------------------------

#: By trigger, what it says of how many upstream tasks there are, failed and were skipped.
TRIGGERS: dict[str, Callable[[int, int, int], bool]] = {
    "all_successful": lambda all, failed, skipped: failed == 0,
    "all_failed": lambda all, failed, skipped: failed == all,
    "all_finished": lambda all, failed, skipped: True,
    "any_successful": lambda all, failed, skipped: all == 0 or failed < all,
    "any_failed": lambda all, failed, skipped: all == 0 or failed > 0,
    "not_all_skipped": lambda all, failed, skipped: failed == 0,
}


def expected(program: Program) -> dict[str, Outcome]:
    """Return what must become of each step."""
    outcomes: dict[str, Outcome] = {}
    for step in program:
        upstream = [(outcomes[label], how) for label, how in takes(step, program)]
        outcomes[step.label] = _of_map(step, upstream) if step.is_mapped else _of_one(step, upstream)
    return outcomes


def _of_one(step: Step, upstream: list[tuple[Outcome, str]]) -> Outcome:
    stopped = _stopped(step, [state for outcome, _ in upstream for state, _ in parts(outcome)])
    if stopped is not None:
        return stopped
    inputs = [value_of(outcome) for outcome, how in upstream if how in ("data", "each")]
    if step.does == "compare":
        return ("Success", None) if inputs == [step.size] else ("Skipped", None)
    try:
        return "Success", done(step.does, step.label, step.size, inputs)
    except ValueError as error:
        return "Failed", error
    except SKIP:
        return "Skipped", None


def _stopped(step: Step, states: list[str]) -> Outcome | None:
    failed, skipped = sum("Failed" in state for state in states), states.count("Skipped")
    if (step.skips and skipped) or (step.trigger == "not_all_skipped" and skipped == len(states)):
        return "Skipped", None
    runs = TRIGGERS[step.trigger](len(states), failed, skipped)
    return None if runs else ("TriggerFailed", RuntimeError())


def _of_map(step: Step, upstream: list[tuple[Outcome, str]]) -> Outcome:
    # What is taken whole, or mapped over without being mapped itself, may stop the map as a whole.
    whole = [state for outcome, how in upstream for state, _ in ([outcome] if "each" in how else parts(outcome))]
    if step.skips and "Skipped" in whole:
        return "Skipped", None
    if any("Failed" in outcome[0] for outcome, how in upstream if "each" in how):
        every = [state for outcome, _ in upstream for state, _ in parts(outcome)]
        # Whether it is skipped was judged above, of what counts as a whole.
        return _stopped(msgspec.structs.replace(step, skips=False), every) or ("Failed", ValueError())
    lists = [_items(outcome) if "each" in how else None for outcome, how in upstream]
    if any(found is None for found, (_, how) in zip(lists, upstream, strict=True) if "each" in how):
        return "Failed", ValueError()
    count = min(len(found) for found in lists if found is not None)
    return "Mapped", [
        _of_one(
            step,
            [(found[n] if found is not None else one, how) for found, (one, how) in zip(lists, upstream, strict=True)],
        )
        for n in range(count)
    ]


def _items(outcome: Outcome) -> list[Outcome] | None:
    if outcome[0] == "Mapped":
        return parts(outcome)
    return [(outcome[0], item) for item in outcome[1]] if isinstance(outcome[1], list) else None


def parts(outcome: Outcome) -> list[Outcome]:
    return outcome[1] if outcome[0] == "Mapped" else [outcome]


def value_of(outcome: Outcome) -> Any:
    return [value for _, value in outcome[1]] if outcome[0] == "Mapped" else outcome[1]


def takes(step: Step, program: Program) -> list[tuple[str, str]]:
    """Return what a step takes: also the comparison of its blocks, where nothing of the block comes before it."""
    found, block = list(step.takes), step.block
    by_label = {each.label: each for each in program}
    while block:
        if not any(_inside(by_label[label], block, by_label) for label, _ in found):
            found.append((block, "order"))
        block = by_label[block].block
    return found


def _inside(step: Step, block: str, by_label: dict[str, Step]) -> bool:
    while step.label != block and step.block:
        step = by_label[step.block]
    return step.label == block


# -- what is recorded, in the interpreter's words ------------------------------------------------


def states_of(runs: list[TaskRun]) -> dict[str, str | list[str]]:
    """The states of task runs by label, in the interpreter's words."""
    states: dict[str, str | list[str]] = {}
    for run in sorted(runs, key=lambda run: run.map_index):
        name = "Success" if run.state_name == "Completed" else run.state_name
        if run.task.startswith("CompareValue"):
            continue
        if run.map_index < 0:
            assert run.task not in states
            states[run.task] = name
        else:
            children = states.setdefault(run.task, [])
            assert isinstance(children, list)
            assert len(children) == run.map_index
            children.append(name)
    return states


def told_states(program: Program) -> dict[str, str | list[str]]:
    """What must be recorded: of a map over nothing, nothing is."""
    named = {
        label: [state for state, _ in parts(outcome)] if outcome[0] == "Mapped" else outcome[0]
        for label, outcome in expected(program).items()
        if not label.startswith("case")
    }
    return {label: states for label, states in named.items() if states}


def done_in(runs: list[TaskRun]) -> set[str]:
    return {f"{run.task}/{run.map_index}" for run in runs if run.state_type is StateType.COMPLETED}


def without_failures(program: Program) -> set[str]:
    """The steps that did not fail, and that nothing comes before that did."""
    settled: set[str] = set()
    for (label, outcome), step in zip(expected(program).items(), program, strict=True):
        if (
            not any("Failed" in state for state, _ in parts(outcome))
            and {one for one, _ in takes(step, program)} <= settled
        ):
            settled.add(label)
    return settled


RETRYING = {"max_retries": 1, "retry_delay": timedelta(0)}

NAMED = {
    "all_successful": all_successful,
    "all_failed": all_failed,
    "all_finished": all_finished,
    "any_successful": any_successful,
    "any_failed": any_failed,
    "not_all_skipped": not_all_skipped,
}
