"""A search whose drawing was sent before: by ``upload_id`` or FileRef in place of a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dedup2d.errors import ConflictError, RequestError
from dedup2d.fileref import FileRef
from dedup2d.gateway.multipart import Part
from dedup2d.gateway.state import Gateway
from dedup2d.gateway.uploads import Limits, body_of, check_body, parts_of
from dedup2d.stores.measured import foreign_ref
from dedup2d.tickets.sessions import UploadSession

MAX_REFERENCE_BYTES: Final = 64 * 1024


class Reference(BaseModel):
    """What stands in place of a file: an upload with all its files, or some of its files."""

    model_config = ConfigDict(frozen=True)

    upload_id: str | None = Field(None, max_length=64, description="of POST /2d/uploads")
    file_ref: FileRef | tuple[FileRef, ...] | None = Field(
        None, description="one or several FileRefs of one upload"
    )

    @property
    def files(self) -> tuple[FileRef, ...]:
        """The FileRefs, if it was made of those."""
        if self.file_ref is None:
            return ()
        return (self.file_ref,) if isinstance(self.file_ref, FileRef) else self.file_ref


@dataclass(frozen=True, slots=True)
class Body:
    """The beginning of a search's body is read: a reference or nothing, then its parts."""

    parts: AsyncIterator[Part]
    reference: Reference | None


@dataclass(frozen=True, slots=True)
class Direct:
    """Files that were sent before, and the session that they belong to."""

    session: UploadSession | None
    files: tuple[FileRef, ...]


async def begin(request: Request, limits: Limits) -> Body:
    """Read as much as says where the drawing is. Raises RequestError for a body that is not ours."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        text = await _text(body_of(request, MAX_REFERENCE_BYTES, limits))
        return Body(_from(None, None), _reference_of(text))
    parts = parts_of(request, check_body(request, limits), limits)
    first = await anext(parts, None)
    if first is not None and first.name in {"upload_id", "file_ref"}:
        text = await _text(first.blocks())
        if first.name == "upload_id":
            return Body(parts, Reference(upload_id=_checked_id(text)))
        return Body(parts, _reference_of(b'{"file_ref":' + text + b"}"))
    return Body(_from(first, parts), None)


async def sent_before(gateway: Gateway, reference: Reference | None, tenant: str) -> Direct:
    """The files of a reference, complete and this tenant's own; nothing where there is none.

    Raises RequestError ``UPLOAD_NOT_FOUND`` or ``FOREIGN_REF``, ConflictError
    ``UPLOAD_INCOMPLETE``.
    """
    if reference is None:
        return Direct(None, ())
    if reference.upload_id is not None:
        session = await gateway.services.sessions.get(reference.upload_id, tenant)
        files = session.files
    else:
        session, files = await _session_of(gateway, reference.files, tenant)
    if not session.job_id:
        for ref in files:
            arrived = await asyncio.to_thread(gateway.direct.arrived, ref)
            if arrived != ref.size:
                raise ConflictError(
                    "UPLOAD_INCOMPLETE", f"{ref.name}: {arrived} of {ref.size} bytes are there."
                )
    return Direct(session, files)


async def _session_of(
    gateway: Gateway, refs: tuple[FileRef, ...], tenant: str
) -> tuple[UploadSession, tuple[FileRef, ...]]:
    """The session that all of these belong to, and its own references to the same files."""
    folders = {PurePosixPath(ref.location).parent.name for ref in refs}
    if len(folders) != 1:
        raise foreign_ref() if not refs else _of_several()
    try:
        session = await gateway.services.sessions.get(folders.pop(), tenant)
    except RequestError as error:
        raise foreign_ref() from error
    known = {_place(ref): ref for ref in session.files}
    if any(_place(ref) not in known for ref in refs):
        raise foreign_ref()
    return session, tuple(known[_place(ref)] for ref in refs)


def _place(ref: FileRef) -> tuple[Any, ...]:
    return ref.backend, ref.bucket, ref.location


def _of_several() -> RequestError:
    return RequestError("REFERENCE_MISPLACED", "The references are of several uploads.")


def _reference_of(text: bytes) -> Reference:
    try:
        reference = Reference.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise RequestError(
            "INVALID_REFERENCE", f"The reference is not valid: {place} {problem['msg']}."
        ) from error
    if (reference.upload_id is None) == (not reference.files):
        raise RequestError(
            "MULTIPART_EXPECTED",
            "The body must be multipart/form-data with a part named file, "
            "or JSON with either an upload_id or a file_ref.",
        )
    return reference


def _checked_id(text: bytes) -> str:
    upload_id = text.decode("ascii", "replace").strip()
    if not upload_id or len(upload_id) > 64:  # noqa: PLR2004 - as in Reference
        raise RequestError("INVALID_REFERENCE", "The upload_id is not one.")
    return upload_id


async def _text(blocks: AsyncIterator[bytes]) -> bytes:
    text = b""
    async for block in blocks:
        text += block
        if len(text) > MAX_REFERENCE_BYTES:
            raise RequestError("INVALID_REFERENCE", "The reference is too long.")
    return text


async def _from(first: Part | None, rest: AsyncIterator[Part] | None) -> AsyncIterator[Part]:
    if first is not None:
        yield first
    if rest is not None:
        async for part in rest:
            yield part
