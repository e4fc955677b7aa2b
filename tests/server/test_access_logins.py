"""Logging in by link and by password, and how long that lasts."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import pytest

from nadi.engine.logins import TRIES
from nadi.engine.passwords import wants_rehash
from nadi.model.access import Role
from nadi.server.api import login
from nadi.server.authentication import IDLE_TERM
from nadi.storage.memory import MemoryStore
from tests.server.conftest import Serve
from tests.server.people import KEPT, PASSWORD, Browser, add_key, add_user, browser, cookie_of
from tests.server.serving import Answer, Served


def link(server: Served) -> str:
    return str(server.client.post("/api/login-links").json()["path"])


def log_in(server: Served, name: str = "ada", password: str = PASSWORD, **headers: str) -> Answer:
    return server.anonymous.post("/api/login", {"name": name, "password": password}, headers=headers)


def logged_in(server: Served, answer: Answer) -> Browser:
    return Browser(server.anonymous, cookie_of(answer)[1], server)


# -- links --


def test_a_login_link_opens_one_session_and_is_gone_from_the_address(any_server: Served) -> None:
    path = link(any_server)

    first = any_server.anonymous.get(path)
    second = any_server.anonymous.get(path)

    assert (first.status, first.headers["location"]) == (303, "/")
    assert logged_in(any_server, first).request("GET", "/api/me").json()["name"] == "owner"
    assert second.status == 401
    assert "used already" in second.json()["detail"]
    assert "set-cookie" not in second.headers


def test_a_browser_is_shown_the_login_page_for_a_link_that_is_over(server: Served) -> None:
    answer = server.anonymous.get("/login?code=used", headers={"Accept": "text/html,*/*;q=0.8"})
    page = server.anonymous.get("/login")

    assert (answer.status, page.status) == (401, 200)
    assert answer.body == page.body
    assert answer.headers["content-type"].startswith("text/html")


def test_the_login_page_may_be_told_where_to_lead_after_that(server: Served) -> None:
    page = server.anonymous.get("/login")

    answer = server.anonymous.get("/login?next=%2Fruns%3Fstate%3DFAILED")

    assert (answer.status, answer.body) == (200, page.body)
    assert "location" not in answer.headers


def test_who_only_looks_at_a_login_link_does_not_use_it_up(server: Served) -> None:
    path = link(server)

    looked = server.anonymous.request("HEAD", path)

    assert "set-cookie" not in looked.headers
    assert server.anonymous.get(path).status == 303


def test_a_login_link_is_made_with_the_install_token_alone(server: Served) -> None:
    add_user(server, "root", Role.ADMIN)

    by_admin = browser(server, "root").request("POST", "/api/login-links")
    by_owner_in_a_browser = browser(server, "").request("POST", "/api/login-links")

    assert (by_admin.status, by_owner_in_a_browser.status) == (403, 403)
    assert server.anonymous.post("/api/login-links").status == 401


def test_a_link_leads_below_the_base_path(serve: Serve) -> None:
    server = serve(MemoryStore(), base_path="/nadi")

    path = server.client.post("/nadi/api/login-links").json()["path"]
    answer = server.anonymous.get(path)

    assert path.startswith("/nadi/login?code=")
    assert answer.headers["location"] == "/nadi/"
    assert "path=/nadi" in cookie_of(answer)[2]


# -- cookies --


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(server: Served) -> None:
    name, value, attributes = cookie_of(server.anonymous.get(link(server)))

    assert name == f"nadi-{server.port}"
    assert len(value) == 52
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert "secure" not in attributes
    assert not any(one.startswith("domain") for one in attributes)


@pytest.mark.parametrize(("base_path", "name"), [("", "__Host-nadi"), ("/nadi", "__Secure-nadi")])
def test_behind_a_proxy_with_tls_the_cookie_is_for_tls_and_this_host_only(
    serve: Serve, base_path: str, name: str
) -> None:
    server = serve(MemoryStore(), behind_proxy=True, base_path=base_path)
    path = server.client.post(f"{base_path}/api/login-links").json()["path"]

    answer = server.anonymous.get(path, headers={"X-Forwarded-Proto": "https"})
    told, value, attributes = cookie_of(answer)

    assert told == name
    assert {"secure", "httponly", "samesite=strict", f"path={base_path or '/'}"} <= attributes
    over_tls = {"Cookie": f"{told}={value}", "X-Forwarded-Proto": "https"}
    assert server.anonymous.get(f"{base_path}/api/me", headers=over_tls).status == 200
    assert server.anonymous.get(f"{base_path}/api/me", headers={"Cookie": f"{told}={value}"}).status == 401


def test_a_cookie_changes_nothing_without_a_word_of_the_browser_where_the_page_is_from(server: Served) -> None:
    page = browser(server, "")
    cookie = {"Cookie": f"nadi-{server.port}={page.cookie}"}

    reads = server.anonymous.get("/api/users", headers=cookie)
    alone = server.anonymous.post("/api/logout", headers=cookie)
    sandboxed = server.anonymous.post("/api/logout", headers={**cookie, "Origin": "null"})
    other_port = server.anonymous.post("/api/logout", headers={**cookie, "Sec-Fetch-Site": "same-site"})
    own = server.anonymous.post("/api/logout", headers={**cookie, "Origin": f"http://127.0.0.1:{server.port}"})

    assert reads.status == 200
    assert (alone.status, sandboxed.status, other_port.status) == (403, 403, 403)
    assert own.status == 204


def test_a_key_that_is_not_valid_is_not_made_good_by_a_cookie(server: Served) -> None:
    page = browser(server, "")

    answer = page.request("GET", "/api/me", headers={"Authorization": "Bearer nothing"})

    assert answer.status == 401


# -- passwords --


def test_name_and_password_open_a_session_with_the_rights_of_the_user(any_server: Served) -> None:
    add_user(any_server, role=Role.VIEWER)

    answer = log_in(any_server)
    me = logged_in(any_server, answer).request("GET", "/api/me").json()

    assert answer.status == 204
    assert me == {"name": "ada", "how": "session", "permissions": ["read"]}


def test_a_login_makes_a_dearer_hash_of_a_cheap_one_and_the_password_stays(server: Served) -> None:
    add_user(server)

    first = log_in(server)
    user = server.context.store.access.user("ada")

    assert user is not None
    assert wants_rehash(KEPT)
    assert not wants_rehash(user.password)
    assert logged_in(server, first).is_in()
    assert log_in(server).status == 204


def test_unknown_wrong_and_disabled_are_told_by_the_same_answer(server: Served) -> None:
    add_user(server)
    add_user(server, "bob", disabled=True)
    server.client.post("/api/users", {"name": "ci", "role": "operator"})

    answers = [
        log_in(server, "ada", "not the password"),
        log_in(server, "nobody"),
        log_in(server, "bob"),
        log_in(server, "ci", ""),
    ]

    assert [answer.status for answer in answers] == [401] * 4
    assert len({answer.body for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_an_unknown_name_is_not_answered_sooner_than_a_wrong_password(server: Served) -> None:
    server.client.post("/api/users", {"name": "ada", "role": "viewer", "password": PASSWORD})

    def lasts(name: str) -> float:
        begin = time.perf_counter()
        assert log_in(server, name, "not the password").status == 401
        return time.perf_counter() - begin

    known, unknown = min(lasts("ada") for _ in range(2)), min(lasts("nobody") for _ in range(2))

    # One hash takes a third of a second; without one it would be a hundredth of that.
    assert unknown > known / 4


def test_too_many_failed_logins_have_to_wait_whatever_the_name(server: Served) -> None:
    add_user(server)

    for _ in range(TRIES - 2):
        server.context.tries.take(["address 127.0.0.1"], time.monotonic())
    tried = [log_in(server, f"name {number}", "not the password").status for number in range(2)]
    refused = log_in(server)

    assert tried == [401] * 2
    assert refused.status == 429
    assert refused.json()["error"] == "TooManyTries"
    assert 0 < int(refused.headers["retry-after"]) <= 60


def test_more_logins_at_once_than_are_looked_at_are_sent_away_and_use_up_no_tries(server: Served) -> None:
    add_user(server)

    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(login._AT_ONCE)
        told = log_in(server)

    assert (told.status, told.headers["retry-after"]) == (429, "1")
    assert len(server.context.tries) == 0
    assert log_in(server).status == 204


def test_logins_that_succeed_use_up_no_tries(server: Served) -> None:
    add_user(server)
    for _ in range(TRIES - 1):
        server.context.tries.take(["address 127.0.0.1"], time.monotonic())

    assert [log_in(server).status for _ in range(2)] == [204] * 2


@pytest.mark.parametrize(
    "body", [{}, {"name": "ada"}, {"name": "ada", "password": 7}, {"name": "ada", "password": "x" * 5000}, [], "ada"]
)
def test_a_login_of_another_form_is_refused_before_any_password_is_looked_at(server: Served, body: Any) -> None:
    assert server.anonymous.post("/api/login", body).status == 422
    assert len(server.context.tries) == 0


# -- the end of sessions --


def test_logging_out_ends_the_session_for_good(server: Served) -> None:
    add_user(server)
    page, other = browser(server), browser(server)

    answer = page.request("POST", "/api/logout")

    assert answer.status == 204
    assert "max-age=0" in cookie_of(answer)[2]
    assert (page.is_in(), other.is_in()) == (False, True)


def test_logging_out_everywhere_ends_all_sessions_one_has_and_no_others(server: Served) -> None:
    add_user(server)
    pages = [browser(server), browser(server), browser(server, "")]

    by_key = server.anonymous.with_token(add_key(server)).post("/api/logout?everywhere=true")
    by_ada = pages[0].request("POST", "/api/logout?everywhere=true")
    still = [page.is_in() for page in pages]
    by_owner = server.client.post("/api/logout?everywhere=true")

    assert (by_key.status, by_ada.status, by_owner.status) == (403, 204, 204)
    assert still == [False, False, True]
    assert not pages[2].is_in()


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": "another good one"}])
def test_a_disabled_user_and_one_with_a_new_password_are_out_at_once(server: Served, change: dict[str, Any]) -> None:
    add_user(server)
    page = browser(server)
    assert page.is_in()

    assert server.client.request("PATCH", "/api/users/ada", json=change).status == 200

    assert not page.is_in()


def test_a_removed_user_is_out_at_once(server: Served) -> None:
    add_user(server)
    page = browser(server)

    assert server.client.delete("/api/users/ada").status == 204

    assert not page.is_in()


def test_another_role_counts_from_the_next_request_on(server: Served) -> None:
    add_user(server, role=Role.ADMIN)
    page = browser(server)
    assert page.request("GET", "/api/users").status == 200

    server.client.request("PATCH", "/api/users/ada", json={"role": "viewer"})

    assert page.request("GET", "/api/users").status == 403


def test_a_session_ends_when_it_is_idle_and_when_its_time_is_over(server: Served) -> None:
    add_user(server)
    now = time.time()

    used = browser(server, used=now - IDLE_TERM + 60)
    idle = browser(server, used=now - IDLE_TERM - 1)

    assert (used.is_in(), idle.is_in()) == (True, False)
    assert not browser(server, lasts=-1.0).is_in()


def test_a_second_login_of_one_browser_ends_its_first_session(server: Served) -> None:
    add_user(server)
    first = browser(server)

    answer = first.request("POST", "/api/login", json={"name": "ada", "password": PASSWORD})

    assert answer.status == 204
    assert not first.is_in()
    assert logged_in(server, answer).is_in()


def test_a_user_changes_the_own_password_and_only_this_browser_stays_in(server: Served) -> None:
    add_user(server)
    page, other = browser(server), browser(server)

    wrong = page.request("PUT", "/api/me/password", json={"password": "no", "new_password": "a wholly new one"})
    short = page.request("PUT", "/api/me/password", json={"password": PASSWORD, "new_password": "short"})
    answer = page.request("PUT", "/api/me/password", json={"password": PASSWORD, "new_password": "a wholly new one"})

    assert (wrong.status, short.status, answer.status) == (401, 422, 204)
    assert (page.is_in(), other.is_in(), logged_in(server, answer).is_in()) == (False, False, True)
    assert log_in(server, password="a wholly new one").status == 204


def test_no_key_and_no_owner_changes_a_password_as_one_s_own(server: Served) -> None:
    body = {"password": PASSWORD, "new_password": "a wholly new one"}

    assert browser(server, "").request("PUT", "/api/me/password", json=body).status == 403
    assert server.client.put("/api/me/password", body).status == 403
