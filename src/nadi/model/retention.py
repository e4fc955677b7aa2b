"""Which finished runs are kept for how long."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nadi.model.states import FINAL, StateType


class RetentionRule(msgspec.Struct, frozen=True, kw_only=True):
    """How long finished root runs of a flow, in a state, are kept."""

    #: "" for every flow.
    flow: str = ""
    #: `None` for every final state.
    state: StateType | None = None
    #: Seconds after their end; `None` for ever.
    age: float | None = None


#: Final states in the order in which they are told.
FINAL_STATES = tuple(sorted(FINAL))


def rule_for(rules: Sequence[RetentionRule], flow: str, state: StateType) -> RetentionRule | None:
    """Return the rule that holds for finished runs of a flow in a state: the most particular one that fits.

    One that names the flow comes before one that names only the state, and both before the rule for all.
    """
    fitting = [rule for rule in rules if rule.flow in ("", flow) and rule.state in (None, state)]
    return max(fitting, key=lambda rule: (rule.flow != "", rule.state is not None), default=None)
