"""Direct uploads: the files first, to the store or to us, and then the job by reference.

With S3 the file goes past this gateway, to a presigned address. With a local store it comes
here, and an upload that broke off goes on where it ended: ``HEAD`` says how much is there,
``PATCH`` sends the rest (the wording is that of tus.io).
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Annotated, Final
from uuid import uuid4

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import contextmanager_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field

from dedup2d.errors import ConflictError, RequestError
from dedup2d.fileref import FileRef
from dedup2d.gateway import examples
from dedup2d.gateway.auth import Tenant, api_key_header, tenant_of
from dedup2d.gateway.bodies import PREFIX
from dedup2d.gateway.documents import OCTETS, answers, json_body
from dedup2d.gateway.examples import ARRIVED, NEW_UPLOAD
from dedup2d.gateway.forms import read_json
from dedup2d.gateway.limits import reserve_bytes
from dedup2d.gateway.refusals import DIRECT_PROBLEMS, NEW_UPLOAD_PROBLEMS
from dedup2d.gateway.state import Gateway, gateway_of
from dedup2d.gateway.uploads import Limits, body_of, too_large
from dedup2d.settings import Settings
from dedup2d.stores.direct import Address, Announced, LocalDirect
from dedup2d.tickets.sessions import UploadSession, unknown_upload

router = APIRouter(tags=["uploads"])

MAX_FILES: Final = 32  # of one upload; their references lie in Redis
MAX_NEW_BYTES: Final = 256 * 1024  # what announces them, every character escaped
NO_RETENTION_S: Final = 24 * 3600  # life of an upload where no retention is set
OPEN_ENDED_S: Final = 24 * 3600  # one request's body; the idle limit ends a silent one sooner
UPLOAD: Final = "/2d/uploads/{upload_id}"
FILE: Final = UPLOAD + "/files/{number}"


class NewUpload(BaseModel):
    """What is going to be sent."""

    files: list[Announced] = Field(min_length=1, max_length=MAX_FILES, description="of one job")


class Slot(Address):
    """Where one file goes, and the reference that it will have."""

    file_ref: FileRef


class Upload(BaseModel):
    """An upload that is open until ``expires_at``, or until a job takes it."""

    upload_id: str = Field(examples=["5b0c7f0e8d0b4a389b0e0d6f6f0f6a11"])
    expires_at: datetime
    files: list[Slot]


class Arrived(BaseModel):
    """How much of a file is there, bytes."""

    received: int
    size: int


@router.post(
    "/2d/uploads",
    summary="Addresses for sending files directly",
    responses=answers(examples.UPLOAD, NEW_UPLOAD_PROBLEMS),
    openapi_extra=json_body(NewUpload, NEW_UPLOAD),
)
async def open_upload(request: Request, tenant: Tenant) -> Upload:
    """Send each file to its address as it says, then ``POST /2d/search`` with the ``upload_id``.

    All files of an upload are one job. An upload that no job takes is deleted after its time;
    its bytes count for the day, whether they come or not.
    """
    gateway = gateway_of(request)
    limits = Limits.of(gateway.settings)
    # Not by a parameter: FastAPI reads a body whole, and before it asks who sends it.
    new = await read_json(request, NewUpload, limits, max_bytes=MAX_NEW_BYTES)
    size = sum(file.size for file in new.files)
    if size > gateway.settings.max_upload_bytes:
        raise too_large("The upload", gateway.settings.max_upload_bytes)
    lives_s = _life_s(gateway.settings)
    token = token_urlsafe(32)
    upload_id = uuid4().hex
    session = UploadSession(
        upload_id=upload_id,
        tenant_id=tenant,
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        files=tuple(gateway.direct.reserve(upload_id, file) for file in new.files),
        expires_at=datetime.now(UTC) + timedelta(seconds=lives_s),
    )
    slots = await asyncio.to_thread(_slots, gateway, session, token, lives_s)
    await reserve_bytes(gateway, tenant, size)
    await gateway.services.sessions.open(session, ttl_s=lives_s)
    return Upload(upload_id=upload_id, expires_at=session.expires_at, files=slots)


def _life_s(settings: Settings) -> int:
    """As long as the sweep leaves a file that no job knows."""
    return settings.upload_retention_s or NO_RETENTION_S


def _slots(gateway: Gateway, session: UploadSession, token: str, lives_s: int) -> list[Slot]:
    slots = []
    for number, ref in enumerate(session.files):
        address = gateway.direct.address(ref, lives_s) or Address(
            url=f"{PREFIX}/2d/uploads/{session.upload_id}/files/{number}?token={token}",
            headers={"Content-Length": str(ref.size)},
        )
        slots.append(Slot(file_ref=ref, **address.model_dump()))
    return slots


async def session_of(
    request: Request,
    upload_id: str,
    token: Annotated[str | None, Query(description="part of the address that was given")] = None,
    api_key: Annotated[str | None, Depends(api_key_header)] = None,
) -> UploadSession:
    """The upload, for its tenant's API key or for who has its token."""
    sessions = gateway_of(request).services.sessions
    if token is None:
        return await sessions.get(upload_id, await tenant_of(request, api_key))
    session = await sessions.get(upload_id, None)
    if not session.fits(token):
        raise unknown_upload()
    return session


