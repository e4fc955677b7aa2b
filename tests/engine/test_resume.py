"""Resume, rule by rule: which recorded calls stand, which run again, and what is said about it."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import nadi
from nadi import allow_failure, flow, task, unmapped
from nadi.cache_policies import INPUTS
from nadi.engine.loading import load_flow
from nadi.engine.roots import resumed_root
from nadi.exceptions import (
    NotResumable,
    RunAlreadyFinished,
    RunNotFound,
    RunTaken,
    UpstreamFailed,
)
from nadi.model.runs import RunFilter
from nadi.model.states import State, StateType
from tests.engine.resuming import Here, a_home


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with a_home(tmp_path / "home") as made:
        yield made


class Model:
    """A live object whose content nobody can tell: it holds a lock."""

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self.lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Model, (self.weight,)


# -- finished tasks stand --


def test_finished_tasks_do_not_run_again(here: Here) -> None:
    @task
    def add(x: int) -> int:
        here.did.append(f"add {x}")
        return x + 1

    @flow
    def three() -> int:
        a = add(1)
        b = add(a)
        here.crash_once()
        return add(b)

    first = here.begin(three)
    value = here.resume(three)

    assert first == ["add 1", "add 2"]
    assert value == 4
    assert here.take() == ["add 3"]
    assert [one.attempt for one in here.tasks()] == [1, 1, 1]


def test_a_task_that_runs_again_keeps_its_record_and_id_but_gets_an_attempt(here: Here) -> None:
    @task
    def fragile() -> str:
        here.did.append("fragile")
        if len(here.did) == 1:
            raise ValueError("not yet")
        return "done"

    @flow
    def once() -> str:
        return fragile()

    once(return_state=True)
    before = here.task("fragile")
    here.resume(once)

    after = here.task("fragile")
    assert (after.id, after.attempt, after.state_type) == (before.id, 2, StateType.COMPLETED)
    assert [one.state_type for one in here.store.attempts(after.id)] == [StateType.FAILED, StateType.COMPLETED]


def test_the_children_of_a_hundred_mapped_tasks_stay_apart(here: Here) -> None:
    @task
    def inner() -> float:
        here.did.append("inner")
        return random.random()

    @task
    def outer(i: int) -> float:
        return inner() + i

    @flow
    def hundred() -> list[float]:
        values: list[float] = outer.map(range(100)).result()
        here.crash_once()
        return values

    assert len(here.begin(hundred)) == 100
    recorded = [here.recorder.fetch(one.result) for one in here.tasks("outer") if one.result is not None]
    values = here.resume(hundred)

    assert here.take() == []
    assert sorted(values) == sorted(recorded)


def test_nested_tasks_that_had_finished_stand_when_their_parent_had_not(here: Here) -> None:
    @task
    def inner(i: int, j: int) -> int:
        here.did.append(f"inner {i} {j}")
        return j

    @task
    def outer(i: int) -> int:
        total = inner(i, 0) + inner(i, 1)
        here.crash_once()
        return total

    @flow
    def nested() -> int:
        return outer(7)

    here.begin(nested)
    value = here.resume(nested)

    assert value == 1
    assert here.take() == []


def test_calls_match_in_whatever_order_they_are_made(here: Here) -> None:
    @task
    def get(name: str) -> str:
        here.did.append(name)
        return name.upper()

    orders = [["a", "b", "c"], ["c", "a", "d", "b"]]

    @flow
    def shuffled() -> list[str]:
        names = orders.pop(0)
        values = [get(name) for name in names]
        here.crash_once()
        return values

    here.begin(shuffled)
    value = here.resume(shuffled)

    assert value == ["C", "A", "D", "B"]
    assert here.take() == ["d"]


def test_concurrent_calls_match_whoever_comes_first(here: Here) -> None:
    @task
    def get(n: int) -> int:
        here.did.append(str(n))
        return n * n

    @flow
    def crowd(names: list[int]) -> list[int]:
        order = list(names)
        if here.crashed:
            order.reverse()
        futures = [get.submit(n) for n in order]
        values = sorted(future.result() for future in futures)
        here.crash_once()
        return values

    here.begin(crowd, list(range(30)))
    value = here.resume(crowd)

    assert value == [n * n for n in range(30)]
    assert here.take() == []


def test_equal_calls_are_told_apart_by_how_many_came_before(here: Here) -> None:
    drawn = iter(range(100))

    @task
    def draw() -> int:
        here.did.append("draw")
        return next(drawn)

    @flow
    def thrice() -> list[int]:
        values = [draw(), draw()]
        here.crash_once()
        return [*values, draw()]

    here.begin(thrice)
    value = here.resume(thrice)

    assert value == [0, 1, 2]
    assert here.take() == ["draw"]


def test_wait_for_is_no_part_of_which_call_it_is(here: Here) -> None:
    @task
    def one() -> int:
        return 1

    @task
    def two(x: int) -> int:
        here.did.append("two")
        return x

    @flow
    def waiting() -> int:
        first = one.submit()
        second = two.submit(5, wait_for=[first]) if not here.crashed else two.submit(5)
        value: int = second.result()
        here.crash_once()
        return value

    here.begin(waiting)
    here.resume(waiting)

    assert here.take() == []


def test_a_finished_subflow_is_one_call_and_keeps_its_child_run(here: Here) -> None:
    @task
    def leaf(x: int) -> int:
        here.did.append(f"leaf {x}")
        return x

    @flow
    def child(x: int) -> int:
        here.did.append("child")
        return leaf(x)

    @flow
    def parent() -> int:
        value = child(3)
        here.crash_once()
        return value

    here.begin(parent)
    [before] = here.store.subflow_runs(here.run.id)
    value = here.resume(parent)

    [after] = here.store.subflow_runs(here.run.id)
    assert value == 3
    assert here.take() == []
    assert (after.id, after.attempt) == (before.id, before.attempt)


def test_a_subflow_that_was_cut_off_goes_on_in_its_own_run(here: Here) -> None:
    @task
    def leaf(x: int) -> int:
        here.did.append(f"leaf {x}")
        return x

    @flow
    def child() -> int:
        a = leaf(1)
        here.crash_once()
        return a + leaf(2)

    @flow
    def parent() -> int:
        return child()

    here.begin(parent)
    [before] = here.store.subflow_runs(here.run.id)
    value = here.resume(parent)

    [after] = here.store.subflow_runs(here.run.id)
    assert value == 3
    assert here.take() == ["leaf 2"]
    assert (after.id, after.attempt, after.state_type) == (before.id, 2, StateType.COMPLETED)


# -- what changed runs again, and says so --


def test_a_task_whose_input_changed_runs_again_and_the_reason_names_the_input(here: Here) -> None:
    inputs = iter([1, 2])

    @task
    def scale(x: int, factor: int) -> int:
        here.did.append(f"scale {x}")
        return x * factor

    @flow
    def changed() -> int:
        value = scale(next(inputs), factor=10)
        here.crash_once()
        return value

    here.begin(changed)
    value = here.resume(changed)

    assert value == 20
    assert here.take() == ["scale 2"]
    assert here.tasks()[-1].reason == "its input changed: x"


FLOW_FILE = """
import pathlib
from nadi import flow, task
from nadi.exceptions import CrashedRun

