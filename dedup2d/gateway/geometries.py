"""GET /2d/geom/{file_hash}/exists: did geometry JSON come with an indexed drawing?"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel

from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.documents import answers
from dedup2d.gateway.examples import EXISTS, MATCH_HASH
from dedup2d.gateway.refusals import HASH_PROBLEMS
from dedup2d.gateway.state import gateway_of
from dedup2d.stores.geometries import checked_hash

router = APIRouter(tags=["index"])


class Exists(BaseModel):
    """Whether geometry JSON is kept for a drawing of the tenant's vault."""

    file_hash: str
    exists: bool


@router.get(
    "/2d/geom/{file_hash}/exists",
    summary="Is geometry JSON kept for this drawing?",
    responses=answers(EXISTS, HASH_PROBLEMS),
)
async def exists(
    request: Request,
    file_hash: Annotated[
        str,
        Path(
            description="sha256 of the drawing's bytes, 64 lower-case hex digits",
            examples=[MATCH_HASH],
            json_schema_extra={"pattern": "^[0-9a-f]{64}$"},
        ),
    ],
    tenant: Tenant,
) -> Exists:
    """It is kept with ``index/add``; other tenants' drawings are not looked at."""
    store = gateway_of(request).geometries
    kept = await asyncio.to_thread(store.has, tenant, checked_hash(file_hash))
    return Exists(file_hash=file_hash, exists=kept)
