from __future__ import annotations

import gc
import threading
import weakref

from nadi.engine.timers import Timers


def test_things_to_do_later_are_done_in_the_order_they_are_due() -> None:
    timers, done, over = Timers(), list[str](), threading.Event()

    def second() -> None:
        done.append("second")
        over.set()

    timers.call_later(1.0, second)  # a second later, so that a slow machine does not change the order
    timers.call_later(0.01, lambda: done.append("first"))
    timers.call_later(0.5, lambda: done.append("cancelled")).cancel()

    assert over.wait(30)
    assert done == ["first", "second"]


def test_what_fails_later_does_not_keep_the_next_from_being_done() -> None:
    timers, over = Timers(), threading.Event()

    timers.call_later(0.0, lambda: 1 / 0)  # type: ignore[arg-type]
    timers.call_later(0.01, over.set)

    assert over.wait(30)


def test_cancelled_timers_do_not_pile_up_until_they_would_have_been_due() -> None:
    timers = Timers()

    for _ in range(20 * Timers.ROOM):
        timers.call_later(3600.0, lambda: None).cancel()

    assert len(timers._heap) <= Timers.ROOM


def test_what_was_done_is_not_kept_until_the_next_is_due() -> None:
    class Kept:
        def do(self) -> None:
            over.set()

    timers, over, kept = Timers(), threading.Event(), Kept()
    gone = threading.Event()
    watched = weakref.ref(kept, lambda _: gone.set())
    timers.call_later(0.0, kept.do)
    over.wait(30)

    del kept

    assert gone.wait(30)
    gc.collect()
    assert watched() is None
