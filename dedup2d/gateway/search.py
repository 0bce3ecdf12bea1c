"""POST /2d/search: the drawing comes in, a job or its answer goes out."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from functools import partial
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict, Field, model_validator

from dedup2d.errors import ConflictError, RequestError
from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.bodies import Accepted
from dedup2d.gateway.documents import SEARCH_UPLOAD, answers, one_of
from dedup2d.gateway.examples import PENDING, REPORT
from dedup2d.gateway.limits import metered
from dedup2d.gateway.patience import patiently
from dedup2d.gateway.reference import begin, sent_before
from dedup2d.gateway.refusals import SEARCH_PROBLEMS
from dedup2d.gateway.state import Gateway, gateway_of
from dedup2d.gateway.uploads import Limits, Received, measure, receive
from dedup2d.gateway.waiting import answer_of, wait_for_end
from dedup2d.options import PRESETS, Mode, SearchOptions, resolve_options
from dedup2d.report import Report
from dedup2d.settings import Settings
from dedup2d.tenant_config import TenantConfig

logger = logging.getLogger(__name__)
router = APIRouter(tags=["search"])

MAX_KEY_CHARS: Final = 255


class SearchQuery(SearchOptions):
    """The query parameters: a preset, and whatever differs from it."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    async_request: bool = Field(
        False, alias="async", description="answer at once with a job_id to poll"
    )
    callback_url: str | None = Field(
        None, description="where the webhook goes when the job ends; needs async=true"
    )
    preset: str | None = Field(
        None,
        description="strict, version or loose; see /2d/presets",
        json_schema_extra=one_of(PRESETS),
    )

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> Self:
        return self  # in what order they are shows when the preset is merged in

    @property
    def explicit(self) -> dict[str, Any]:
        """The parameters that were given."""
        given = self.model_fields_set & SearchOptions.model_fields.keys()
        return {name: getattr(self, name) for name in sorted(given)}

    def options(self, config: TenantConfig) -> SearchOptions:
        """Explicit values over the preset over the tenant's own. Raises RequestError."""
        return resolve_options(
            self.explicit, preset=self.preset or None, tenant_values=config.values()
        )


@router.post(
    "/2d/search",
    summary="Search the vault for drawings that have to do with this one",
    response_model=Report | Accepted,
    openapi_extra=SEARCH_UPLOAD,
    responses=answers(REPORT, SEARCH_PROBLEMS, job=PENDING),
)
async def search(
    request: Request,
    query: Annotated[SearchQuery, Query()],
    tenant: Tenant,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=MAX_KEY_CHARS,
            description="the same key gives the same job, however often the request is sent",
        ),
    ] = None,
) -> Response:
    """Without ``async`` the answer is the report, or a job to poll where waiting makes no sense.

    Large files, geometry JSON with ``enable_precision`` and ``mode=precise`` are never waited
    for; ``forced_async_reason`` says so. Everything is checked before the job is accepted. In
    place of a file comes the ``upload_id`` of ``POST /2d/uploads``, as JSON or as the first part.
    """
    gateway = gateway_of(request)
    config = await asyncio.to_thread(gateway.configs.read, tenant)
    options = query.options(config)
    callback_url = query.callback_url or None
    await _check_callback(gateway, callback_url)
    gateway.creating.check()
    limits = Limits.of(gateway.settings)
    body = await begin(request, limits)
    direct = await sent_before(gateway, body.reference, tenant)
    async with gateway.jobs.intake(
        tenant,
        callback_url=callback_url,
        idempotency_key=idempotency_key,
        request_digest=_digest(query),
        upload=direct.session,
    ) as intake:
        first = intake.admission.created
        keep = await metered(gateway, tenant, intake.store if first else measure)
        received = await receive(body.parts, keep, gateway.inbox, limits, given=direct.files)
        reason = forced_async_reason(gateway.settings, options, received)
        if callback_url and not query.async_request and reason is None:
            raise RequestError("CALLBACK_UNSUPPORTED", "callback_url needs async=true.")
        if first:
            start = partial(intake.start, received.files, options, geometry=received.geometry)
            async with gateway.creating.turn():
                await patiently(start)
        else:
            await _check_same(gateway, intake.job_id, tenant, received)
        job_id = intake.job_id
    if query.async_request or reason:
        return JSONResponse(Accepted.of(job_id, reason).model_dump(mode="json"))
    view = await wait_for_end(gateway, request, job_id, tenant, keep=idempotency_key is not None)
    return answer_of(job_id, view)


def forced_async_reason(
    settings: Settings, options: SearchOptions, received: Received
) -> str | None:
    """Why this search is not waited for; in the predecessor's order and words."""
    limit = settings.forced_async_file_size
    if limit and received.size > limit:
        return f"file_size>{limit / 1024**2:g}MB"
    if (
        settings.forced_async_on_precision
        and received.geometry is not None
        and options.enable_precision
    ):
        return "enable_precision_with_geom_json"
    if settings.forced_async_on_mode_precise and options.mode is Mode.PRECISE:
        return "mode=precise"
    return None


async def _check_callback(gateway: Gateway, url: str | None) -> None:
    if url is None:
        return
    try:
        await gateway.services.guard.check(url)
    except RequestError as error:
        raise RequestError("CALLBACK_URL_INVALID", error.message) from error


async def _check_same(gateway: Gateway, job_id: str, tenant: str, received: Received) -> None:
    """The drawings of a repeated request must be those of the first."""
    asked = await patiently(partial(gateway.jobs.request_of, job_id, tenant))
    if received.digests != Received(asked.files, asked.geometry).digests:
        raise ConflictError(
            "IDEMPOTENCY_CONFLICT", "This idempotency key came with another drawing before."
        )


def _digest(query: SearchQuery) -> str:
    """What must be equal where the idempotency key is, beside the drawings.

    Only what the client has said: the tenant's own values may change between two tries.
    """
    asked = {
        "explicit": query.explicit,
        "preset": query.preset or None,
        "callback_url": query.callback_url or None,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
