from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from nadi.exceptions import NadiError
from nadi.model import secrets
from nadi.model.secrets import Secret
from nadi.model.signals import FAIL
from nadi.model.tracebacks import format_exception, summarise

#: A function whose frame has a file name inside the package, as the engine's have.
OURS: dict[str, Any] = {}
exec(
    compile(
        "def engine(call):\n    return call()\ndef refuse(error):\n    raise error\n"
        "def blame(call, error):\n    try: call()\n    except Exception as cause: raise error from cause\n",
        os.path.join(os.path.dirname(secrets.__file__), "driver.py"),
        "exec",
    ),
    OURS,
)
engine: Callable[[Callable[[], Any]], Any] = OURS["engine"]


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def caught(call: Callable[[], Any]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def raised_by_us(error: BaseException) -> BaseException:
    """An exception whose traceback begins and ends in the engine, as where the engine catches its own."""
    caught(lambda: OURS["refuse"](error))
    assert error.__traceback__ is not None
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    return error.with_traceback(last)


def fit() -> None:
    raise ValueError("bad rows")


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_the_users_frames_are_shown_and_ours_are_not() -> None:
    text = format_exception(caught(lambda: engine(fit)))

    assert "in fit\n" in text
    assert 'raise ValueError("bad rows")' in text
    assert "driver.py" not in text


def test_the_pool_between_us_and_the_user_is_not_shown() -> None:
    def through_a_pool() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(fit).result()

    text = format_exception(caught(lambda: engine(lambda: engine(through_a_pool))))
    with ThreadPoolExecutor(1) as pool:
        ours = format_exception(caught(lambda: engine(pool.submit(fit).result)))

    assert "concurrent" in text  # the user's own pool is the user's
    assert "concurrent" not in ours
    assert "in fit\n" in ours


def test_a_traceback_of_nothing_but_our_frames_is_kept() -> None:
    text = format_exception(raised_by_us(ValueError("a fault in Nadi")))

    assert "driver.py" in text
    assert text.endswith("ValueError: a fault in Nadi\n")


def test_an_error_of_ours_without_user_frames_is_its_sentence() -> None:
    text = format_exception(raised_by_us(NadiError("Say it plainly.")))

    assert "File" not in text
    assert text.endswith("nadi.exceptions.NadiError: Say it plainly.\n")


def test_causes_contexts_notes_and_groups_are_kept_without_our_frames() -> None:
    def chained() -> None:
        try:
            try:
                engine(raising(KeyError("first")))
            finally:
                engine(raising(TypeError("second")))
        except TypeError as error:
            error.add_note("look here")
            raise ExceptionGroup("all of it", [error, OSError("third")]) from error

    text = format_exception(caught(lambda: engine(chained)))

    for told in (
        "KeyError: 'first'",
        "TypeError: second",
        "look here",
        "all of it (2 sub-exceptions)",
        "OSError: third",
    ):
        assert told in text
    assert "direct cause" in text
    assert "During handling" in text
    assert "driver.py" not in text


def test_an_exception_that_is_its_own_context_ends() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__context__, two.__context__ = two, one

    assert "ValueError: one" in format_exception(one)


def test_no_variable_and_no_secret_is_shown() -> None:
    secret = Secret("traceback-password")

    def connect() -> None:
        local = "a-local-value"
        raise ConnectionError(f"cannot reach db://me:{secret.get()}@host {len(local)}")

    error = caught(connect)

    assert "db://me:****@host" in format_exception(error)
    assert "db://me:****@host" in summarise(error)
    assert "self = " not in format_exception(error)


def test_a_long_traceback_is_cut_in_the_middle() -> None:
    text = format_exception(caught(raising(ValueError("first " + "ü" * 100_000 + " last"))))

    assert len(text.encode()) <= 32 * 1024
    assert text.startswith("Traceback")
    assert "bytes left out here" in text
    assert text.endswith(" last\n")


def test_deep_recursion_is_told_within_the_limit() -> None:
    def deeper(n: int) -> int:
        return deeper(n + 1) + 1

    text = format_exception(caught(lambda: deeper(0)))

    assert "RecursionError" in text
    assert "more times" in text


def test_an_exception_whose_str_raises_is_told_all_the_same() -> None:
    error = caught(raising(Unspeakable()))

    assert "Unspeakable" in format_exception(error)
    assert summarise(error).startswith("Unspeakable: (its message cannot be shown: __str__ raised RuntimeError) (test_")


def test_a_traceback_that_python_cannot_format_is_told_all_the_same() -> None:
    error = SyntaxError("bad", ("f.py", 1, 1, "x"))
    error.filename = Unspeakable()  # type: ignore[assignment]

    assert "SyntaxError" in format_exception(error)


def test_text_that_no_store_would_take_is_escaped() -> None:
    error = FileNotFoundError("caf\udce9.csv")

    assert "caf\\udce9.csv" in format_exception(error)
    assert "caf\\udce9.csv" in summarise(error)


def test_a_summary_is_one_line_with_the_users_place() -> None:
    line = fit.__code__.co_firstlineno + 1

    assert summarise(caught(lambda: engine(fit))) == f"ValueError: bad rows (test_tracebacks.py:{line} in fit)"


def test_a_summary_points_at_the_users_line_and_not_into_a_library() -> None:
    def read() -> None:
        traceback.StackSummary.from_list([1])  # type: ignore[list-item]

    assert "(test_tracebacks.py:" in summarise(caught(read))
    assert summarise(caught(read)).endswith("in read)")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError(), "ValueError"),
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (KeyError("k"), "KeyError: 'k'"),
    ],
)
def test_a_summary_of_an_exception_that_was_never_raised_has_no_place(error: Exception, told: str) -> None:
    assert summarise(error) == told


def test_a_long_summary_is_cut_but_keeps_its_place() -> None:
    text = summarise(caught(raising(ValueError("x" * 1000))))

    assert len(text) == 300
    assert text.endswith("in fail)")


def test_exceptions_of_other_threads_are_summarised_alike() -> None:
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.append(summarise(caught(lambda: engine(fit)))))
    thread.start()
    thread.join()

    assert told[0].endswith("in fit)")


@pytest.mark.parametrize("by_user", [False, True])
def test_a_cause_among_our_frames_alone_is_left_to_the_sentence_that_tells_it(by_user: bool) -> None:
    refuse = partial(OURS["refuse"], TypeError("no pickle"))

    error = caught(lambda: OURS["blame"]((lambda: refuse()) if by_user else refuse, NadiError("It cannot be sent.")))

    assert ("TypeError: no pickle" in format_exception(error)) is by_user


def test_a_class_of_a_script_is_called_as_it_was_written() -> None:
    bad = type("BadRow", (Exception,), {"__module__": "nadi_script_etl_1f0c9a2b"})

    assert format_exception(bad("row 3")) == "BadRow: row 3\n"


def test_a_task_that_failed_by_a_signal_shows_where_the_signal_was_raised_and_no_more() -> None:
    signal = FAIL("no such table")

    def check() -> None:
        raise signal

    caught(check)
    told = format_exception(signal.failure)

    assert "raise signal" in told
    assert told.count("no such table") == 1
