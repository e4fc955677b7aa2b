"""Retention at a server: rules and sizes by its API; it removes what is due by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

import msgspec

from nadi.exceptions import StoreUnavailable
from nadi.model.retention import RetentionRule
from nadi.model.states import StateType
from nadi.storage.contracts.retention import RetentionTable, Size
from nadi.storage.http.client import Client

T = TypeVar("T")

_JSON = "application/json"
_RULES = "/api/retention/rules"


class _Removed(msgspec.Struct):
    removed: bool


class HttpRetentionTable(RetentionTable):
    """See the contract; what removes runs is the server's own, and is refused here."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def rules(self) -> list[RetentionRule]:
        return self._ask("GET", _RULES, list[RetentionRule])

    def set_rule(self, rule: RetentionRule) -> None:
        self._ask("PUT", _RULES, RetentionRule, body=rule)

    def remove_rule(self, flow: str, state: StateType | None) -> bool:
        query = {"flow": flow} | ({"state": str(state)} if state else {})
        return self._ask("DELETE", _RULES, _Removed, query=query).removed

    def sizes(self) -> list[Size]:
        return self._ask("GET", "/api/retention/sizes", list[Size])

    def ended_runs(self, flow: str, state: StateType, *, before: float, limit: int) -> list[str]:
        self._refuse()

    def bury(self, runs: Sequence[str], *, now: float) -> list[str]:
        self._refuse()

    def sweep(self, *, rows: int) -> int:
        self._refuse()

    def forget_tombstones(self, *, before: float, limit: int) -> int:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StoreUnavailable(
            f"The Nadi server {self._client.url} removes by itself what is due, every ten minutes; it cannot be told to"
            " from here. Delete single runs by its API."
        )

    def _ask(
        self, method: str, path: str, kind: type[T], *, body: Any = None, query: dict[str, str] | None = None
    ) -> T:
        answer = self._client.request(
            method,
            path,
            body=None if body is None else msgspec.json.encode(body),
            content_type=_JSON,
            headers={"Accept": _JSON},
            query=query,
        )
        return msgspec.json.decode(answer.body, type=kind)
