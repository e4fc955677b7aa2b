"""`Idempotency-Key`: asked twice, carried out once, answered twice."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import Response

from nadi.exceptions import RequestRefused, RunTaken, StoreUnavailable
from nadi.model.access import Permission, Principal
from nadi.server.api import endpoints
from nadi.server.idempotency import KEPT, key_of, once, takes_key
from nadi.server.matching import Found
from nadi.server.routing import Call, Endpoint, Routes
from tests.server.serving import Served, wait_until

OF_A_TEST = Routes("test")
Answer = Callable[[], Response]


@OF_A_TEST.add("POST", "/api/things", Permission.OPERATE)
def act(call: Call) -> None:
    """Act."""


@OF_A_TEST.add("POST", "/api/secrets", Permission.OPERATE, secret=True)
def tell_secret(call: Call) -> None:
    """Tell a secret."""


@OF_A_TEST.add("GET", "/api/things", Permission.OPERATE)
def look(call: Call) -> None:
    """Look."""


ACT, SECRET, LOOK = OF_A_TEST.endpoints


class Actor:
    """Asks for one action, and counts how often it is carried out."""

    def __init__(self, server: Served) -> None:
        self.server, self.times = server, 0

    def ask(
        self,
        *,
        body: bytes = b"",
        endpoint: Endpoint = ACT,
        now: float = 1e9,
        does: Answer | None = None,
    ) -> Response:
        def carry_out() -> Response:
            self.times += 1
            if does is not None:
                return does()
            return Response(b'{"n":%d}' % self.times, 201, media_type="application/json")

        request = Request(
            {"type": "http", "method": "POST", "raw_path": endpoint.path.encode(), "query_string": b"", "headers": []}
        )
        principal = Principal(name="p", how="key", permissions=frozenset())  # type: ignore[arg-type]
        call = Call(self.server.context, principal, now, request)
        return once("k", Found(endpoint, {}), call, body, carry_out)


@pytest.fixture
def actor(any_server: Served) -> Actor:
    return Actor(any_server)


def test_the_second_time_the_first_answer_is_given_again_and_says_so(actor: Actor) -> None:
    first = actor.ask()
    second = actor.ask()

    assert (actor.times, second.status_code, second.body) == (1, first.status_code, first.body)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["content-type"] == "application/json"


def test_a_key_for_another_request_is_refused(actor: Actor) -> None:
    actor.ask(body=b"a")

    with pytest.raises(RequestRefused) as refused:
        actor.ask(body=b"b")

    assert (refused.value.status, actor.times) == (422, 1)


def test_a_key_whose_request_is_being_carried_out_is_refused_for_now(actor: Actor) -> None:
    began, may_end = threading.Event(), threading.Event()

    def slow() -> Response:
        began.set()
        may_end.wait(30)
        return Response(b"done")

    thread = threading.Thread(target=lambda: actor.ask(does=slow))
    thread.start()
    wait_until(began.is_set)
    with pytest.raises(RequestRefused) as refused:
        actor.ask()
    may_end.set()
    thread.join()
    after = actor.ask()

    assert refused.value.status == 409
    assert (after.body, actor.times) == (b"done", 1)


def test_a_refusal_is_an_answer_like_any_other(actor: Actor) -> None:
    def taken() -> Response:
        raise RunTaken("r", holder="h")

    first, second = actor.ask(does=taken), actor.ask()

    assert (first.status_code, second.status_code, actor.times) == (409, 409, 1)
    assert first.body == second.body


def test_what_should_be_tried_again_can_be(actor: Actor) -> None:
    def away() -> Response:
        raise StoreUnavailable("away")

    first, second = actor.ask(does=away), actor.ask()

    assert (first.status_code, second.status_code, actor.times) == (503, 201, 2)


def test_a_secret_is_told_once(actor: Actor) -> None:
    actor.ask(endpoint=SECRET)

    with pytest.raises(RequestRefused, match="bore a secret") as refused:
        actor.ask(endpoint=SECRET)

    assert (refused.value.status, actor.times) == (409, 1)


def test_after_a_day_a_key_is_free(actor: Actor) -> None:
    actor.ask(now=1e9)
    actor.ask(now=1e9 + KEPT - 1)
    actor.ask(now=1e9 + KEPT + 1)

    assert actor.times == 2


def key(endpoint: Endpoint, *told: str, name: str = "p") -> str | None:
    headers = [(b"idempotency-key", one.encode()) for one in told]
    principal = Principal(name=name, how="key", permissions=frozenset())  # type: ignore[arg-type]
    return key_of(Request({"type": "http", "headers": headers}), endpoint, principal)


def test_each_principal_has_keys_of_its_own() -> None:
    assert key(ACT, "k", name="a") != key(ACT, "k", name="b")


def test_only_actions_heed_a_key() -> None:
    assert key(LOOK, "k") is None
    assert key(ACT) is None


@pytest.mark.parametrize("told", [("",), ("k" * 201,), ("ü",), ("a", "b")])
def test_a_key_that_cannot_be_used_is_refused(told: tuple[str, ...]) -> None:
    with pytest.raises(RequestRefused, match="Idempotency-Key has to be"):
        key(ACT, *told)


def test_every_action_can_heed_a_key() -> None:
    deaf = [one.path for one in endpoints() if takes_key(one) and inspect.iscoroutinefunction(one.function)]

    assert deaf == []


def test_over_http_a_user_is_made_once(server: Served) -> None:
    body, headers = {"name": "ada", "role": "viewer"}, {"Idempotency-Key": "make-ada"}

    first = server.client.post("/api/users", body, headers=headers)
    again = server.client.post("/api/users", body, headers=headers)
    without = server.client.post("/api/users", body)

    assert (first.status, again.status, without.status) == (201, 409, 422)
    assert again.json()["error"] == "RequestRefused"
