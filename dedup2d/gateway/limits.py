"""What a tenant may use of this installation: the settings, or what its document says."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

from dedup2d.errors import LimitError, ServiceError
from dedup2d.fileref import FileRef
from dedup2d.gateway.state import Gateway
from dedup2d.gateway.uploads import Keep

logger = logging.getLogger(__name__)

RESERVED_BYTES: Final = 4 * 1024**2  # of the day's bytes, in one step, while an upload comes in


async def check_pace(gateway: Gateway, tenant_id: str) -> None:
    """Count a request. Raises LimitError; a Redis that is away lets it pass."""
    limits = await gateway.services.tenants.limits(tenant_id)
    per_second = limits.requests_per_s
    if per_second is None:
        per_second = gateway.settings.tenant_requests_per_s
    if not per_second:
        return
    try:
        await gateway.services.allowance.request(tenant_id, per_second)
    except ServiceError as error:  # whatever needs the queue says so itself
        logger.warning("requests are not counted: %s", error)


async def metered(gateway: Gateway, tenant_id: str, keep: Keep) -> Keep:
    """``keep``, counting what it is given; raises LimitError ``UPLOAD_LIMIT`` on the way."""
    per_day = await _bytes_per_day(gateway, tenant_id)
    return _Metered(gateway, tenant_id, keep, per_day) if per_day else keep


async def reserve_bytes(gateway: Gateway, tenant_id: str, size: int) -> None:
    """Count an upload before it comes. Raises LimitError ``UPLOAD_LIMIT``."""
    per_day = await _bytes_per_day(gateway, tenant_id)
    if per_day:
        await gateway.services.allowance.upload(tenant_id, size, per_day)


async def _bytes_per_day(gateway: Gateway, tenant_id: str) -> int:
    """0 is without limit."""
    per_day = (await gateway.services.tenants.limits(tenant_id)).upload_bytes_per_day
    return gateway.settings.tenant_upload_bytes_per_day if per_day is None else per_day


@dataclass(frozen=True, slots=True)
class _Metered:
    gateway: Gateway
    tenant_id: str
    keep: Keep
    per_day: int

    async def __call__(
        self, chunks: AsyncIterator[bytes], *, file_name: str, media_type: str
    ) -> FileRef:
        """See ``Keep``."""
        async with aclosing(self._count(chunks)) as counted:
            return await self.keep(counted, file_name=file_name, media_type=media_type)

    async def _count(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Reserve ahead in large steps; give back what was too much, or all of a refused upload."""
        reserved = counted = 0
        try:
            async for chunk in chunks:
                if len(chunk) > reserved:
                    reserved += await self._reserve(len(chunk) - reserved)
                reserved -= len(chunk)
                counted += len(chunk)
                yield chunk
        except LimitError:
            reserved += counted
            raise
        finally:
            if reserved:
                await self._upload(-reserved)

    async def _reserve(self, needed: int) -> int:
        """A whole step while the day has as much left, then what is needed and no more."""
        if needed < RESERVED_BYTES:
            with suppress(LimitError):
                await self._upload(RESERVED_BYTES)
                return RESERVED_BYTES
        await self._upload(needed)
        return needed

    async def _upload(self, size: int) -> None:
        await self.gateway.services.allowance.upload(self.tenant_id, size, self.per_day)
