"""Spans around flows and tasks, as an OpenTelemetry SDK gets them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from nadi import flow, task
from nadi.engine import tracing
from nadi.model.secrets import Secret
from tests.conftest import Recorded

_exporter = InMemorySpanExporter()
_provider = TracerProvider()
_provider.add_span_processor(SimpleSpanProcessor(_exporter))


@pytest.fixture
def spans(recorded: Recorded) -> Iterator[dict[str, ReadableSpan]]:
    """Finished spans by name; ask for them with `finished`."""
    tracing.configure(True)
    tracing.tracer = _provider.get_tracer("nadi")
    _exporter.clear()
    yield {}
    tracing.configure(False)


def finished() -> dict[str, ReadableSpan]:
    return {span.name: span for span in _exporter.get_finished_spans()}


def parent_of(span: ReadableSpan) -> str:
    ids = {one.context.span_id: one.name for one in _exporter.get_finished_spans() if one.context is not None}
    return ids.get(span.parent.span_id, "") if span.parent is not None else ""


@pytest.mark.usefixtures("spans")
def test_a_task_has_a_span_below_that_of_its_flow(recorded: Recorded) -> None:
    @task
    def add(x: int) -> int:
        return x + 1

    @flow(name="sums")
    def sums() -> int:
        return add(1) + add.submit(2).result()

    sums()

    made = _exporter.get_finished_spans()
    assert sorted(span.name for span in made) == ["flow sums", "task add", "task add"]
    assert [parent_of(span) for span in made if span.name == "task add"] == ["flow sums", "flow sums"]
    attributes = finished()["flow sums"].attributes
    assert attributes is not None
    assert attributes["nadi.flow_run.id"] == recorded.root.id


@pytest.mark.usefixtures("spans")
def test_what_a_task_traces_itself_hangs_below_it() -> None:
    @task
    def fetch() -> None:
        with _provider.get_tracer("user").start_as_current_span("request"):
            pass

    @flow
    def outer() -> None:
        fetch.submit().result()

    outer()

    assert parent_of(finished()["request"]) == "task fetch"


@pytest.mark.usefixtures("spans")
def test_each_attempt_has_its_span_and_one_that_failed_says_so_without_secrets() -> None:
    tries = []

    @task(retries=1)
    def flaky(password: Secret[str]) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError(f"refused {password.get()}")

    @flow
    def outer() -> None:
        flaky(Secret("tiger-in-the-tank"))

    outer()

    first, second = (span for span in _exporter.get_finished_spans() if span.name == "task flaky")
    assert first.status.status_code is StatusCode.ERROR
    assert "refused" in str(first.status.description)
    assert "tiger" not in str(first.status.description)
    assert second.status.status_code is StatusCode.UNSET
    assert [span.attributes["nadi.attempt"] for span in (first, second) if span.attributes] == [1, 2]


@pytest.mark.usefixtures("spans")
def test_async_tasks_and_generators_have_spans_too() -> None:
    @task
    async def wait() -> int:
        return 1

    @task
    def items() -> Iterator[int]:
        yield from range(3)

    @task
    async def items_async() -> AsyncIterator[int]:
        for item in range(3):
            yield item

    @flow
    async def outer() -> tuple[int, list[int], list[int]]:
        return await wait(), list(items()), [item async for item in items_async()]

    assert asyncio.run(outer()) == (1, [0, 1, 2], [0, 1, 2])

    names = sorted(span.name for span in _exporter.get_finished_spans())
    assert names == ["flow outer", "task items", "task items_async", "task wait"]


@pytest.mark.usefixtures("spans")
def test_between_two_items_the_span_of_a_generator_is_not_the_current_one() -> None:
    seen = []

    @task
    def items() -> Iterator[int]:
        yield from range(2)

    @flow
    def outer() -> None:
        for _ in items():
            current = trace.get_current_span()
            assert isinstance(current, ReadableSpan)
            seen.append(current.name)

    outer()

    assert seen == ["flow outer", "flow outer"]


def test_the_context_goes_along_to_tasks_in_other_processes(tmp_path: Path) -> None:
    script = tmp_path / "far.py"
    script.write_text(
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from nadi import flow, task\n"
        "trace.set_tracer_provider(TracerProvider())\n"
        "@task\n"
        "def far() -> tuple[int, int]:\n"
        "    span = trace.get_current_span()\n"
        "    return span.get_span_context().trace_id, span.parent.span_id\n"
        "@flow(executor='process')\n"
        "def outer() -> None:\n"
        "    here = trace.get_current_span().get_span_context()\n"
        "    assert far.submit().result() == (here.trace_id, here.span_id)\n"
        "    print('carried')\n"
        "if __name__ == '__main__':\n"
        "    outer()\n"
    )
    environ = {"PATH": "/usr/bin:/bin", "NADI_HOME": str(tmp_path / "home"), "NADI_TRACES": "true"}

    done = subprocess.run([sys.executable, str(script)], env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "carried" in done.stdout


def test_without_the_setting_a_function_comes_back_as_it_is() -> None:
    class Run:
        class spec:  # stands for an attribute
            style = "sync"
            fn = print

    assert tracing.traced(Run()) is print
