"""How far a job of many drawings has come: two numbers in Redis, for whoever watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from dedup2d.tickets.connect import queue_errors
from dedup2d.tickets.keys import Keys
from dedup2d.tickets.model import Progress


class ProgressBoard:
    """Progress of jobs below ``prefix``; each is kept ``ttl_s`` seconds from its last change."""

    def __init__(self, redis: Redis, *, prefix: str, ttl_s: int) -> None:
        self._redis: Any = redis  # its annotations are unions over protocols and decoding
        self._keys = Keys(prefix)
        self._ttl_s = ttl_s

    async def tell(self, job_id: str, progress: Progress) -> None:
        """Write down how far the job is. Raises ServiceError ``QUEUE_UNAVAILABLE``."""
        with queue_errors():
            await self._redis.set(
                self._keys.progress(job_id), progress.model_dump_json(), ex=self._ttl_s
            )

    async def of_jobs(self, job_ids: Sequence[str]) -> dict[str, Progress]:
        """What is known of these jobs, in one round trip; a job that told nothing is left out."""
        if not job_ids:
            return {}
        with queue_errors():
            told = await self._redis.mget([self._keys.progress(job_id) for job_id in job_ids])
        return {
            job_id: Progress.model_validate_json(text)
            for job_id, text in zip(job_ids, told, strict=True)
            if text
        }
