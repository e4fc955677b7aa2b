"""Users, keys, audit log and storage, managed from the pages."""

from __future__ import annotations

import re

import pytest

from tests.server.serving import Served
from tests.ui.browsing import Visit
from tests.ui.conftest import Open


def dialog(person: Visit, name: str) -> None:
    person.page.get_by_role("dialog", name=name).wait_for()


def test_a_user_is_made_and_removed_only_when_their_name_is_typed(visit: Open, served: Served) -> None:
    person = visit("/users")
    page = person.page

    page.get_by_role("button", name="New user").click()
    page.get_by_label("Name").fill("asha")
    page.get_by_role("radio", name="operator").check()
    page.get_by_label("Password").fill("a long enough password")
    assert person.axe() == []
    page.get_by_role("button", name="Make").click()
    page.get_by_role("cell", name="asha", exact=True).wait_for()
    made = served.client.get("/api/users/asha").json()
    page.get_by_role("button", name="Change asha").click()
    page.get_by_role("menuitem", name="Remove").click()
    agree = page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True)
    was_ready = agree.is_enabled()
    page.get_by_label("Type asha to go on").fill("asha")
    agree.click()
    page.get_by_text("There are no users yet.").wait_for()

    assert (made["role"], made["has_password"], was_ready) == ("operator", True, False)
    assert served.client.get("/api/users").json() == []


def test_what_the_server_refuses_is_told_in_its_own_sentence_and_nothing_typed_is_lost(visit: Open) -> None:
    person = visit("/users")
    person.expect_refusal(422)
    page = person.page

    page.get_by_role("button", name="New user").click()
    page.get_by_label("Name").fill("asha")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Make").click()
    told = page.get_by_role("dialog").get_by_role("alert")
    told.wait_for()

    assert "password" in told.inner_text().lower()
    assert page.get_by_label("Name").input_value() == "asha"


@pytest.mark.usefixtures("people")
def test_a_key_is_shown_once_and_works(visit: Open, served: Served) -> None:
    person = visit("/keys")
    page = person.page

    page.get_by_role("button", name="New key").click()
    page.get_by_label("What it is for").fill("ci")
    page.get_by_label("Acts for").select_option("operator")
    page.get_by_role("checkbox", name=re.compile("^read")).check()
    page.get_by_role("button", name="Make").click()
    dialog(person, "The key, shown this once")
    key = page.get_by_role("dialog").locator("pre").first.inner_text()
    page.get_by_role("button", name="I have it").click()
    page.get_by_role("cell", name="ci", exact=True).wait_for()

    me = served.client.with_token(key).get("/api/me").json()
    assert (me["name"], me["permissions"]) == ("operator", ["read"])
    assert key not in page.content()


def test_the_audit_log_tells_who_changed_what_and_can_be_searched_by_its_url(visit: Open, served: Served) -> None:
    served.client.put("/api/variables/rows", {"value": 5})
    served.client.put("/api/concurrency-limits/gpu", {"slots": 2})
    person = visit("/audit?action=set_variable")
    page = person.page

    page.get_by_role("row", name=re.compile("set variable.*rows")).wait_for()
    page.get_by_role("row", name=re.compile("set variable")).click()
    dialog(person, "set variable")

    assert page.get_by_role("row", name=re.compile("set limit")).count() == 0
    assert '"subject": "rows"' in page.get_by_role("dialog").inner_text()


def test_a_rule_says_what_it_does_before_it_is_kept(visit: Open, served: Served) -> None:
    page = visit("/storage").page

    page.get_by_role("button", name="New rule").click()
    page.get_by_label("Ended").select_option("FAILED")
    page.get_by_label("Keep for").fill("30")
    told = page.get_by_text("Remove failed runs of every flow 30 days after their end")
    told.wait_for()
    page.get_by_role("button", name="Keep by this rule").click()
    page.get_by_role("cell", name="30 days", exact=True).wait_for()

    assert served.client.get("/api/retention/rules").json() == [{"flow": "", "state": "FAILED", "age": 30 * 86_400.0}]


def test_a_variable_is_kept_only_as_json(visit: Open, served: Served) -> None:
    page = visit("/storage?part=variables").page

    page.get_by_role("button", name="New variable").click()
    page.get_by_label("Name").fill("rows")
    page.get_by_label("Value, as JSON").fill("{n: 1}")
    page.get_by_text("This is not JSON").wait_for()
    was_ready = page.get_by_role("button", name="Keep").is_enabled()
    page.get_by_label("Value, as JSON").fill('{"n": 1}')
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("cell", name="rows", exact=True).wait_for()

    assert not was_ready
    assert served.client.get("/api/variables/rows").json()["value"] == {"n": 1}


def test_a_viewer_sees_no_action_that_would_be_refused(visit: Open, people: dict[str, str], served: Served) -> None:
    served.client.put("/api/variables/rows", {"value": 5})
    served.client.put("/api/retention/rules", {"flow": "", "state": None, "age": 86400.0})
    person = visit(as_owner=False)
    person.expect_refusal(401, 403)
    person.log_in_as("viewer", people["viewer"])
    page = person.page

    shown = []
    for part, cell in (("retention", "every flow"), ("variables", "rows"), ("limits", ""), ("cache", "")):
        person.go(f"/storage?part={part}")
        if cell:
            page.get_by_role("cell", name=cell, exact=True).wait_for()
        else:
            page.get_by_role("heading", level=2).first.wait_for()
        shown += page.locator("main").get_by_role("button").all_inner_texts()
    person.go("/users")
    refused = page.get_by_role("alert")
    refused.wait_for()

    assert [name for name in shown if name.strip()] == []
    assert page.get_by_role("navigation", name="Places").get_by_role("link", name="Users").count() == 0
    assert "admin" in refused.inner_text()