Session = Annotated[UploadSession, Depends(session_of)]


@router.put(
    FILE,
    summary="Send a file",
    responses=answers(ARRIVED, DIRECT_PROBLEMS),
    openapi_extra=OCTETS,
)
async def put_file(request: Request, session: Session, number: int) -> Arrived:
    """The whole file, which replaces what was there. What arrives of it stays, to be continued."""
    return await _take_in(request, session, number, offset=0)


@router.patch(
    FILE,
    summary="Send the rest of a file",
    responses=DIRECT_PROBLEMS,
    openapi_extra=OCTETS,
    status_code=204,
)
async def continue_file(
    request: Request,
    session: Session,
    number: int,
    upload_offset: Annotated[int, Header(ge=0, description="bytes that are there already")],
) -> Response:
    """From ``Upload-Offset`` on, which must be what ``HEAD`` says."""
    arrived = await _take_in(request, session, number, offset=upload_offset)
    return Response(status_code=204, headers=_offsets(arrived.received, arrived.size))


@router.head(
    FILE,
    summary="How much of a file is there?",
    responses=DIRECT_PROBLEMS,
    response_class=Response,
)
async def look_at_file(request: Request, session: Session, number: int) -> Response:
    """``Upload-Offset`` of ``Upload-Length`` bytes."""
    ref = _file_of(session, number)
    arrived = await asyncio.to_thread(gateway_of(request).direct.arrived, ref)
    return Response(headers=_offsets(arrived, ref.size or 0) | {"Cache-Control": "no-store"})


@router.delete(
    UPLOAD,
    summary="Give an upload up",
    responses=DIRECT_PROBLEMS,
    status_code=204,
)
async def drop_upload(request: Request, session: Session) -> Response:
    """Its files are deleted; one that a job has taken stays."""
    _check_unused(session)
    gateway = gateway_of(request)
    await gateway.services.sessions.forget(session)
    await asyncio.to_thread(gateway.services.uploads.delete_folder, session.upload_id)
    return Response(status_code=204)


async def _take_in(
    request: Request, session: UploadSession, number: int, *, offset: int
) -> Arrived:
    """Write the body behind ``offset``; the file is complete with its last byte."""
    gateway = gateway_of(request)
    ref = _file_of(session, number)
    size = ref.size or 0
    store = gateway.direct
    if not isinstance(store, LocalDirect):
        raise RequestError("UPLOAD_ELSEWHERE", "Send the file to the address that was given.")
    _check_unused(session)
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > size - offset:
        raise too_large("The file", size)
    limits = replace(Limits.of(gateway.settings), upload_s=OPEN_ENDED_S)
    async with contextmanager_in_threadpool(store.writing(ref, offset)) as file:
        received = offset
        async for chunk in body_of(request, size - offset, limits):
            received += len(chunk)
            await asyncio.to_thread(file.write, chunk)
    if received < size and request.method == "PUT":
        raise ConflictError("UPLOAD_INCOMPLETE", f"{received} of {size} bytes are there.")
    if received == size and ref.sha256:
        await _verify(gateway, ref)
    return Arrived(received=received, size=size)


async def _verify(gateway: Gateway, ref: FileRef) -> None:
    """Delete a file that is not the one that was announced."""
    uploads = gateway.services.uploads
    try:
        await asyncio.to_thread(uploads.verify, ref)
    except RequestError:
        await asyncio.to_thread(uploads.delete, ref)
        raise


def _file_of(session: UploadSession, number: int) -> FileRef:
    if not 0 <= number < len(session.files):
        raise unknown_upload()
    return session.files[number]


def _check_unused(session: UploadSession) -> None:
    if session.job_id:
        raise ConflictError("UPLOAD_USED", "A job has this upload.")


def _offsets(received: int, size: int) -> dict[str, str]:
    return {"Upload-Offset": str(received), "Upload-Length": str(size)}
