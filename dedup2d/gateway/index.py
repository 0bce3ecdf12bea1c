"""Adding drawings to the vault's index over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request

from dedup2d.errors import RequestError
from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.bodies import Rebuilt
from dedup2d.gateway.documents import UPLOAD, answers
from dedup2d.gateway.examples import ADDED, REBUILT
from dedup2d.gateway.inbox import Tray
from dedup2d.gateway.limits import metered
from dedup2d.gateway.refusals import ADD_PROBLEMS, REBUILD_PROBLEMS
from dedup2d.gateway.state import Gateway, gateway_of
from dedup2d.gateway.uploads import Limits, Received, check_body, parts_of, receive
from dedup2d.matcher import Indexed
from dedup2d.settings import Settings

router = APIRouter(tags=["index"])


UserName = Annotated[str, Query(max_length=200, description="who adds it; kept with the drawing")]


@router.post(
    "/2d/index/add",
    summary="Add a drawing to the vault's index",
    openapi_extra=UPLOAD,
    responses=answers(ADDED, ADD_PROBLEMS),
)
async def add(
    request: Request,
    tenant: Tenant,
    user_name: UserName = "cad-ml-platform",
    upload_to_s3: Annotated[  # noqa: ARG001 - clients of the predecessor send it
        bool, Query(deprecated=True, description="accepted, without effect")
    ] = True,
) -> Indexed:
    """The same bytes twice are one entry. Geometry JSON is kept, the upload itself is not."""
    return await add_drawing(request, tenant, user_name)


def drawing_limits(settings: Settings) -> Limits:
    """What a request may carry whose one drawing is read at once."""
    limit = min(settings.max_upload_bytes, settings.max_drawing_bytes)
    return replace(Limits.of(settings), upload_bytes=limit)


async def add_drawing(request: Request, tenant: str, user_name: str) -> Indexed:
    """Receive, read and index the drawing of this request.

    Everything is read and checked before anything is indexed. Raises as ``uploads.receive``,
    DrawingError, ServiceError, and RequestError ``ONE_FILE_EXPECTED``.
    """
    gateway = gateway_of(request)
    limits = drawing_limits(gateway.settings)
    boundary = check_body(request, limits)
    async with gateway.inbox.tray() as tray:
        keep = partial(tray.keep, max_bytes=limits.upload_bytes)
        counted = await metered(gateway, tenant, keep)
        parts = parts_of(request, boundary, limits)
        received = await receive(parts, counted, gateway.inbox, limits)
        if len(received.files) != 1:
            raise RequestError("ONE_FILE_EXPECTED", "One drawing at a time is added to the index.")
        return await _index(gateway, tray, received, tenant=tenant, user_name=user_name)


async def _index(
    gateway: Gateway, tray: Tray, received: Received, *, tenant: str, user_name: str
) -> Indexed:
    (ref,) = received.files
    matcher = gateway.services.matcher
    drawing = await matcher.load(tray.path_of(ref), tray.path)
    named = drawing.model_copy(
        update={
            "file_name": ref.name,
            "media_type": ref.media_type,
            "geometry_path": tray.path_of(received.geometry) if received.geometry else None,
        }
    )
    indexed = await matcher.add(named, tenant=tenant, user_name=user_name)
    if received.geometry is None:
        return indexed
    document = tray.path_of(received.geometry)
    await asyncio.to_thread(gateway.geometries.keep, tenant, drawing.file_hash, document)
    message = f"{indexed.message}; geom_json stored"  # the predecessor's words
    return indexed.model_copy(update={"message": message})


@router.post(
    "/2d/index/rebuild",
    summary="Bring the index up to date",
    responses=answers(REBUILT, REBUILD_PROBLEMS),
)
async def rebuild(request: Request, tenant: Tenant) -> Rebuilt:
    """Needed after drawings were added to a vision service; harmless otherwise."""
    return Rebuilt.model_validate(await gateway_of(request).services.matcher.rebuild(tenant=tenant))
