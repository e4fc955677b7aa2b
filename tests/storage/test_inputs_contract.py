"""What every store promises of pauses, their answers, and messages to runs."""

from __future__ import annotations

from typing import Any

import pytest

from nadi.exceptions import RunTaken
from nadi.model.pauses import Message, Verdict
from nadi.model.records import InputAsked
from nadi.model.runs import Request, RunFilter
from nadi.model.states import StateType
from nadi.storage.contract import Refusal, Store
from tests.storage.telling import T0, Writer, an_id, flow_begun, flow_moved

ROOT, OTHER = an_id(1), an_id(2)


def asked(root: str = ROOT, **given: Any) -> InputAsked:
    fields: dict[str, Any] = {"token": 1, "at": T0 + 10, "id": root, "key": "1"} | given
    return InputAsked(root=root, **fields)


def suspended(root: str = ROOT, **given: Any) -> Any:
    return flow_moved(root, StateType.PAUSED, state_name="Suspended", released=True, **given)


def sent(value: bytes, **given: Any) -> Message:
    fields: dict[str, Any] = {"root": ROOT, "run": ROOT, "keyset": "order", "sender": "", "at": T0} | given
    return Message(seq=0, value=value, **fields)


@pytest.fixture
def writer(store: Store) -> Writer:
    made = Writer(store)
    made.tell(flow_begun(ROOT), flow_begun(OTHER))
    return made


def test_what_a_run_asks_is_there_with_all_it_said(store: Store, writer: Writer) -> None:
    record = asked(schema=b"{}", description="Ship it?", initial=b'{"n": 1}', deadline=T0 + 60)

    applied = writer.tell(record)

    pause = store.inputs.pause(ROOT, "1")
    assert applied.refused == ()
    assert pause is not None
    assert (pause.run, pause.root, pause.key, pause.at, pause.deadline) == (ROOT, ROOT, "1", T0 + 10, T0 + 60)
    assert (pause.schema, pause.description, pause.initial) == (b"{}", "Ship it?", b'{"n": 1}')
    assert (pause.answer, pause.by, pause.answered, pause.refused) == (None, "", 0.0, "")
    assert store.inputs.pauses(ROOT) == [pause]


def test_a_question_of_a_flow_run_that_is_not_there_is_refused_as_invalid(store: Store, writer: Writer) -> None:
    applied = writer.tell(asked(id=an_id(9)))

    assert [refused.why for refused in applied.refused] == [Refusal.INVALID]
    assert store.inputs.pauses(ROOT) == []


def test_a_question_under_an_old_claim_is_refused_as_fenced(store: Store, writer: Writer) -> None:
    writer.tell(suspended())
    store.claim(ROOT, holder="process-b", now=T0 + 70)

    applied = writer.tell(asked())

    assert [refused.why for refused in applied.refused] == [Refusal.FENCED]
    assert store.inputs.pause(ROOT, "1") is None


def test_of_two_answers_the_first_one_counts(store: Store, writer: Writer) -> None:
    writer.tell(asked())

    first = store.inputs.answer(ROOT, "1", b"1", by="ada", now=T0 + 20)
    second = store.inputs.answer(ROOT, "1", b"2", by="bob", now=T0 + 21)

    pause = store.inputs.pause(ROOT, "1")
    assert (first, second) == (Verdict.TAKEN, Verdict.ANSWERED)
    assert pause is not None
    assert (pause.answer, pause.by, pause.answered) == (b"1", "ada", T0 + 20)


def test_an_answer_to_nothing_changes_nothing(store: Store, writer: Writer) -> None:
    writer.tell(asked())

    other_key = store.inputs.answer(ROOT, "2", b"1", by="ada", now=T0 + 20)
    other_run = store.inputs.answer(OTHER, "1", b"1", by="ada", now=T0 + 20)

    assert (other_key, other_run) == (Verdict.UNASKED, Verdict.UNASKED)
    assert [pause.is_open for pause in store.inputs.pauses(ROOT)] == [True]


