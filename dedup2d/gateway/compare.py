"""POST /2d/precision/compare: one document of geometry JSON against another."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from dedup2d.errors import DrawingError, RequestError
from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.documents import answers, form_body
from dedup2d.gateway.examples import COMPARED
from dedup2d.gateway.forms import missing_part, parts_of_form
from dedup2d.gateway.refusals import GEOMETRY_PROBLEMS
from dedup2d.gateway.state import gateway_of
from dedup2d.gateway.uploads import MAX_GEOMETRY_BYTES, Limits, take_geometry

router = APIRouter(tags=["search"])

SIDES: Final = ("left_geom_json", "right_geom_json")
TASK: Final = "dedup2d.engine.geometry_pair:compare_files"
_OUR_WORDS: Final = {"GEOMETRY_INVALID", "GEOMETRY_TOO_LARGE"}


class Compared(BaseModel):
    """How much two documents have in common; all numbers are shares in [0, 1]."""

    score: float = Field(ge=0, le=1)
    breakdown: dict[str, float] = Field(
        description="entities, and each of layers, blocks, dimensions, text_content, hatches "
        "that both documents have"
    )
    geom_hash_left: str = Field(
        description="sha256, hex, of the document's normal form; equal where two say the same"
    )
    geom_hash_right: str


@router.post(
    "/2d/precision/compare",
    summary="Compare two documents of geometry JSON",
    openapi_extra=form_body(dict.fromkeys(SIDES, "geometry JSON, at most 64 MB")),
    responses=answers(COMPARED, GEOMETRY_PROBLEMS),
)
async def compare(request: Request, tenant: Tenant) -> Compared:  # noqa: ARG001 - only tenants may ask
    """The score is the engine's similarity of the two drawings that the documents describe."""
    gateway = gateway_of(request)
    limits = replace(Limits.of(gateway.settings), upload_bytes=2 * MAX_GEOMETRY_BYTES)
    async with gateway.inbox.tray() as tray:
        found: dict[str, str] = {}
        async for part in parts_of_form(request, limits):
            if part.name in found:
                raise RequestError(
                    "INVALID_GEOMETRY", f"Invalid geom_json: {part.name} was sent twice"
                )
            if part.name in SIDES:
                ref = await take_geometry(part, tray, gateway.inbox)
                found[part.name] = str(tray.path_of(ref))
        if missing := [side for side in SIDES if side not in found]:
            raise missing_part(*missing)
        left, right = (found[side] for side in SIDES)
        try:
            answer = await gateway.comparing.run(
                TASK, {"left": left, "right": right}, timeout_s=gateway.settings.match_timeout_s
            )
        except DrawingError as error:
            if error.code in _OUR_WORDS:
                raise RequestError(
                    "INVALID_GEOMETRY", f"Invalid geom_json: {error.message}"
                ) from error
            raise
    return Compared.model_validate(answer)
