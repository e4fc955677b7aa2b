"""Errors as answers: RFC 9457 problems that keep the error's class, sentence and fields."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from nadi.exceptions import (
    CallError,
    ConcurrencySlotAcquisitionError,
    InputRefused,
    NadiError,
    NotAllowed,
    NotAuthenticated,
    NotKept,
    RequestRefused,
    RunError,
    StoreError,
    TooManyTries,
)

_log = logging.getLogger("nadi.server")

PROBLEM = "application/problem+json"

#: HTTP status of each branch of the tree of errors; of an error's classes the first one here counts. Errors that are
#: LookupErrors as well are 404, and a RequestRefused brings its own.
STATUSES: dict[type[Exception], int] = {
    NotAuthenticated: 401,
    NotAllowed: 403,
    TooManyTries: 429,
    InputRefused: 422,
    RunError: 409,
    ConcurrencySlotAcquisitionError: 409,
    NotKept: 422,
    StoreError: 503,
    CallError: 422,
}

#: Seconds after which somebody who was told 429 or 503 may try again.
RETRY_AFTER = 1


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not carried out."""

    #: A name for the kind of problem, as a URI.
    type: str
    title: str
    status: int
    #: One sentence: what was wrong, and what to do.
    detail: str
    #: Name of the class in `nadi.exceptions`, and its attributes: who has both can raise it again.
    error: str
    fields: dict[str, Any]


def status_of(error: type[Exception] | Exception) -> int:
    """Return the HTTP status that tells of an error; 500 for one that nobody expected."""
    if isinstance(error, RequestRefused):
        return error.status
    kind = error if isinstance(error, type) else type(error)
    if issubclass(kind, NadiError) and issubclass(kind, LookupError):
        return 404
    return next((STATUSES[base] for base in kind.__mro__ if base in STATUSES), 500)


def problem_of(error: Exception) -> Problem:
    """Return what is told of an error; of one that nobody expected only that it happened."""
    status = status_of(error)
    if status == 500:
        kind, detail, fields = "InternalError", "The server failed; its log says why. Please report it.", {}
    else:
        kind, detail, fields = type(error).__name__, str(error), plain_fields(error)
    return Problem(
        type=f"urn:nadi:error:{kind}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        error=kind,
        fields=fields,
    )


def plain_fields(error: Exception) -> dict[str, Any]:
    """Return the attributes of an error that JSON can tell."""
    fields = {}
    for name, value in vars(error).items():
        try:
            fields[name] = msgspec.json.decode(msgspec.json.encode(value))
        except (TypeError, ValueError):
            continue
    return fields


def answer_to(error: Exception, *, what: str) -> Response:
    """Return the answer that tells of an error; one that nobody expected goes to the log with `what` was asked."""
    problem = problem_of(error)
    if problem.status == 500:
        _log.error("%s failed: %s: %s", what, type(error).__name__, error, exc_info=error)
    headers = {}
    if problem.status == 401:
        headers["www-authenticate"] = 'Bearer realm="nadi"'
    if problem.status in (429, 503):
        headers["retry-after"] = str(max(1, round(getattr(error, "wait", RETRY_AFTER))))
    return Response(msgspec.json.encode(problem), problem.status, headers, PROBLEM)
