"""Methods, class methods and static methods as tasks and flows."""

from __future__ import annotations

import inspect
from typing import Any

from nadi import flow, task
from tests.conftest import Recorded


class Model:
    rate = 3

    def __init__(self, offset: int) -> None:
        self.offset = offset

    @task
    def fit(self, rows: int) -> int:
        return rows + self.offset

    @task
    @classmethod
    def scaled(cls, rows: int) -> int:
        return rows * cls.rate

    @classmethod
    @task
    def scaled_too(cls, rows: int) -> int:
        return rows * cls.rate + 1

    @task
    @staticmethod
    def plain(rows: int) -> int:
        return rows

    @staticmethod
    @task
    def plain_too(rows: int) -> int:
        return rows

    @task
    async def fetch(self, rows: int) -> int:
        return rows - self.offset

    @flow
    def train(self, rows: int) -> list[int]:
        return [self.fit(rows), self.fit.submit(rows).result(), *self.fit.map([rows, rows]).result()]

    @flow
    @classmethod
    def make(cls, rows: int) -> int:
        return cls.scaled.submit(rows).result()

    @flow
    @staticmethod
    def count(rows: int) -> int:
        return Model.plain(rows)


def test_a_method_is_a_task_or_flow_of_its_object(recorded: Recorded) -> None:
    assert Model(10).train(1) == [11, 11, 11, 11]
    assert {run.task for run in recorded.task_runs} == {"fit"}


def test_class_methods_and_static_methods_work_in_either_order_of_the_decorators(recorded: Recorded) -> None:
    @flow
    def run() -> list[Any]:
        kind: Any = Model  # mypy loses the signatures of class methods before any decorator sees them
        model: Any = Model(0)
        return [
            kind.scaled(2),
            model.scaled.submit(2).result(),
            kind.scaled_too(2),
            *model.plain.map([5]).result(),
            kind.plain_too(6),
            kind.make(4),
            model.count(7),
        ]

    assert run() == [6, 6, 7, 5, 6, 12, 7]


def test_async_methods_are_submitted_from_sync_code(recorded: Recorded) -> None:
    @flow
    def run() -> int:
        return Model(1).fetch.submit(5).result()

    assert run() == 4


def test_the_signature_of_a_method_is_without_self() -> None:
    assert list(inspect.signature(Model(1).fit).parameters) == ["rows"]


def test_two_objects_do_not_share_anything(recorded: Recorded) -> None:
    @flow
    def run() -> list[int]:
        return [Model(offset).fit.submit(1).result() for offset in (1, 2)]

    assert run() == [2, 3]


def test_hooks_added_to_a_method_hold_for_every_object(recorded: Recorded) -> None:
    seen: list[str] = []

    class Other:
        @task
        def work(self) -> int:
            return 1

        @work.on_completion
        def _done(self: Any, run: Any, state: Any) -> None:
            seen.append(state.name)

    @flow
    def run() -> int:
        return Other().work()

    run()

    assert seen == ["Completed"]
