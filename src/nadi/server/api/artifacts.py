"""Artifacts: of a key over all runs, one by one, and what is in one, to be saved."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.responses import Response

from nadi.engine.artifact_contents import content_of
from nadi.engine.run_pages import MOST_BYTES, ArtifactPage, artifact_page, the_artifact
from nadi.engine.shapes import ArtifactShape, artifact_shape
from nadi.exceptions import MissingResult, NotFound
from nadi.model.access import Permission
from nadi.server.fields import Cursor, Number, UpTo200
from nadi.server.routing import Call, Routes
from nadi.storage.results import fetch

routes = Routes("artifacts")


class ArtifactsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which artifacts."""

    key: Annotated[str, Meta(min_length=1, max_length=500)]
    after: Cursor = ""
    limit: UpTo200 = 50
    #: Only artifacts with at most so many bytes of data are told with it.
    most: Number = MOST_BYTES


@routes.add("GET", "/api/artifacts", Permission.READ)
def list_artifacts(call: Call, query: ArtifactsQuery) -> ArtifactPage:
    """List the artifacts of one key over all runs, in the order they were made."""
    return artifact_page(
        call.context.store, run=None, key=query.key, after=query.after, limit=query.limit, most=query.most
    )


@routes.add("GET", "/api/artifacts/{artifact}", Permission.READ, errors=(NotFound,))
def show_artifact(call: Call, artifact: str) -> ArtifactShape:
    """Show one artifact, with its data as JSON: what a run wrote is text there, never markup."""
    return artifact_shape(the_artifact(call.context.store, artifact))


@routes.add(
    "GET",
    "/api/artifacts/{artifact}/content",
    Permission.READ,
    errors=(NotFound, MissingResult),
    gives="application/octet-stream",
)
def save_artifact(call: Call, artifact: str) -> Response:
    """Give what is in an artifact as a file to save: text, table as JSON, or the bytes of a picture.

    Always as an attachment, and never under a type by which a browser would run anything in it.
    """
    context = call.context
    content = content_of(
        the_artifact(context.store, artifact),
        lambda ref: fetch(ref, context.results, context.store.signing_key),
    )
    headers = {
        "content-disposition": f'attachment; filename="{content.file_name}"',
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(content.data, headers=headers, media_type="application/octet-stream")
