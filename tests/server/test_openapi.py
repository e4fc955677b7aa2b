"""The description of the API, and the page of the reference: both say what the routes are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import validate

from nadi.exceptions import RunTaken
from nadi.model.access import Permission
from nadi.server.api import endpoints
from nadi.server.openapi import document
from nadi.server.routing import ANYONE, Call, Endpoint, Routes
from tests.server.serving import Served

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"
#: The store's own calls are made for our client, and are one row of the page.
STORE_CALLS = "/api/store/"

ENDPOINTS = {f"{one.method} {one.path}": one for one in endpoints()}


def described(*found: Endpoint) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(found, base_path="")))
    return told


def test_the_description_is_valid_openapi(server: Served) -> None:
    told = server.client.get("/api/openapi.json")

    assert told.headers["content-type"] == "application/json"
    assert told.json()["openapi"] == "3.1.0"
    validate(told.json())


def test_every_route_is_described_once_and_under_a_name_of_its_own() -> None:
    told = described(*endpoints())

    found = [(method, path) for path, methods in told["paths"].items() for method in methods]
    names = [one["operationId"] for methods in told["paths"].values() for one in methods.values()]
    assert len(found) == len(endpoints())
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_route_has_a_sentence_about_it(name: str) -> None:
    assert re.fullmatch(r"[A-Z].*\.", ENDPOINTS[name].summary)


def test_only_what_goes_on_from_a_page_is_described_as_its_next() -> None:
    told = described(*endpoints())
    parameters = [
        one for methods in told["paths"].values() for route in methods.values() for one in route["parameters"]
    ]

    nexts = {one["name"] for one in parameters if "`next`" in str(one)}

    assert nexts == {"after", "before"}


@pytest.mark.parametrize("name", [name for name, one in ENDPOINTS.items() if one.method != "GET"])
def test_every_route_that_changes_something_bears_a_name_for_the_audit_log_or_records(name: str) -> None:
    endpoint = ENDPOINTS[name]

    assert endpoint.audit or endpoint.permission in (Permission.RECORD, Permission.READ)


class Thing(msgspec.Struct):
    name: str


class Query(msgspec.Struct):
    state: tuple[str, ...] = ()


ROUTES = Routes("test")


@ROUTES.add("POST", "/api/things/{name}", Permission.OPERATE, status=201, errors=(RunTaken,), also=(304,))
def make(call: Call, name: str, query: Query, body: Thing) -> Thing:
    """Make a thing.

    Of this name.
    """
    return body


@ROUTES.add("GET", "/api/open", ANYONE)
async def look(call: Call) -> list[Thing]:
    """Look."""
    return []


def test_an_operation_tells_its_parts_shapes_statuses_and_permission() -> None:
    told = described(*ROUTES.endpoints)

    operation = told["paths"]["/api/things/{name}"]["post"]
    assert [(one["name"], one["in"], one["required"]) for one in operation["parameters"]] == [
        ("name", "path", True),
        ("state", "query", False),
        ("Idempotency-Key", "header", False),
    ]
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Thing"}
    assert list(operation["responses"]) == (
        ["201", "304", "400", "401", "403", "404", "408", "409", "413", "415", "421", "422", "503"]
    )
    assert operation["summary"] == "Make a thing."
    assert operation["description"] == "Of this name.\n\nNeeds the permission `operate`."
    assert operation["security"] == [{"bearer": []}, {"session": []}]


def test_a_route_for_anyone_says_so() -> None:
    operation = described(*ROUTES.endpoints)["paths"]["/api/open"]["get"]

    assert operation["security"] == []
    assert list(operation["responses"]) == ["200", "400", "403", "413", "421"]


# -- the page --


def rows() -> list[str]:
    return [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| `[A-Z]+ /", line)]


def row(endpoint: Endpoint) -> str:
    permission = "anyone" if endpoint.permission is ANYONE else f"`{endpoint.permission}`"
    return f"| `{endpoint.method} {endpoint.path.replace(':path}', '}')}` | {permission} | {endpoint.summary} |"


def test_the_page_lists_every_route_with_its_permission() -> None:
    expected = [row(one) for one in endpoints() if not one.path.startswith(STORE_CALLS)]

    assert sorted(rows()) == sorted(expected)
