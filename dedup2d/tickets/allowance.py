"""How much a tenant may do: requests a second, bytes a day. Counted in Redis for all gateways."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from redis.asyncio import Redis

from dedup2d.errors import LimitError
from dedup2d.tickets import keys
from dedup2d.tickets.connect import queue_errors, script
from dedup2d.tickets.keys import Keys

MICROSECONDS: Final = 1_000_000


class Allowance:
    """Counts below ``prefix``. Every method raises ServiceError when Redis does not answer."""

    def __init__(self, redis: Redis, *, prefix: str) -> None:
        self._keys = Keys(prefix)
        self._pace = redis.register_script(script("clock", "pace"))
        self._spend: Any = redis.register_script(script("spend"))

    async def request(self, tenant_id: str, per_second: float) -> None:
        """Count one request; a second's worth may come at once.

        Raises LimitError ``TOO_MANY_REQUESTS``.
        """
        burst = max(1, math.ceil(per_second))
        with queue_errors():
            wait = await self._pace(keys=[self._keys.rate(tenant_id)], args=[per_second, burst, ""])
        if wait:
            raise LimitError(
                "TOO_MANY_REQUESTS",
                f"More than {per_second:g} requests a second; come a little later.",
                retry_after_s=wait / MICROSECONDS,
            )

    async def upload(self, tenant_id: str, size: int, per_day: int) -> None:
        """Count ``size`` bytes of today (UTC); a negative size gives some back.

        Raises LimitError ``UPLOAD_LIMIT`` where they are too many; then none are counted.
        """
        now = datetime.now(UTC)
        place = self._keys.uploaded(tenant_id, f"{now:%Y%m%d}")
        with queue_errors():
            fits = await self._spend(keys=[place], args=[size, per_day, keys.COUNTED_S])
        if not fits:
            raise LimitError(
                "UPLOAD_LIMIT",
                f"More than {per_day} bytes of uploads a day (UTC).",
                retry_after_s=(_midnight_after(now) - now).total_seconds(),
            )


def _midnight_after(now: datetime) -> datetime:
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