def test_an_answer_after_the_deadline_comes_too_late(store: Store, writer: Writer) -> None:
    writer.tell(asked(deadline=T0 + 60), asked(key="2"))

    late = store.inputs.answer(ROOT, "1", b"1", by="ada", now=T0 + 60)
    never_late = store.inputs.answer(ROOT, "2", b"1", by="ada", now=T0 + 1e9)

    assert (late, never_late) == (Verdict.OVERDUE, Verdict.TAKEN)


def test_asked_again_the_newest_question_counts_unless_it_was_answered(store: Store, writer: Writer) -> None:
    writer.tell(asked(description="old"), asked(key="2", description="old"))
    store.inputs.answer(ROOT, "2", b"1", by="ada", now=T0 + 20)

    writer.tell(asked(description="new", at=T0 + 30), asked(key="2", description="new"))

    open_one, answered = store.inputs.pause(ROOT, "1"), store.inputs.pause(ROOT, "2")
    assert open_one is not None
    assert answered is not None
    assert (open_one.description, open_one.at) == ("new", T0 + 30)
    assert (answered.description, answered.answer) == ("old", b"1")


def test_an_answer_that_is_refused_leaves_the_pause_open_with_the_reason(store: Store, writer: Writer) -> None:
    writer.tell(asked())
    store.inputs.answer(ROOT, "1", b"1", by="ada", now=T0 + 20)

    refused = store.inputs.refuse(ROOT, "1", "too small")
    again = store.inputs.refuse(ROOT, "1", "too small")

    pause = store.inputs.pause(ROOT, "1")
    assert (refused, again) == (True, False)
    assert pause is not None
    assert (pause.is_open, pause.refused, pause.by) == (True, "too small", "")
    assert store.inputs.answer(ROOT, "1", b"9", by="ada", now=T0 + 30) is Verdict.TAKEN


def test_only_suspended_runs_are_overdue_without_anybody_who_sees_to_it(store: Store, writer: Writer) -> None:
    writer.tell(asked(deadline=T0 + 20), suspended())
    writer.tell(asked(OTHER, deadline=T0 + 20), flow_moved(OTHER, StateType.PAUSED))

    before = store.inputs.overdue(now=T0 + 19)
    after = store.inputs.overdue(now=T0 + 20)

    assert before == []
    assert [pause.run for pause in after] == [ROOT]


def test_open_pauses_of_several_runs_are_told_together_in_the_order_they_were_asked(
    store: Store, writer: Writer
) -> None:
    third, below = an_id(3), an_id(4)
    writer.tell(flow_begun(third), flow_begun(third, id=below, parent=third))
    writer.tell(asked(OTHER, at=T0 + 9), asked(key="answered"), asked(key="given up", over=True))
    writer.tell(asked(key="open", at=T0 + 11), asked(third, id=below, at=T0 + 10))
    store.inputs.answer(ROOT, "answered", b"1", by="ada", now=T0 + 12)

    found = store.inputs.open_pauses([ROOT, third, an_id(9)])

    assert [(pause.run, pause.key) for pause in found] == [(below, "1"), (ROOT, "open")]
    assert found == [one for one in (*store.inputs.pauses(third), *store.inputs.pauses(ROOT)) if one.is_open]
    assert store.inputs.open_pauses([]) == []


def test_a_pause_that_the_run_gave_up_is_open_no_more_until_it_is_asked_again(store: Store, writer: Writer) -> None:
    writer.tell(asked(deadline=T0 + 20), asked(deadline=T0 + 20, over=True), suspended())

    verdict = store.inputs.answer(ROOT, "1", b"1", by="ada", now=T0 + 19)
    given_up = [pause.is_open for pause in store.inputs.pauses(ROOT)]
    late = store.inputs.overdue(now=T0 + 90)
    store.claim(ROOT, holder="process-b", now=T0 + 91)
    writer.tell(flow_begun(ROOT, token=2, at=T0 + 92), asked(token=2, at=T0 + 93))

    assert (verdict, given_up, late) == (Verdict.OVERDUE, [False], [])
    assert [pause.is_open for pause in store.inputs.pauses(ROOT)] == [True]


