"""Logging in by name and password and by a link, settings of one's own, and logging out."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.server.serving import Served
from tests.ui.conftest import Open

NEW_PASSWORD = "another long password"


def test_who_is_not_known_is_asked_and_comes_back_to_where_they_were(visit: Open, people: dict[str, str]) -> None:
    person = visit(as_owner=False)
    person.expect_refusal(401)
    page = person.page

    person.go("/runs?state=FAILED")
    page.wait_for_url(re.compile("/login"))
    page.get_by_label("Name").fill("viewer")
    page.get_by_label("Password").fill(people["viewer"])
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/runs\?state=FAILED"))
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()


@pytest.mark.usefixtures("people")
def test_a_wrong_password_is_told_and_too_many_tries_have_to_wait(visit: Open) -> None:
    person = visit(as_owner=False)
    person.expect_refusal(401, 429)
    page = person.page
    person.go("/login")

    page.get_by_label("Name").fill("viewer")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("Name and password do not belong together.")
    expect(page.get_by_label("Password")).to_be_focused()
    for _ in range(9):
        person.served.client.with_token("").post("/api/login", {"name": "viewer", "password": "wrong"})
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("alert")).to_contain_text("too many tries")
    expect(page.get_by_role("button", name=re.compile(r"Log in \(in \d+ s\)"))).to_be_disabled()


@pytest.mark.parametrize("elsewhere", ["//evil.example/x", "/\\evil.example"])
def test_a_login_leads_nowhere_but_to_this_server(visit: Open, people: dict[str, str], elsewhere: str) -> None:
    person = visit(as_owner=False)
    person.go(f"/login?next={elsewhere}")

    person.page.get_by_label("Name").fill("admin")
    person.page.get_by_label("Password").fill(people["admin"])
    person.page.keyboard.press("Enter")

    person.page.wait_for_url(f"{person.served.url}/")


def test_a_link_that_was_used_up_says_so_and_leaves_the_address(visit: Open, served: Served) -> None:
    person = visit()
    link = served.client.post("/api/login-links").json()["path"]
    person.go(link)
    person.page.wait_for_url(f"{served.url}/")
    person.expect_refusal(401)

    person.go(link)

    expect(person.page.get_by_text("was used already")).to_be_visible()
    expect(person.page).to_have_url(f"{served.url}/login")


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_the_login_page_is_accessible_and_fits_its_window(visit: Open, width: int, theme: str) -> None:
    person = visit(as_owner=False, width=width, theme=theme)
    person.go("/login")
    person.page.get_by_label("Password").wait_for()

    assert person.axe() == []
    assert person.overflow() == 0


def test_one_changes_ones_password_and_other_browsers_are_logged_out(visit: Open, people: dict[str, str]) -> None:
    here, there = visit(as_owner=False), visit(as_owner=False)
    here.log_in_as("operator", people["operator"])
    there.log_in_as("operator", people["operator"])
    here.expect_refusal(401)
    there.expect_refusal(401)
    here.go("/settings")
    page = here.page

    page.get_by_label("Your password").fill("not that one")
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password again").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    page.get_by_label("Your password").fill(people["operator"])
    page.get_by_role("button", name="Change the password").click()

    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    there.go("/runs")
    there.page.wait_for_url(re.compile("/login"))


def test_logging_out_ends_the_session(visit: Open, served: Served) -> None:
    person = visit("/settings")
    person.expect_refusal(401)

    person.page.get_by_role("main").get_by_role("button", name="Log out", exact=True).click()
    person.page.wait_for_url(f"{served.url}/login")
    person.go("/runs")

    person.page.wait_for_url(re.compile("/login"))


def test_colours_and_rows_are_kept(visit: Open) -> None:
    person = visit("/settings")
    page = person.page

    page.get_by_text("Dark", exact=True).click()
    page.get_by_text("Dense", exact=True).click()
    page.reload()

    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    expect(page.get_by_role("radio", name="Dense")).to_be_checked()
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
