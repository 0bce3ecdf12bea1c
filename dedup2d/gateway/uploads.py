"""From the body of a request to files in a store, bounded in memory, size and time."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol, Self

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from dedup2d.errors import RequestError
from dedup2d.fileref import Backend, FileRef
from dedup2d.gateway.inbox import Inbox, Tray
from dedup2d.gateway.linger import mark_read
from dedup2d.gateway.multipart import BLOCK_BYTES, MultipartStream, Part, boundary_of
from dedup2d.settings import Settings
from dedup2d.tickets.keys import UNBOUND_TTL_S

MAX_GEOMETRY_BYTES: Final = 64 * 1024**2
MAX_REFERENCES_BYTES: Final = 400 * 1024  # Prefect takes 512 KiB of parameters
MAX_PARTS: Final = 5000
MAX_OVERHEAD_BYTES: Final = 4 * 1024**2  # boundaries, headers and fields that nobody asked for
UPLOAD_S: Final = 0.9 * UNBOUND_TTL_S  # as long as the place in the queue is kept, less a margin


class Keep(Protocol):
    """Puts one file somewhere and gives its reference."""

    async def __call__(
        self, chunks: AsyncIterator[bytes], *, file_name: str, media_type: str
    ) -> FileRef:
        """Raises as ``FileStore.put`` does, and whatever ``chunks`` raises."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may carry, and how long its body may take."""

    upload_bytes: int  # of all drawings together
    upload_s: float
    idle_s: float  # a client that sends nothing that long is given up

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of a search."""
        return cls(
            settings.max_upload_bytes,
            upload_s=min(UPLOAD_S, 0.9 * settings.job_ttl_s),
            idle_s=settings.upload_idle_s,
        )

    @property
    def body_bytes(self) -> int:
        """Drawings, geometry and what is around them."""
        return self.upload_bytes + MAX_GEOMETRY_BYTES + MAX_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class Received:
    """What came with a request."""

    files: tuple[FileRef, ...]
    geometry: FileRef | None

    @property
    def size(self) -> int:
        """Bytes of all drawings."""
        return sum(ref.size or 0 for ref in self.files)

    @property
    def digests(self) -> tuple[str | None, ...]:
        """sha256 of each drawing, then of the geometry; equal for equal uploads.

        Of a direct upload without a digest its place.
        """
        geometry = self.geometry.sha256 if self.geometry else None
        return (*(ref.sha256 or ref.location for ref in self.files), geometry)


def check_body(request: Request, limits: Limits) -> bytes:
    """The boundary, before anything is read. Raises RequestError for a body that cannot be ours."""
    boundary = boundary_of(request.headers.get("content-type", ""))
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limits.body_bytes:
        raise too_large("The upload", limits.upload_bytes)
    return boundary


def parts_of(request: Request, boundary: bytes, limits: Limits) -> AsyncIterator[Part]:
    """The parts of the body, while it comes in."""
    body = body_of(request, limits.body_bytes, limits)
    return MultipartStream(body, boundary).parts()


async def receive(
    parts: AsyncIterator[Part],
    keep: Keep,
    inbox: Inbox,
    limits: Limits,
    *,
    given: tuple[FileRef, ...] = (),
) -> Received:
    """Stream every ``file`` part and the ``geom_json`` part through ``keep``.

    ``given`` are files that are stored already: then no ``file`` may come. Parts of other names
    are passed over. Raises RequestError (``EMPTY_FILE``, ``FILE_TOO_LARGE``,
    ``EMPTY_GEOMETRY``, ``INVALID_GEOMETRY``, ``MALFORMED_MULTIPART``, ``UPLOAD_TOO_SLOW``, ...)
    and RequestValidationError without a ``file``; what ``keep`` has stored by then is the
    caller's to delete.
    """
    files: list[FileRef] = [*given]
    geometry: FileRef | None = None
    budget = _Budget(limits.upload_bytes)
    count = references = 0
    async for part in parts:
        count += 1
        if count > MAX_PARTS or references > MAX_REFERENCES_BYTES:
            raise RequestError(
                "TOO_MANY_FILES", f"{len(files)} files are too many for one request; send several."
            )
        if part.name in {"upload_id", "file_ref"} or (given and part.name == "file"):
            raise RequestError(
                "REFERENCE_MISPLACED", "A reference comes first, once, and in place of a file."
            )
        if part.name == "file":
            ref = await keep(
                budget.spend(part.blocks()),
                file_name=part.file_name or "upload.bin",
                media_type=part.media_type,
            )
            files.append(ref)
            references += len(json.dumps(ref.model_dump(mode="json", exclude_defaults=True)))
        elif part.name == "geom_json":
            if geometry is not None:
                raise RequestError("INVALID_GEOMETRY", "Invalid geom_json: it was sent twice")
            geometry = await _receive_geometry(part, keep, inbox)
    if not files:
        raise RequestValidationError(
            [{"type": "missing", "loc": ("body", "file"), "msg": "Field required", "input": None}]
        )
    return Received(files=tuple(files), geometry=geometry)


async def measure(chunks: AsyncIterator[bytes], *, file_name: str, media_type: str) -> FileRef:
    """Size and sha256 of an upload that is not kept, as a reference to nothing."""
    digest, size = hashlib.sha256(), 0
    async for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return FileRef(
        backend=Backend.LOCAL,
        path="not-kept",
        sha256=digest.hexdigest(),
        size=size,
        file_name=file_name,
        media_type=media_type,
    )


def too_large(what: str, max_bytes: int) -> RequestError:
    """More bytes than the limit, which the sentence names."""
    return RequestError("FILE_TOO_LARGE", f"{what} is larger than the limit of {max_bytes} bytes.")


class _Budget:
    """How many bytes the drawings of one request may still have."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._spent = 0

    async def spend(self, blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for block in blocks:
            self._spent += len(block)
            if self._spent > self._max_bytes:
                raise too_large("The upload", self._max_bytes)
            yield block


async def take_geometry(part: Part, tray: Tray, inbox: Inbox) -> FileRef:
    """Geometry JSON as a checked file of the tray.

    Raises RequestError ``EMPTY_GEOMETRY``, ``INVALID_GEOMETRY`` or ``FILE_TOO_LARGE``.
    """
    try:
        draft = await tray.keep(
            part.blocks(),
            file_name="geometry.json",
            media_type="application/json",
            max_bytes=MAX_GEOMETRY_BYTES,
        )
    except RequestError as error:
        if error.code == "EMPTY_FILE":
            raise RequestError("EMPTY_GEOMETRY", "Empty geom_json") from error
        if error.code == "FILE_TOO_LARGE":
            raise too_large("geom_json", MAX_GEOMETRY_BYTES) from error
        raise
    await inbox.check_geometry(tray.path_of(draft), size=draft.size or 0)
    return draft


async def _receive_geometry(part: Part, keep: Keep, inbox: Inbox) -> FileRef:
    async with inbox.tray() as tray:
        draft = await take_geometry(part, tray, inbox)
        with tray.path_of(draft).open("rb") as file:

            async def blocks() -> AsyncIterator[bytes]:
                while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
                    yield block

            return await keep(blocks(), file_name="geometry.json", media_type="application/json")


async def body_of(request: Request, max_bytes: int, limits: Limits) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises ClientDisconnect, and RequestError for a limit."""
    received = 0
    clock = asyncio.get_running_loop()
    deadline = clock.time() + limits.upload_s
    more = True
    while more:
        try:
            async with asyncio.timeout_at(min(clock.time() + limits.idle_s, deadline)):
                message = await request.receive()
        except TimeoutError:
            raise RequestError(
                "UPLOAD_TOO_SLOW", "The upload took too long; it was given up."
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        if not more:
            mark_read(request)
        chunk: bytes = message.get("body", b"")
        received += len(chunk)
        if received > max_bytes:
            raise too_large("The body", max_bytes)
        if chunk:
            yield chunk
