"""OpenTelemetry spans around the functions of flows and tasks, where the setting `traces` asks for them.

A span lasts as long as the user's function and is current within it, so that what the function traces itself hangs
below it. Whoever set up OpenTelemetry in this process (its SDK, or `opentelemetry-instrument`) gets the spans. To
tasks in other processes the context goes along, in the form of the `traceparent` header.

OpenTelemetry is loaded here alone, and only when it is asked for: 30 ms.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from nadi.exceptions import SettingError
from nadi.model.secrets import mask
from nadi.model.specs import FlowSpec, Style
from nadi.model.tracebacks import summarise

#: The tracer while spans are wanted; `None` costs a task one look.
tracer: Any = None


def configure(wanted: bool) -> None:
    """Begin or stop making spans.

    Raises:
        SettingError: spans are wanted and OpenTelemetry is not installed.
    """
    global tracer
    if not wanted:
        tracer = None
        return
    try:
        from opentelemetry import trace
    except ImportError:
        raise SettingError(
            "The setting traces asks for OpenTelemetry spans, and OpenTelemetry is not installed."
            " Install it with `pip install 'nadi[otel]'`, or set NADI_TRACES=false."
        ) from None
    tracer = trace.get_tracer("nadi")


def traced(run: Any) -> Callable[..., Any]:
    """Return the function of a flow run or task run with a span around it.

    Args:
        run: The run, whose attempt begins; without a tracer its function comes back as it is.
    """
    fn, style = run.spec.fn, run.spec.style
    if tracer is None:
        return fn  # type: ignore[no-any-return]  # what users give is of any type
    return _around(fn, style, lambda: tracer.start_span(_title(run.spec), attributes=_attributes(run)))


def _title(spec: Any) -> str:
    return f"{'flow' if isinstance(spec, FlowSpec) else 'task'} {spec.name}"


def _attributes(run: Any) -> dict[str, Any]:
    kind = "flow_run" if isinstance(run.spec, FlowSpec) else "task_run"
    return {
        f"nadi.{kind}.id": run.id,
        f"nadi.{kind}.name": run.name,
        "nadi.attempt": run.attempt,
        "nadi.root_run.id": run.session.root,
        "nadi.tags": tuple(sorted(run.tags)),
    }


def _around(fn: Callable[..., Any], style: Style, start: Callable[[], Any]) -> Callable[..., Any]:
    # One function of the same style for each style, since a driver treats what it gets by that.
    def call(*args: Any, **kwargs: Any) -> Any:
        with _span(start()) as current, current():
            return fn(*args, **kwargs)

    async def call_async(*args: Any, **kwargs: Any) -> Any:
        with _span(start()) as current, current():
            return await fn(*args, **kwargs)

    def items(*args: Any, **kwargs: Any) -> Iterator[Any]:
        # Between two items the caller runs, for whom the span must not be the current one.
        with _span(start()) as current, contextlib.closing(fn(*args, **kwargs)) as generator:
            while True:
                with current():
                    item = next(generator, _END)
                if item is _END:
                    return
                yield item

    async def items_async(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        with _span(start()) as current:
            async with contextlib.aclosing(fn(*args, **kwargs)) as generator:
                while True:
                    with current():
                        item = await anext(generator, _END)
                    if item is _END:
                        return
                    yield item

    by_style = {Style.ASYNC: call_async, Style.GENERATOR: items, Style.ASYNC_GENERATOR: items_async}
    return by_style.get(style, call)


_END = object()


@contextlib.contextmanager
def _span(span: Any) -> Iterator[Callable[[], Any]]:
    """End a span with its body, failed when that raised; gives what makes the span the current one for a while."""
    from opentelemetry.trace import Status, StatusCode, use_span

    try:
        yield lambda: use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False)
    except GeneratorExit:
        raise
    except BaseException as error:
        span.set_attribute("exception.type", type(error).__name__)
        span.set_status(Status(StatusCode.ERROR, mask(summarise(error))))
        raise
    finally:
        span.end()


# -- to other processes --


def carried() -> dict[str, str]:
    """Return the context of the caller, for the way to another process; nothing when no spans are made."""
    if tracer is None:
        return {}
    from opentelemetry import propagate

    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def continued(fn: Callable[..., Any], carrier: Mapping[str, str], *, run: Any) -> Callable[..., Any]:
    """Return a task's function with a span around it that hangs below the one it was sent from.

    Args:
        fn: The function, in the process that it was sent to.
        carrier: What was `carried`; with nothing in it the function comes back as it is.
        run: What it is a run of: something with the attributes that `traced` reads.
    """
    if not carrier:
        return fn
    configure(True)
    from opentelemetry import propagate

    context = propagate.extract(carrier)
    return _around(
        fn,
        run.spec.style,
        lambda: tracer.start_span(_title(run.spec), context=context, attributes=_attributes(run)),
    )
