from __future__ import annotations

import ctypes
import gc
import math
import threading
import weakref

from nadi.engine.timers import Timers
from nadi.storage.shield import shielded

set_async_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc


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


def test_whoever_is_interrupted_while_setting_a_timer_leaves_the_timers_to_others() -> None:
    class Struck(BaseException):
        """What a time limit or a cancel raises in a thread."""

    timers, caught, over = Timers(), list[Struck](), threading.Event()

    def sets_timers() -> None:
        while not over.is_set():
            try:
                while True:
                    timers.call_later(3600.0, lambda: None).cancel()
            except Struck as struck:
                caught.append(struck)

    thread = threading.Thread(target=sets_timers, daemon=True)
    gc.disable()  # or a blow may fall into what others do at each collection
    try:
        thread.start()
        for _ in range(300):
            if thread.ident not in shielded:
                set_async_exception(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Struck))
            thread.join(0.0005)
    finally:
        gc.enable()
    asking = threading.Thread(target=timers.call_later, args=(0.0, over.set), daemon=True)
    asking.start()

    assert over.wait(10)


def test_a_timer_that_is_never_due_ends_nothing() -> None:
    timers = Timers()

    timers.call_later(math.inf, lambda: None)
    assert timers._thread is not None
    timers._thread.join(0.1)

    assert timers._thread.is_alive()
