"""Values that are sent to a run while it runs: received in order, and again by a function that runs again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nadi import flow, suspend_flow_run
from nadi.exceptions import ContextError, DefinitionError, InputRefused, RunNotFound, StoreUnavailable, TimedOut
from nadi.flow_runs import FlowRun
from nadi.input import PlainInput, RunInput, keyset_of, receive_input, send_input
from nadi.model.pauses import Message
from nadi.model.runs import RunFilter
from nadi.runtime import flow_run
from nadi.storage.in_memory.inputs import MemoryInputTable
from tests.conftest import Recorded
from tests.engine.resuming import Here, a_home
from tests.engine.test_pausing import beside, until


class Order(RunInput):
    what: str
    count: int = 1


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with a_home(tmp_path / "home") as made:
        yield made


def running(recorded: Recorded) -> FlowRun:
    found: FlowRun = until(lambda: recorded.flow_runs)[0]
    return found


def test_a_run_receives_what_was_sent_to_it_in_order(recorded: Recorded) -> None:
    @flow
    def shop() -> list[Order]:
        orders = []
        for order in Order.receive():
            orders.append(order)
            if order.what == "that is all":
                return orders
        return []

    with beside(shop) as got:
        run = running(recorded)
        Order(what="tea", count=2).send_to(run.id)
        Order(what="that is all").send_to(run.name)

    assert got == [[Order(what="tea", count=2), Order(what="that is all")]]


def test_plain_values_are_received_by_their_type_and_prefix(recorded: Recorded) -> None:
    @flow
    def adds() -> list[Any]:
        first = next(receive_input(int))
        told = next(receive_input(str, with_metadata=True))
        return [first, told.value, next(receive_input(int, key_prefix="other"))]

    with beside(adds) as got:
        run = running(recorded)
        send_input("a word", run.id)
        send_input(9, run.id, key_prefix="other")
        send_input(1, run.id)

    assert got == [[1, "a word", 9]]


def test_a_flow_responds_to_the_flow_that_sent(recorded: Recorded) -> None:
    @flow
    def answers() -> None:
        order = next(Order.receive())
        order.respond(Order(what=f"{order.what}, served", count=order.count))

    @flow
    def asks(other: str) -> Order:
        Order(what="tea").send_to(other)
        found: Order = next(Order.receive())
        return found

    with beside(answers):
        other = running(recorded)
        answered = asks(other.id)

    assert answered == Order(what="tea, served")
    assert answered.__dict__["_sender"] == other.id


def test_an_async_flow_receives_with_async_for(recorded: Recorded) -> None:
    @flow
    async def shop() -> int:
        async for order in Order.receive():
            return int(order.count)
        return 0

    with beside(lambda: asyncio.run(shop())) as got:
        Order(what="tea", count=5).send_to(running(recorded).id)

    assert got == [5]


def test_the_loop_ends_when_nothing_comes_in_time(recorded: Recorded) -> None:
    @flow
    def shop() -> list[Order]:
        send_input(Order(what="own"), str(flow_run.id))
        return list(Order.receive(timeout=0))

    @flow
    def insists() -> None:
        next(Order.receive(timeout=0.01, raise_timeout_error=True))

    assert shop() == [Order(what="own")]
    with pytest.raises(TimedOut, match="Nothing of the set 'Order' was sent to flow run"):
        insists()


def test_a_function_that_runs_again_receives_the_same_again(here: Here) -> None:
    @flow
    def shop() -> list[str]:
        first = next(Order.receive()).what
        suspend_flow_run()
        return [first, *(order.what for order in Order.receive(timeout=0))]

    with beside(lambda: shop(return_state=True)):
        run = until(lambda: _runs(here))[0]
        Order(what="tea").send_to(run.id)
    Order(what="cake").send_to(here.run.id)

    assert here.resume(shop) == ["tea", "tea", "cake"]


def _runs(here: Here) -> list[FlowRun]:
    return here.store.flow_runs(RunFilter(), limit=1)


def test_what_does_not_fit_the_type_is_left_out(recorded: Recorded) -> None:
    @flow
    def adds() -> int:
        send_input("no number", str(flow_run.id), key_prefix="n")
        send_input(3, str(flow_run.id), key_prefix="n")
        found: int = next(receive_input(int, key_prefix="n"))
        return found

    assert adds() == 3


def test_nothing_can_be_sent_where_nobody_receives(recorded: Recorded) -> None:
    @flow
    def done() -> None:
        return None

    done()

    with pytest.raises(InputRefused, match="finished as Completed"):
        Order(what="tea").send_to(recorded.root.id)
    with pytest.raises(RunNotFound):
        Order(what="tea").send_to("nobody")
    with pytest.raises(ContextError, match="flow_run_id"):
        Order.receive()
    with pytest.raises(InputRefused, match="nobody to respond to"):
        PlainInput(1, "").respond(2)


def test_fields_go_by_name_so_that_one_without_a_default_may_follow() -> None:
    class Late(RunInput):
        early: int = 1
        late: str

    assert Late(late="x").early == 1
    assert keyset_of(Late) == "Late"
    assert keyset_of(list[int]) == keyset_of(list) == "list"


def test_whose_messages_to_receive_may_be_said_by_name_and_somebody_unknown_is_an_error(recorded: Recorded) -> None:
    @flow
    def shop() -> None:
        send_input(3, str(flow_run.id))

    shop()

    assert list(receive_input(int, timeout=0, flow_run_id=recorded.root.name)) == [3]
    with pytest.raises(RunNotFound):
        receive_input(int, flow_run_id="nobody")


def test_a_store_that_is_away_for_a_while_loses_no_message_and_never_passes_for_silence(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [3]

    def away_at_first(self: MemoryInputTable, *args: Any, **kwargs: Any) -> list[Message]:
        left[0] -= 1
        if left[0] >= 0:
            raise StoreUnavailable("The disk is asleep.")
        return messages(self, *args, **kwargs)

    messages = MemoryInputTable.messages
    monkeypatch.setattr(MemoryInputTable, "messages", away_at_first)

    @flow
    def shop() -> int:
        send_input(3, str(flow_run.id))
        with pytest.raises(StoreUnavailable):
            next(receive_input(int, timeout=0))
        found: int = next(receive_input(int, poll_interval=0.01))
        return found

    assert shop() == 3


@pytest.mark.parametrize("given", [{"timeout": -1}, {"timeout": "5"}, {"poll_interval": 0}, {"poll_interval": None}])
def test_a_time_that_nobody_could_wait_is_refused(recorded: Recorded, given: dict[str, Any]) -> None:
    @flow
    def shop() -> None:
        receive_input(int, **given)

    with pytest.raises(DefinitionError, match="is a number of seconds"):
        shop()
