"""Retention: rules, and how large the store is."""

from __future__ import annotations

import msgspec

from nadi.engine.shapes import RetentionRuleShape, retention_rule_shape
from nadi.exceptions import ValueRefused
from nadi.model.access import Permission
from nadi.model.retention import FINAL_STATES, RetentionRule
from nadi.model.states import StateType
from nadi.server.auditing import tell
from nadi.server.routing import Call, Routes
from nadi.storage.contracts.retention import Size

routes = Routes("retention")


class RuleKey(msgspec.Struct, frozen=True, kw_only=True):
    """Which rule."""

    #: "" for the rule for every flow.
    flow: str = ""
    #: Left out for every final state.
    state: StateType | None = None


class NewRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long finished runs are kept."""

    #: "" for every flow.
    flow: str = ""
    #: `null` for every final state.
    state: StateType | None = None
    #: Seconds after their end; `null` for ever.
    age: float | None


class Forgotten(msgspec.Struct, frozen=True):
    """Whether there was such a rule."""

    removed: bool


@routes.add("GET", "/api/retention/rules", Permission.READ)
def list_rules(call: Call) -> list[RetentionRuleShape]:
    """List how long finished runs are kept.

    Of several rules that fit a run, one that names its flow comes first, then one that names its state.
    """
    return [retention_rule_shape(rule) for rule in call.context.store.retention.rules()]


@routes.add("PUT", "/api/retention/rules", Permission.ADMIN, errors=(ValueRefused,), audit="set_retention")
def set_rule(call: Call, body: NewRule) -> RetentionRuleShape:
    """Keep a rule, in place of the one for the same flow and state."""
    _check_state(body.state)
    if body.age is not None and not body.age >= 0:
        raise ValueRefused(f"Runs cannot be kept for {body.age} seconds; expected 0 or more, or null for ever.")
    rule = RetentionRule(flow=body.flow, state=body.state, age=body.age)
    tell(call.request, subject=body.flow, state=body.state, age=body.age)
    call.context.store.retention.set_rule(rule)
    return retention_rule_shape(rule)


@routes.add("DELETE", "/api/retention/rules", Permission.ADMIN, errors=(ValueRefused,), audit="remove_retention")
def remove_rule(call: Call, query: RuleKey) -> Forgotten:
    """Remove the rule for a flow and state."""
    _check_state(query.state)
    tell(call.request, subject=query.flow, state=query.state)
    return Forgotten(call.context.store.retention.remove_rule(query.flow, query.state))


@routes.add("GET", "/api/retention/sizes", Permission.ADMIN)
def sizes(call: Call) -> list[Size]:
    """Count the records of each kind, and tell what they take on disk. Counts all, which may take a while."""
    return call.context.store.retention.sizes()


def _check_state(state: StateType | None) -> None:
    if state is not None and state not in FINAL_STATES:
        known = ", ".join(FINAL_STATES)
        raise ValueRefused(f"Only finished runs are removed, so a rule cannot be for {state}; expected one of {known}.")
