"""Services: loops that no failure ends."""

from __future__ import annotations

import threading

from nadi.services.running import FIRST_PAUSE, Services
from nadi.services.running import LONGEST_PAUSE as LONGEST
from tests.server.serving import wait_until


class Counting:
    name = "counting"

    def __init__(self, wait: float) -> None:
        self.wait, self.times, self.clocks = wait, 0, list[float]()

    def step(self, now_monotonic: float) -> float:
        self.times += 1
        self.clocks.append(now_monotonic)
        return self.wait


class Failing:
    name = "failing"

    def step(self, now_monotonic: float) -> float:
        raise RuntimeError("no luck")


class Busy:
    name = "busy"

    def __init__(self) -> None:
        self.began, self.may_end = threading.Event(), threading.Event()

    def step(self, now_monotonic: float) -> float:
        self.began.set()
        self.may_end.wait(30)
        return 0.0


def test_a_service_steps_at_once_and_then_as_often_as_it_says() -> None:
    often, seldom = Counting(0.0), Counting(3600.0)
    services = Services([often, seldom])

    services.start()
    wait_until(lambda: often.times >= 20)
    ended = services.stop(30)

    assert ended
    assert seldom.times == 1
    assert often.clocks == sorted(often.clocks)


def test_a_service_that_fails_is_told_of_and_tried_again_and_the_others_go_on() -> None:
    failing, other = Failing(), Counting(0.0)
    services = Services([failing, other])

    services.start()
    wait_until(lambda: services.status()[0].failures >= 1 and other.times >= 20)
    services.stop(30)

    status = services.status()[0]
    assert (status.name, status.steps, status.last_failure) == ("failing", 0, "RuntimeError: no luck")


def test_the_pauses_after_failures_in_a_row_grow_up_to_a_bound() -> None:
    (loop,) = Services([Failing()])._loops

    pauses = [loop._step() for _ in range(10)]

    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST


def test_stopping_waits_for_a_step_and_not_for_ever() -> None:
    busy = Busy()
    services = Services([busy])
    services.start()
    wait_until(busy.began.is_set)

    too_soon = services.stop(0.01)
    busy.may_end.set()
    in_time = services.stop(30)

    assert (too_soon, in_time) == (False, True)


def test_services_that_were_never_started_can_be_stopped() -> None:
    assert Services([Counting(0.0)]).stop(0.0)