def test_what_was_asked_before_the_run_last_began_is_not_what_it_waits_for(store: Store, writer: Writer) -> None:
    writer.tell(asked(deadline=T0 + 20), flow_moved(ROOT, StateType.CRASHED))
    store.claim(ROOT, holder="process-b", now=T0 + 70)
    writer.tell(flow_begun(ROOT, token=2, attempt=2, at=T0 + 71), suspended(token=2, attempt=2, at=T0 + 72))

    assert store.inputs.overdue(now=T0 + 90) == []


def test_an_answered_pause_is_never_overdue(store: Store, writer: Writer) -> None:
    writer.tell(asked(deadline=T0 + 20), suspended())
    store.inputs.answer(ROOT, "1", b"1", by="ada", now=T0 + 15)

    assert store.inputs.overdue(now=T0 + 30) == []


def test_a_suspended_run_is_held_by_nobody_and_its_requests_have_ended(store: Store, writer: Writer) -> None:
    store.ask(Request(run=ROOT, kind="suspend", at=T0, by="ada"))

    writer.tell(suspended())

    run = store.flow_run(ROOT)
    assert run is not None
    assert (run.state_type, run.state_name, run.holder) == (StateType.PAUSED, "Suspended", "")
    assert store.requests([ROOT]) == []


def test_a_suspended_run_is_free_and_its_claim_goes_on_with_the_same_attempt(store: Store, writer: Writer) -> None:
    writer.tell(suspended())

    claim = store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=1)

    assert (claim.attempt, claim.token, claim.was) == (1, 2, StateType.PAUSED)
    assert [(one.attempt, one.state_type) for one in store.attempts(ROOT)] == [(1, StateType.PENDING)]


def test_a_list_of_held_runs_leaves_out_the_suspended_ones(store: Store, writer: Writer) -> None:
    writer.tell(suspended())

    assert [run.id for run in store.flow_runs(RunFilter(held=True), limit=10)] == [OTHER]
    assert len(store.flow_runs(RunFilter(), limit=10)) == 2


def test_of_two_that_claim_a_suspended_run_one_wins(store: Store, writer: Writer) -> None:
    writer.tell(suspended())
    store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=1)

    with pytest.raises(RunTaken):
        store.claim(ROOT, holder="process-c", now=T0 + 70, expected_token=1)


def test_a_paused_run_that_somebody_holds_is_not_free(store: Store, writer: Writer) -> None:
    writer.tell(flow_moved(ROOT, StateType.PAUSED))

    with pytest.raises(RunTaken):
        store.claim(ROOT, holder="process-b", now=T0 + 70)


def test_messages_come_in_order_of_arrival_each_set_for_itself(store: Store, writer: Writer) -> None:
    first = store.inputs.send(sent(b"1"))
    store.inputs.send(sent(b"2", keyset="other"))
    store.inputs.send(sent(b"3", run=OTHER, root=OTHER))
    store.inputs.send(sent(b"4", sender="bob"))

    messages = store.inputs.messages(ROOT, "order")

    assert [(one.value, one.sender) for one in messages] == [(b"1", ""), (b"4", "bob")]
    assert [one.value for one in store.inputs.messages(ROOT, "order", after=first)] == [b"4"]
    assert [one.value for one in store.inputs.messages(ROOT, "order", limit=1)] == [b"1"]


def test_every_change_is_seen_as_one(store: Store, writer: Writer) -> None:
    writer.tell(asked())
    seen = [store.last_change()]

    store.inputs.answer(ROOT, "1", b"1", by="ada", now=T0 + 20)
    seen.append(store.last_change())
    store.inputs.refuse(ROOT, "1", "no")
    seen.append(store.last_change())
    store.inputs.send(sent(b"1"))
    seen.append(store.last_change())

    assert seen == sorted(set(seen))


def test_what_is_asked_of_and_sent_to_a_run_goes_with_it(store: Store, writer: Writer) -> None:
    writer.tell(asked(), asked(OTHER), flow_moved(ROOT, StateType.COMPLETED))
    store.inputs.send(sent(b"1"))

    store.delete_run(ROOT, now=T0 + 90)

    assert store.inputs.pauses(ROOT) == []
    assert store.inputs.messages(ROOT, "order") == []
    assert len(store.inputs.pauses(OTHER)) == 1
