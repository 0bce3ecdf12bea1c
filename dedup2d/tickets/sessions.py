"""Sessions of direct uploads: whose they are, what will come, and which job took them."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis

from dedup2d.errors import RequestError
from dedup2d.fileref import FileRef
from dedup2d.tickets.connect import queue_errors
from dedup2d.tickets.keys import Keys


class UploadSession(BaseModel):
    """Files that a client sends by itself, for one job.

    ``upload_id`` is the folder of the files, and will be the ticket of the job. ``job_id`` is
    empty until there is one; ``request_digest`` is what that job was asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    upload_id: str
    tenant_id: str
    token_sha256: str
    files: tuple[FileRef, ...]
    expires_at: datetime
    job_id: str = ""
    request_digest: str = ""

    def fits(self, token: str) -> bool:
        """Whether this is the session's token, in a time that tells nothing about it."""
        given = hashlib.sha256(token.encode()).hexdigest()
        return hmac.compare_digest(given, self.token_sha256)


class UploadSessions:
    """Sessions below ``prefix``; references only, and each expires."""

    def __init__(self, redis: Redis, *, prefix: str) -> None:
        self._redis: Any = redis  # its annotations are unions over protocols and decoding
        self._keys = Keys(prefix)

    async def open(self, session: UploadSession, *, ttl_s: int) -> None:
        """Keep a new session for ``ttl_s`` seconds."""
        with queue_errors():
            await self._redis.set(
                self._keys.upload(session.upload_id), session.model_dump_json(), ex=ttl_s
            )

    async def get(self, upload_id: str, tenant_id: str | None) -> UploadSession:
        """The session. Raises RequestError ``UPLOAD_NOT_FOUND``, also for another tenant's.

        ``tenant_id`` None asks for anybody's, whose token is the caller's to check.
        """
        with queue_errors():
            text = await self._redis.get(self._keys.upload(upload_id))
        session = UploadSession.model_validate_json(text) if text else None
        if session is None or tenant_id not in {None, session.tenant_id}:
            raise unknown_upload()
        return session

    async def taken(self, session: UploadSession, *, job_id: str, request_digest: str) -> None:
        """Remember the job that the session's files belong to now."""
        update = {"job_id": job_id, "request_digest": request_digest}
        taken = session.model_copy(update=update)
        with queue_errors():
            await self._redis.set(
                self._keys.upload(session.upload_id),
                taken.model_dump_json(),
                xx=True,
                keepttl=True,
            )

    async def forget(self, session: UploadSession) -> None:
        """End it."""
        with queue_errors():
            await self._redis.delete(self._keys.upload(session.upload_id))


def unknown_upload() -> RequestError:
    """There is no such session for whoever asks."""
    return RequestError("UPLOAD_NOT_FOUND", "There is no such upload, or it has expired.")