HERE = pathlib.Path(__file__).parent

{helper}

@task
def work(x):
    {comment}
    with (HERE / "ledger").open("a") as ledger:
        ledger.write("work\\n")
    return {body}

@flow
def pipeline():
    value = work(20)
    if not (HERE / "crashed").exists():
        (HERE / "crashed").touch()
        raise CrashedRun("burnt down")
    return value
"""

HELPER = "def double(x):\n    return x * 2\n"


@pytest.mark.parametrize(
    ("what", "change", "value", "times"),
    [
        ("nothing", {}, 40, 1),
        ("a comment and the lines it stands in", {"comment": "# said better\n\n    # in two lines"}, 40, 1),
        ("its code", {"body": "double(x) + 1"}, 41, 2),
        ("a helper", {"helper": HELPER.replace("* 2", "* 3")}, 60, 2),
        ("a comment in a helper", {"helper": "# a helper\n" + HELPER}, 40, 1),
    ],
)
def test_code_is_what_is_compiled_of_the_task_and_its_helpers(
    here: Here, tmp_path: Path, what: str, change: dict[str, str], value: int, times: int
) -> None:
    parts = {"helper": HELPER, "comment": "# as it was", "body": "double(x)"}
    file = tmp_path / "pipeline.py"
    file.write_text(FLOW_FILE.format(**parts))
    load_flow(f"{file}:pipeline")(return_state=True)

    file.write_text(FLOW_FILE.format(**parts | change))
    resumed = nadi.resume(here.run.id)

    assert resumed == value
    assert (tmp_path / "ledger").read_text().count("work") == times
    assert here.tasks("work")[-1].reason == ("" if times == 1 else "its code changed")


def test_a_run_may_be_resumed_with_other_parameters_and_only_what_they_change_runs_again(here: Here) -> None:
    @task
    def load(rows: int) -> int:
        here.did.append("load")
        return rows

    @task
    def train(rows: int, rate: float) -> float:
        here.did.append("train")
        if rate > 1:
            raise ValueError("too fast")
        return rows * rate

    @flow
    def pipeline(rows: int, rate: float) -> float:
        return train(load(rows), rate)

    here.begin(pipeline, 10, rate=5.0)
    value = here.resume(pipeline, parameters={"rate": 0.5})

    assert value == 5.0
    assert here.take() == ["train"]


def test_a_task_declared_rerun_on_retry_runs_again(here: Here) -> None:
    @task(rerun_on_retry=True)
    def check() -> None:
        here.did.append("check")

    @flow
    def checking() -> None:
        check()
        here.crash_once()

    here.begin(checking)
    here.resume(checking)

    assert here.take() == ["check"]
    assert here.tasks("check")[-1].reason == "it is declared rerun_on_retry"


# -- inputs --


def test_a_live_object_counts_by_the_task_that_made_it(here: Here) -> None:
    @task
    def fit(weight: float) -> Model:
        here.did.append("fit")
        return Model(weight)

    @task
    def score(model: Model) -> float:
        here.did.append("score")
        return model.weight

    @flow
    def training() -> float:
        value = score(fit(0.5))
        here.crash_once()
        return value

    here.begin(training)
    value = here.resume(training)

    assert value == 0.5
    assert here.take() == []


def test_a_live_object_from_a_task_that_ran_again_is_another_input(here: Here) -> None:
    weights = iter([0.5, 0.7])

    @task
    def fit(weight: float) -> Model:
        here.did.append("fit")
        return Model(weight)

    @task
    def score(model: Model) -> float:
        here.did.append("score")
        return model.weight

    @flow
    def training() -> float:
        value = score(fit(next(weights)))
        here.crash_once()
        return value

    here.begin(training)
    value = here.resume(training)

    assert value == 0.7
    assert here.take() == ["fit", "score"]
    assert here.tasks("score")[-1].reason == "its input changed: model"


def test_an_object_changed_after_it_was_handed_out_is_another_input_where_content_is_cheap(here: Here) -> None:
    @task
    def load() -> list[int]:
        return [1, 2]

    @task
    def total(numbers: list[int]) -> int:
        here.did.append("total")
        return sum(numbers)

    @flow
    def mutating() -> int:
        numbers = load()
        numbers.append(3 if not here.crashed else 4)
        value = total(numbers)
        here.crash_once()
        return value

    here.begin(mutating)
    value = here.resume(mutating)

    assert value == 7
    assert here.take() == ["total"]


def test_a_future_counts_by_the_run_behind_it(here: Here) -> None:
    @task
    def make() -> Model:
        here.did.append("make")
        return Model(1.0)

    @task
    def use(model: Model, others: list[Model]) -> int:
        here.did.append("use")
        return 1 + len(others)

    @flow
    def futures() -> int:
        made = make.submit()
        value: int = use.submit(made, [made, made]).result()
        here.crash_once()
        return value

    here.begin(futures)
    value = here.resume(futures)

    assert value == 3
    assert here.take() == []


def test_where_nothing_can_be_told_about_an_input_the_position_serves(here: Here) -> None:
    @task
    def use(model: Model) -> str:
        here.did.append("use")
        return "used"

    @flow
    def positions() -> None:
        use(Model(1.0))
        use(Model(2.0))
        here.crash_once()

    here.begin(positions)
    here.resume(positions)

    assert here.take() == []


def test_position_serves_no_more_once_an_earlier_call_did_not_match(here: Here) -> None:
    @task
    def before(n: int) -> None:
        here.did.append(f"before {n}")

    @task
    def use(model: Model) -> None:
        here.did.append("use")

    @flow
    def shifted() -> None:
        before(1 if not here.crashed else 2)
        use(Model(1.0))
        here.crash_once()

    here.begin(shifted)
    here.resume(shifted)

    assert here.take() == ["before 2", "use"]
    assert here.tasks("use")[-1].reason == "its inputs cannot be told apart and the calls before it changed"


def test_position_serves_no_more_once_a_call_came_from_another_thread(here: Here) -> None:
    @task
    def note(n: int) -> None:
        here.did.append("note")

    @task
    def use(model: Model) -> None:
        here.did.append("use")

    @flow
    def threaded() -> None:
        import contextvars

        context = contextvars.copy_context()
        other = threading.Thread(target=lambda: context.run(note, 1))
        other.start()
        other.join()
        use(Model(1.0))
        here.crash_once()

    here.begin(threaded)
    here.resume(threaded)

    assert here.take() == ["use"]


# -- what became of them --


def test_after_a_crash_recorded_failures_are_facts_and_are_raised_into_the_flow_again(here: Here) -> None:
    @task
    def flaky() -> None:
        here.did.append("flaky")
        raise ValueError("the file is broken")

    @flow
    def tolerant() -> str:
        try:
            flaky()
        except ValueError as error:
            here.crash_once()
            return str(error)
        return "no error"

    here.begin(tolerant)
    value = here.resume(tolerant)

    assert value == "the file is broken"
    assert here.take() == []


def test_resuming_a_failed_run_by_hand_runs_its_failed_tasks_again_with_fresh_retries(here: Here) -> None:
    @task(retries=1, retry_delay_seconds=0)
    def flaky() -> str:
        here.did.append("flaky")
        if here.did.count("flaky") < 4:
            raise ValueError("not yet")
        return "at last"

    @flow
    def trying() -> str:
        return flaky()

    trying(return_state=True)
    value = here.resume(trying)

    assert value == "at last"
    assert here.take() == ["flaky"] * 4
    assert [one.state_type.value for one in here.store.attempts(here.task("flaky").id)] == [
        "FAILED",
        "FAILED",
        "FAILED",
        "COMPLETED",
    ]


def test_a_failure_from_before_a_resume_by_hand_is_no_fact_after_that_resume_crashed(here: Here) -> None:
    @task
    def first() -> None:
        here.did.append("first")
        if not here.crashed:
            return

    @task
    def flaky() -> str:
        here.did.append("flaky")
        if here.did.count("flaky") == 1:
            raise ValueError("not yet")
        return "well"

    @flow
    def trying() -> str:
        first()
        if here.did.count("flaky"):
            here.crash_once()
        return flaky()

    assert trying(return_state=True).is_failed()
    assert here.resume(trying, return_state=True).is_crashed()
    value = here.resume(trying)

    assert value == "well"
    assert here.take() == ["first", "flaky", "flaky"]


def test_a_failure_stays_a_fact_over_several_crashes(here: Here) -> None:
    crashes = iter([True, True, False])

    @task
    def flaky() -> None:
        here.did.append("flaky")
        raise ValueError("broken")

    @flow
    def tolerant() -> str:
        state = flaky(return_state=True)
        if next(crashes):
            raise nadi.exceptions.CrashedRun("again")
        return str(state.type.value)

    here.begin(tolerant)
    here.resume(tolerant, return_state=True)
    value = here.resume(tolerant)

    assert value == "FAILED"
    assert here.take() == []


def test_what_did_not_run_because_of_a_failed_upstream_is_judged_anew(here: Here) -> None:
    @task
    def source() -> int:
        here.did.append("source")
        if here.did.count("source") == 1:
            raise ValueError("closed")
        return 1

    @task
    def sink(x: int) -> int:
        here.did.append("sink")
        return x

    @flow
    def piped() -> int:
        return sink.submit(source.submit()).result()

    with pytest.raises(UpstreamFailed):
        piped()
    value = here.resume(piped)

    assert value == 1
    assert here.take() == ["source", "source", "sink"]


def test_a_failure_that_was_allowed_is_passed_on_again(here: Here) -> None:
    @task
    def source() -> int:
        here.did.append("source")
        raise ValueError("closed")

    @task
    def sink(x: Any) -> str:
        here.did.append("sink")
        return str(x)

    @flow
    def piped() -> str:
        value: str = sink.submit(allow_failure(source.submit())).result()
        here.crash_once()
        return value

    here.begin(piped)
    value = here.resume(piped)

    assert value == "closed"
    assert here.take() == []


def test_a_generator_task_that_was_exhausted_replays_its_items(here: Here) -> None:
    @task
    def items() -> Iterator[int]:
        here.did.append("items")
        yield from range(3)

    @flow
    def streaming() -> list[int]:
        values = list(items())
        here.crash_once()
        return values

    here.begin(streaming)
    value = here.resume(streaming)

    assert value == [0, 1, 2]
    assert here.take() == []


def test_a_generator_task_that_was_closed_early_runs_again_from_the_start(here: Here) -> None:
    @task
    def items() -> Generator[int]:
        here.did.append("items")
        yield from range(3)

    @flow
    def streaming() -> int:
        stream = items()
        value = next(stream)
        stream.close()
        here.crash_once()
        return value

    here.begin(streaming)
    here.resume(streaming)

    assert here.take() == ["items"]


# -- results --


def test_a_result_in_a_file_is_read_back(here: Here) -> None:
    @task
    def big() -> bytes:
        here.did.append("big")
        return b"x" * 100_000

    @flow
    def large() -> int:
        data = big()
        here.crash_once()
        return len(data)

    here.begin(large)
    value = here.resume(large)

    assert value == 100_000
    assert here.take() == []


def test_a_missing_corrupt_or_foreign_result_file_runs_its_task_again_and_says_so(here: Here) -> None:
    @task
    def big(n: int) -> bytes:
        here.did.append(f"big {n}")
        return bytes([n]) * 100_000

    @flow
    def large() -> list[int]:
        sizes = [len(big(n)) for n in range(4)]
        here.crash_once()
        return sizes

    here.begin(large)
    files = [here.path / "results" / one.result.key for one in here.tasks("big") if one.result is not None]
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-1])
    files[2].write_bytes(files[3].read_bytes())
    value = here.resume(large)

    assert value == [100_000] * 4
    assert here.take() == ["big 0", "big 1", "big 2"]
    reasons = [one.reason for one in here.tasks("big") if one.reason]
    assert len(reasons) == 3
    assert all("missing or unreadable" in reason for reason in reasons)


def test_a_result_that_cannot_be_stored_only_means_that_its_task_runs_again_and_says_so(here: Here) -> None:
    @task
    def connect() -> Any:
        here.did.append("connect")
        return threading.Lock()

    @flow
    def connecting() -> bool:
        lock = connect()
        here.crash_once()
        return bool(lock.locked())

    here.begin(connecting)
    value = here.resume(connecting)

    assert value is False
    assert here.take() == ["connect"]
    assert "its result was not kept" in here.tasks("connect")[-1].reason
    assert not here.tasks("connect")[-1].reason.endswith(".")  # a sentence is made of it


def test_a_task_whose_result_is_not_wanted_runs_again(here: Here) -> None:
    @task(persist_result=False)
    def private() -> str:
        here.did.append("private")
        return "secret"

    @flow
    def careful() -> str:
        value = private()
        here.crash_once()
        return value

    here.begin(careful)
    value = here.resume(careful)

    assert value == "secret"
    assert here.take() == ["private"]
    assert "persist_result is False" in here.tasks("private")[-1].reason


def test_a_task_that_returned_none_has_finished(here: Here) -> None:
    @task
    def nothing() -> None:
        here.did.append("nothing")

    @flow
    def doing() -> None:
        nothing()
        here.crash_once()

    here.begin(doing)
    here.resume(doing)

    assert here.take() == []


# -- retries of flows and of parent tasks --


def test_a_retry_of_a_flow_keeps_its_finished_children_and_runs_the_failed_ones_again(here: Here) -> None:
    @task
    def load() -> int:
        here.did.append("load")
        return 1

    @task
    def train(x: int) -> int:
        here.did.append("train")
        if here.did.count("train") < 3:
            raise ValueError("not yet")
        return x

    @flow(retries=3, retry_delay_seconds=0)
    def pipeline() -> int:
        return train(load())

    value = pipeline()

    assert value == 1
    assert here.take() == ["load", "train", "train", "train"]


def test_a_retry_of_a_parent_task_keeps_its_finished_children(here: Here) -> None:
    @task
    def child(n: int) -> int:
        here.did.append(f"child {n}")
        return n

    @task(rerun_on_retry=True)
    def always() -> None:
        here.did.append("always")

    @task(retries=2, retry_delay_seconds=0)
    def parent() -> int:
        always()
        value = child(1)
        here.did.append("parent")
        if here.did.count("parent") < 2:
            raise ValueError("not yet")
        return value + child(2)

    @flow
    def pipeline() -> int:
        return parent()

    value = pipeline()

    assert value == 3
    assert here.take() == ["always", "child 1", "parent", "always", "parent", "child 2"]


def test_a_retry_of_one_mapped_parent_task_keeps_its_own_children_only(here: Here) -> None:
    @task
    def child(n: int) -> int:
        here.did.append(f"child {n}")
        return n

    @task(retries=2, retry_delay_seconds=0)
    def parent(n: int, few: int) -> int:
        total = sum(child(i) for i in range(few))
        here.did.append(f"parent {n}")
        if here.did.count(f"parent {n}") < 2:
            raise ValueError("not yet")
        return total

    @flow
    def pipeline() -> list[int]:
        values: list[int] = parent.map(range(5), unmapped(3)).result()
        return values

    value = pipeline()

    assert value == [3] * 5
    done = here.take()
    assert [done.count(f"child {i}") for i in range(3)] == [5, 5, 5]


# -- who may be resumed --


def test_a_completed_run_is_not_resumed(here: Here) -> None:
    @flow
    def fine() -> int:
        return 1

    fine()

    with pytest.raises(RunAlreadyFinished, match=r"COMPLETED|Completed"):
        here.resume(fine)


def test_a_living_run_is_not_resumed_and_the_error_says_who_has_it(here: Here) -> None:
    told: list[str] = []

    @flow
    def alive() -> None:
        def resume() -> None:
            try:
                nadi.resume(here.run.id, flow=alive)
            except RunTaken as error:
                told.append(str(error))

        other = threading.Thread(target=resume)
        other.start()
        other.join()

    alive()

    assert len(told) == 1
    assert "process" in told[0]


def test_a_run_is_found_by_id_prefix_or_name_and_one_that_is_not_there_is_said_not_to_be(here: Here) -> None:
    @flow
    def fails() -> int:
        here.did.append("x")
        if len(here.did) < 3:
            raise ValueError("not yet")
        return 5

    fails(return_state=True)
    nadi.resume(here.run.name, flow=fails, return_state=True)
    value = nadi.resume(here.run.id[:30], flow=fails)

    assert value == 5
    with pytest.raises(RunNotFound):
        nadi.resume("no-such-run", flow=fails)


def test_what_was_defined_where_nobody_can_load_it_says_so_at_once_and_flow_serves(here: Here) -> None:
    namespace: dict[str, Any] = {}
    exec(
        compile("from nadi import flow\n@flow\ndef cell():\n    raise ValueError('x')\n", "<cell 1>", "exec"), namespace
    )
    namespace["cell"](return_state=True)

    with pytest.raises(NotResumable, match="flow="):
        nadi.resume(here.run.id)


def test_parameters_that_could_not_be_kept_are_asked_for(here: Here) -> None:
    @flow(validate_parameters=False)
    def takes(lock: Any) -> bool:
        here.crash_once()
        return bool(lock.locked())

    here.begin(takes, threading.Lock())

    with pytest.raises(NotResumable, match="parameters="):
        here.resume(takes)
    assert here.run.state_type is StateType.CRASHED


def test_of_two_resumers_one_wins_and_the_other_is_told(here: Here) -> None:
    @flow
    def fails() -> str:
        here.crash_once()
        return "mine"

    here.begin(fails)
    record = here.run
    first = resumed_root(fails.spec, record)
    with pytest.raises(RunTaken):
        resumed_root(fails.spec, record)

    assert first.session.token == record.token + 1


def test_a_resumed_run_shows_all_its_attempts_and_ends_once(here: Here) -> None:
    @flow
    def twice() -> int:
        here.crash_once()
        return 2

    here.begin(twice)
    here.resume(twice)

    attempts = here.store.attempts(here.run.id)
    assert [(one.attempt, one.state_type.value) for one in attempts] == [(1, "CRASHED"), (2, "COMPLETED")]
    assert len(here.store.flow_runs(RunFilter(), limit=10)) == 1


def test_a_fenced_attempt_stops_before_its_next_task_says_who_has_it_and_changes_nothing(here: Here) -> None:
    @task
    def step(n: int) -> int:
        here.did.append(f"step {n}")
        return n

    @flow
    def robbed() -> None:
        step(1)
        store = here.store
        store.end_attempt(here.run.id, token=1, state=StateType.CRASHED, name="", message="", now=1.0)
        store.claim(here.run.id, holder="w|other-host|42|7|boot|ns", now=2.0)
        here.recorder.courier.confirmed -= 1000.0  # as after a long freeze
        step(2)

    with pytest.raises(RunTaken, match="process 42 on other-host"):
        robbed()

    assert here.take() == ["step 1"]
    assert (here.run.state_type, here.run.token) == (StateType.PENDING, 2)
    assert {one.state_type for one in here.store.superseded(here.run.id)} == {StateType.FAILED}


# -- async, processes --


def test_an_async_flow_is_resumed_too(here: Here) -> None:
    @task
    async def get(n: int) -> int:
        here.did.append(f"get {n}")
        return n

    @flow
    async def gathering() -> int:
        values = await asyncio.gather(*[get(n) for n in range(5)])
        here.crash_once()
        return sum(values) + await get(10)

    async def begin() -> Any:
        return await gathering(return_state=True)

    asyncio.run(begin())
    assert here.take() == [f"get {n}" for n in range(5)]

    async def resume() -> Any:
        return await here.resume(gathering)

    assert asyncio.run(resume()) == 20
    assert here.take() == ["get 10"]


# -- what is promised when --


def test_after_a_durable_task_others_see_it_finished_before_the_next_step(here: Here) -> None:
    seen: list[str] = []

    @task(durable=True)
    def pay() -> str:
        return "paid"

    @flow
    def paying() -> None:
        pay()
        [paid] = here.recorder.store().task_runs(here.recorder.store().flow_runs(RunFilter(), limit=1)[0].id)
        seen.append(paid.state_type.value)

    paying()

    assert seen == ["COMPLETED"]


def test_a_durable_task_is_seen_finished_however_it_came_by_its_end(here: Here) -> None:
    seen: list[str] = []

    @task(durable=True, cache_policy=INPUTS)
    def pay() -> str:
        return "paid"

    @task(durable=True)
    def skip() -> Any:
        return State(type=StateType.COMPLETED, name="Skipped")

    @flow
    def paying() -> None:
        for pays in (pay, pay, skip):
            pays()
            tasks = here.recorder.store().task_runs(here.recorder.store().flow_runs(RunFilter(), limit=1)[0].id)
            seen.append(tasks[-1].state_name)

    paying()

    assert seen == ["Completed", "Cached", "Skipped"]


def test_what_a_run_did_is_seen_by_others_when_the_call_of_its_flow_returns(here: Here) -> None:
    @task
    def step(n: int) -> int:
        return n

    @flow
    def steps() -> int:
        return sum(step(n) for n in range(50))

    steps()

    store = here.recorder.store()
    [run] = store.flow_runs(RunFilter(), limit=2)
    assert run.state_type is StateType.COMPLETED
    assert run.task_counts == {"COMPLETED": 50}
