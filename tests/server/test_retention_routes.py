"""Retention by the API, and from the command line of another machine."""

from __future__ import annotations

import pytest

from nadi.exceptions import StoreUnavailable, ValueRefused
from nadi.model.retention import RetentionRule
from nadi.model.states import StateType
from nadi.storage.contract import Store
from nadi.storage.http.store import HttpStore, connect
from tests.server.serving import Served
from tests.storage.test_retention_contract import tell_finished


@pytest.fixture
def far(server: Served) -> HttpStore:
    return connect(server.url, server.context.install_token)


def test_rules_set_from_far_are_those_of_the_server(far: HttpStore, store: Store) -> None:
    far.retention.set_rule(RetentionRule(flow="a & b/ü", state=StateType.FAILED, age=60.0))
    far.retention.set_rule(RetentionRule())

    removed = far.retention.remove_rule("a & b/ü", StateType.FAILED)

    assert removed
    assert not far.retention.remove_rule("nobody", None)
    assert far.retention.rules() == store.retention.rules() == [RetentionRule()]
    far.close()


@pytest.mark.parametrize("rule", [RetentionRule(state=StateType.RUNNING, age=1.0), RetentionRule(age=-1.0)])
def test_a_rule_that_makes_no_sense_is_one_sentence(far: HttpStore, rule: RetentionRule) -> None:
    with pytest.raises(ValueRefused, match="expected"):
        far.retention.set_rule(rule)
    far.close()


def test_sizes_are_told_from_far_and_removing_is_left_to_the_server(far: HttpStore, store: Store) -> None:
    run = tell_finished(store)

    assert far.retention.sizes() == store.retention.sizes()
    with pytest.raises(StoreUnavailable, match="removes by itself what is due"):
        far.retention.bury([run], now=0.0)
    far.close()
