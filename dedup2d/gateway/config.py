"""GET, PUT and DELETE /2d/config: search parameters that a tenant has set for good."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from dedup2d.errors import RequestError
from dedup2d.gateway.admin import Administered
from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.documents import answers, json_body, one_of
from dedup2d.gateway.examples import CONFIG, CONFIG_VALUES, NO_CONFIG
from dedup2d.gateway.forms import read_json
from dedup2d.gateway.refusals import ADMIN_PROBLEMS, CONFIG_PROBLEMS, TENANT_PROBLEMS
from dedup2d.gateway.state import gateway_of
from dedup2d.gateway.uploads import Limits
from dedup2d.options import PRESETS, Mode, PrecisionProfile, VersionGate, resolve_options
from dedup2d.tenant_config import MAX_BYTES, TenantConfig

router = APIRouter(tags=["configuration"])

Choice = TypeVar("Choice", bound=StrEnum)


class ConfigBody(BaseModel):
    """What the tenant sets; what is left out or null is unset."""

    model_config = ConfigDict(extra="forbid", strict=True)

    preset: str | None = Field(
        None, description="strict, version or loose", json_schema_extra=one_of(PRESETS)
    )
    mode: str | None = Field(
        None, description="fast, balanced or precise", json_schema_extra=one_of(Mode)
    )
    precision_profile: str | None = Field(
        None, description="strict or version", json_schema_extra=one_of(PrecisionProfile)
    )
    version_gate: VersionGate | None = None
    precision_top_n: int | None = Field(None, ge=1, le=1000)
    precision_visual_weight: float | None = Field(None, ge=0, allow_inf_nan=False)
    precision_geom_weight: float | None = Field(None, ge=0, allow_inf_nan=False)
    duplicate_threshold: float | None = Field(None, ge=0, le=1)
    similar_threshold: float | None = Field(None, ge=0, le=1)

    def checked(self) -> TenantConfig:
        """The configuration, which no search can stumble over.

        Raises RequestError for a name that is none, RequestValidationError for thresholds whose
        order is wrong.
        """
        if self.preset is not None and self.preset not in PRESETS:
            raise RequestError("UNKNOWN_PRESET", f"Unknown preset: {self.preset}")
        values = self.model_dump() | {
            "mode": _choice(Mode, "mode", self.mode),
            "precision_profile": _choice(
                PrecisionProfile, "precision_profile", self.precision_profile
            ),
        }
        config = TenantConfig.model_validate(values)
        try:
            resolve_options({}, tenant_values=config.values())
        except RequestError as error:
            raise _in_fastapis_words(error.message, config.values()) from error
        return config


class ConfigAnswer(BaseModel):
    """What the tenant has set, without what is not set."""

    tenant_id: str
    config: dict[str, Any]


@router.get(
    "/2d/config", summary="My search parameters", responses=answers(CONFIG, TENANT_PROBLEMS)
)
async def read(request: Request, tenant: Tenant) -> ConfigAnswer:
    """They hold for every search that does not name a preset; an explicit parameter wins."""
    configs = gateway_of(request).configs
    config = await asyncio.to_thread(configs.read, tenant)
    return ConfigAnswer(tenant_id=tenant, config=config.values())


@router.put(
    "/2d/config",
    summary="Set my search parameters",
    responses=answers(CONFIG, CONFIG_PROBLEMS),
    openapi_extra=json_body(ConfigBody, CONFIG_VALUES),
)
async def write(request: Request, tenant: Administered) -> ConfigAnswer:
    """Replaces all of them, from the next search on, on every gateway."""
    gateway = gateway_of(request)
    limits = Limits.of(gateway.settings)
    body = await read_json(request, ConfigBody, limits, max_bytes=MAX_BYTES)
    config = body.checked()
    await asyncio.to_thread(gateway.configs.write, tenant, config)
    return ConfigAnswer(tenant_id=tenant, config=config.values())


@router.delete(
    "/2d/config", summary="Go back to the defaults", responses=answers(NO_CONFIG, ADMIN_PROBLEMS)
)
async def delete(request: Request, tenant: Administered) -> ConfigAnswer:
    """Also where nothing was set."""
    await asyncio.to_thread(gateway_of(request).configs.delete, tenant)
    return ConfigAnswer(tenant_id=tenant, config={})


def _choice(kind: type[Choice], name: str, text: str | None) -> Choice | None:
    """The member that is meant; the predecessor's sentence where there is none."""
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        raise RequestError(f"INVALID_{name.upper()}", f"Invalid {name}: {text}") from None


def _in_fastapis_words(message: str, given: dict[str, Any]) -> RequestValidationError:
    problem = {"type": "value_error", "loc": ("body",), "msg": message, "input": given}
    return RequestValidationError([problem])
