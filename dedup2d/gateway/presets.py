"""Named sets of search parameters."""

from __future__ import annotations

from fastapi import APIRouter

from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.bodies import PresetList
from dedup2d.gateway.documents import ANY_PROBLEMS
from dedup2d.options import PRESETS

router = APIRouter(tags=["search"])


@router.get("/2d/presets", summary="The presets and what they stand for", responses=ANY_PROBLEMS)
async def presets(tenant: Tenant) -> PresetList:  # noqa: ARG001 - only tenants may ask
    """An explicit query parameter wins over the preset's."""
    return PresetList(presets={name: dict(values) for name, values in PRESETS.items()})
