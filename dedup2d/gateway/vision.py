"""The contract of a dedupcad-vision service, served by our engine, at the gateway's root.

An installation of the predecessor that names this gateway in ``DEDUPCAD_VISION_URL`` needs no
other vision service. Its client sends no API key, but it does send what stands before the ``@``
of that address: ``http://vision:KEY@host:8000`` is HTTP Basic with the key as its password.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel, ConfigDict, Field

from dedup2d import __version__
from dedup2d.errors import RequestError, ServiceError
from dedup2d.fileref import FileRef
from dedup2d.gateway.auth import api_key_header, tenant_of
from dedup2d.gateway.bodies import Rebuilt, VisionHealth
from dedup2d.gateway.documents import UPLOAD, answers, form_body
from dedup2d.gateway.examples import ADDED, REBUILT, REPORT, VISION_HEALTH
from dedup2d.gateway.forms import missing_part, parts_of_form, read_fields, text_of
from dedup2d.gateway.health import check_matcher
from dedup2d.gateway.index import UserName, add_drawing, drawing_limits
from dedup2d.gateway.limits import metered
from dedup2d.gateway.refusals import (
    ADD_PROBLEMS,
    HEALTH_PROBLEMS,
    REBUILD_PROBLEMS,
    VISION_PROBLEMS,
)
from dedup2d.gateway.state import gateway_of
from dedup2d.gateway.uploads import Keep, Limits
from dedup2d.matcher import Indexed
from dedup2d.options import Mode, SearchOptions
from dedup2d.report import Report, Verdict

MOST_RESULTS: Final = 1000

router = APIRouter(tags=["vision"])

_basic = HTTPBasic(
    auto_error=False,
    description="An API key as the password; the user name is not looked at.",
)


async def vision_tenant(
    request: Request,
    api_key: Annotated[str | None, Depends(api_key_header)] = None,
    basic: Annotated[HTTPBasicCredentials | None, Depends(_basic)] = None,
) -> str:
    """The tenant that asks, by ``X-API-Key`` or by the password of HTTP Basic."""
    return await tenant_of(request, api_key or (basic.password if basic else None))


VisionTenant = Annotated[str, Depends(vision_tenant)]


class VisionForm(BaseModel):
    """The fields beside the file; what is left out has its default."""

    model_config = ConfigDict(extra="ignore")

    mode: Mode = Mode.BALANCED
    max_results: int = Field(50, ge=0, le=MOST_RESULTS)
    compute_diff: bool = True
    enable_ml: bool = False
    enable_geometric: bool = False
    exclude_self: bool = Field(False, description="leave out drawings of the same bytes")

    def options(self) -> SearchOptions:
        """What the engine is told: one more where the drawing itself will be left out."""
        asked = self.model_dump(exclude={"exclude_self"})
        if self.exclude_self:
            asked["max_results"] = min(self.max_results + 1, MOST_RESULTS)
        return SearchOptions(**asked)

    def cut(self, report: Report, file_hash: str) -> Report:
        """Without the drawing itself, where that is left out."""
        if not self.exclude_self:
            return report
        others = [m for m in report.matches if m.file_hash != file_hash][: self.max_results]
        return report.model_copy(
            update={
                "total_matches": len(others),
                "duplicates": tuple(m for m in others if m.verdict is Verdict.DUPLICATE),
                "similar": tuple(m for m in others if m.verdict is not Verdict.DUPLICATE),
            }
        )


@router.get(
    "/health",
    summary="Can the engine be asked?",
    response_model=VisionHealth,
    responses=answers(VISION_HEALTH, HEALTH_PROBLEMS),
)
async def health(request: Request) -> Response:
    """Needs no API key; says nothing of jobs, which ``/api/v1/dedup/2d/health`` does."""
    gateway = gateway_of(request)
    check = await check_matcher(gateway)
    if not check.ok:
        raise ServiceError("matcher", check.message)
    found = VisionHealth(version=__version__, indexes=gateway.examined.indexes)
    return JSONResponse(found.model_dump(mode="json"))


@router.post(
    "/api/v2/search",
    summary="Search at once, without a job",
    openapi_extra=form_body({"file": "the drawing"}, VisionForm),
    responses=answers(REPORT, VISION_PROBLEMS),
)
async def search(request: Request, tenant: VisionTenant) -> Report:
    """The drawing is read and matched by the gateway itself; thresholds are the defaults."""
    gateway = gateway_of(request)
    limits = drawing_limits(gateway.settings)
    async with gateway.inbox.tray() as tray:
        keep = partial(tray.keep, max_bytes=limits.upload_bytes)
        ref, fields = await _received(request, await metered(gateway, tenant, keep), limits)
        form = read_fields(fields, VisionForm)
        matcher = gateway.services.matcher
        drawing = await matcher.load(tray.path_of(ref), tray.path)
        named = drawing.model_copy(update={"file_name": ref.name, "media_type": ref.media_type})
        report = await matcher.search(named, form.options(), tenant=tenant)
    return form.cut(report, drawing.file_hash)


@router.post(
    "/api/index/add",
    summary="Add a drawing to the vault's index",
    openapi_extra=UPLOAD,
    responses=answers(ADDED, ADD_PROBLEMS),
)
async def add(
    request: Request,
    tenant: VisionTenant,
    user_name: UserName = "",
    upload_to_s3: Annotated[  # noqa: ARG001 - the predecessor's client sends it
        bool, Query(deprecated=True, description="accepted, without effect")
    ] = True,
) -> Indexed:
    """The same bytes twice are one entry. The upload itself is not kept."""
    return await add_drawing(request, tenant, user_name)


@router.post(
    "/api/v2/index/rebuild",
    summary="Bring the index up to date",
    responses=answers(REBUILT, REBUILD_PROBLEMS),
)
async def rebuild(request: Request, tenant: VisionTenant) -> Rebuilt:
    """Needed after an update of the algorithm; harmless otherwise."""
    return Rebuilt.model_validate(await gateway_of(request).services.matcher.rebuild(tenant=tenant))


async def _received(request: Request, keep: Keep, limits: Limits) -> tuple[FileRef, dict[str, str]]:
    """The drawing and the fields of a form. Raises as ``uploads.receive``."""
    ref: FileRef | None = None
    fields: dict[str, str] = {}
    async for part in parts_of_form(request, limits):
        if part.name in VisionForm.model_fields:
            fields[part.name] = await text_of(part)
        elif part.name == "file":
            if ref is not None:
                raise RequestError("ONE_FILE_EXPECTED", "One drawing at a time is searched for.")
            ref = await keep(
                part.blocks(),
                file_name=part.file_name or "upload.bin",
                media_type=part.media_type,
            )
    if ref is None:
        raise missing_part("file")
    return ref, fields
