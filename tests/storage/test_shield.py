from __future__ import annotations

import threading
from threading import get_ident

import pytest

from nadi.storage.shield import deferred, run_deferred, shielded


class Struck(BaseException):
    pass


def strike() -> None:
    raise Struck


@pytest.fixture(autouse=True)
def nothing_deferred() -> None:
    deferred.clear()


def test_what_was_put_off_strikes_the_main_thread_when_its_section_ends() -> None:
    deferred.append(strike)

    with pytest.raises(Struck):
        run_deferred()

    assert deferred == []


def test_what_was_put_off_in_the_main_thread_strikes_no_other_thread() -> None:
    deferred.append(strike)
    struck: list[BaseException] = []

    def work() -> None:
        try:
            run_deferred()
        except BaseException as error:
            struck.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert struck == []
    assert deferred == [strike]
    deferred.clear()


def test_nothing_strikes_within_an_outer_section() -> None:
    deferred.append(strike)
    shielded.add(get_ident())
    try:
        run_deferred()
    finally:
        shielded.discard(get_ident())

    assert deferred == [strike]
    deferred.clear()
