"""The description of the API (OpenAPI 3.1), made of what each route declares and of nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from nadi._version import __version__
from nadi.server.arguments import is_sequence
from nadi.server.idempotency import takes_key
from nadi.server.problems import PROBLEM, Problem, status_of
from nadi.server.routing import ANYONE, Endpoint

#: What stands behind each status that tells of a problem.
PROBLEMS = {
    400: "The request cannot be read.",
    401: "Nobody is known by the credentials, or there are none.",
    403: "Who asks may not do this, or a page of another site asks.",
    404: "There is no such thing.",
    408: "The body was too slow.",
    409: "What it is about is in a state in which this cannot be done.",
    413: "The body is too large.",
    415: "The body is of a kind that this route does not take.",
    421: "The server does not go by the name that was asked for.",
    422: "Something in the request is not what this route takes.",
    429: "Too much was asked in a short time.",
    503: "The store cannot be used now, or the server is busy. Try again.",
}


def document(endpoints: Sequence[Endpoint], *, base_path: str) -> dict[str, Any]:
    """Return the whole description."""
    schemas, components = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = endpoint.path.replace(":path}", "}")
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Nadi",
            "version": __version__,
            "description": "Runs of flows and tasks: what was recorded, what happens now, and what to do about it.",
        },
        "servers": [{"url": base_path or "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in endpoints)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or the install token."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "nadi",
                    "description": "The session of a browser after a login; the name of its cookie has the port, too.",
                },
            },
        },
    }


def statuses_of(endpoint: Endpoint) -> list[int]:
    """Return every status that a route may answer a well-formed request of its method with."""
    told = {endpoint.status, *endpoint.also, 400, 403, 413, 421}
    if endpoint.permission is not ANYONE:
        told.add(401)
    if endpoint.permission is not ANYONE or not inspect.iscoroutinefunction(endpoint.function):
        told.add(503)
    if endpoint.parts:
        told |= {404, 422}
    if endpoint.query is not None or endpoint.body is not None or takes_key(endpoint):
        told.add(422)
    if _takes_body(endpoint):
        told |= {408, 415}
    if takes_key(endpoint):
        told.add(409)
    return sorted(told | {status_of(error) for error in endpoint.errors})


def _takes_body(endpoint: Endpoint) -> bool:
    return endpoint.body is not None or endpoint.takes != "application/json"


def _is_made_here(kind: Any) -> bool:
    """Whether the answer's body is made by the route itself, so that its type says nothing of its shape."""
    return isinstance(kind, type) and issubclass(kind, Response)


def _types(endpoint: Endpoint) -> Iterable[Any]:
    yield from endpoint.parts.values()
    if endpoint.query is not None:
        yield from (field.type for field in msgspec.structs.fields(endpoint.query))
    if endpoint.reads_json:
        yield endpoint.body
    if not _is_made_here(endpoint.answer) and endpoint.answer is not type(None):
        yield endpoint.answer


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    kinds = list(dict.fromkeys([Problem, *(kind for endpoint in endpoints for kind in _types(endpoint))]))
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return dict(zip(kinds, schemas, strict=True)), components


def _operation(endpoint: Endpoint, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    permission = "" if endpoint.permission is ANYONE else f"\n\nNeeds the permission `{endpoint.permission}`."
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.function.__module__.rpartition('.')[2]}.{endpoint.function.__name__}",
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": f"{endpoint.description}{permission}".strip(),
        "parameters": list(_parameters(endpoint, schemas)),
        "responses": {str(status): _response(endpoint, status, schemas) for status in statuses_of(endpoint)},
        "security": [] if endpoint.permission is ANYONE else [{"bearer": []}, {"session": []}],
    }
    if _takes_body(endpoint):
        schema = schemas[endpoint.body] if endpoint.reads_json else {"type": "string", "format": "binary"}
        kinds = [kind.strip() for kind in endpoint.takes.split(",")]
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}
    return operation


def _parameters(endpoint: Endpoint, schemas: dict[Any, dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for name, kind in endpoint.parts.items():
        yield {"name": name, "in": "path", "required": True, "schema": schemas[kind]}
    if endpoint.query is not None:
        for field in msgspec.structs.fields(endpoint.query):
            told = {"name": field.encode_name, "in": "query", "required": field.required, "schema": schemas[field.type]}
            yield told | ({"style": "form", "explode": True} if is_sequence(field.type) else {})
    if takes_key(endpoint):
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "A text of your own for this action: asked again with it, it is not carried out again.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        }


def _response(endpoint: Endpoint, status: int, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    if status >= 400:
        return {
            "description": PROBLEMS.get(status, HTTPStatus(status).phrase),
            "content": {PROBLEM: {"schema": schemas[Problem]}},
        }
    if status in (204, 303, 304) or endpoint.answer is type(None):
        return {"description": HTTPStatus(status).phrase}
    schema = {"type": "string", "format": "binary"} if _is_made_here(endpoint.answer) else schemas[endpoint.answer]
    kinds = [kind.strip() for kind in endpoint.gives.split(",")]
    return {"description": endpoint.summary, "content": {kind: {"schema": schema} for kind in kinds}}
