"""Asking Prefect again, soon: a server on SQLite says 503 whenever its database is locked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import httpx
import stamina

from dedup2d.errors import ServiceError

ATTEMPTS: Final = 25
FIRST_PAUSE_S: Final = 0.1  # doubled each time, with jitter
LONGEST_PAUSE_S: Final = 1.0
LIMIT_S: Final = 20.0  # a refused client would have to send its upload again

T = TypeVar("T")


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """``call()``, repeated while Prefect is at fault; it must do no harm when done twice.

    Raises the last ServiceError; every other error at once.
    """
    async for attempt in stamina.retry_context(
        on=_is_prefects_fault,
        attempts=ATTEMPTS,
        timeout=LIMIT_S,
        wait_initial=FIRST_PAUSE_S,
        wait_max=LONGEST_PAUSE_S,
        wait_jitter=FIRST_PAUSE_S,
    ):
        with attempt:
            return await call()
    raise AssertionError("unreachable: the last attempt raises")


def _is_prefects_fault(error: Exception) -> bool:
    if not isinstance(error, ServiceError) or error.service != "prefect":
        return False
    if isinstance(error.__cause__, httpx.ConnectError):
        return False  # Prefect's client has tried several times by then
    return (error.retry_after_s or 0) <= LIMIT_S  # else it says itself that it will take long
