"""Named sets of search parameters."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.bodies import PresetList
from dedup2d.gateway.documents import answers
from dedup2d.gateway.refusals import ANY_PROBLEMS
from dedup2d.options import PRESETS

router = APIRouter(tags=["search"])


EXAMPLE: Final = {"presets": {name: dict(values) for name, values in PRESETS.items()}}


@router.get(
    "/2d/presets",
    summary="The presets and what they stand for",
    responses=answers(EXAMPLE, ANY_PROBLEMS),
)
async def presets(tenant: Tenant) -> PresetList:  # noqa: ARG001 - only tenants may ask
    """An explicit query parameter wins over the preset's."""
    return PresetList(presets={name: dict(values) for name, values in PRESETS.items()})
