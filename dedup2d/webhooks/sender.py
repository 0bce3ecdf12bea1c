"""Delivering a webhook: fresh signature per attempt, one delivery id over all of them."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, Literal

import httpx

from dedup2d.errors import RequestError
from dedup2d.net.guard import AddressGuard
from dedup2d.net.transport import GuardedTransport
from dedup2d.settings import Settings
from dedup2d.tickets.model import Delivery
from dedup2d.webhooks.schedule import Schedule, parse_retry_after
from dedup2d.webhooks.signature import signature_headers

USER_AGENT: Final = "cad-ml-platform/dedup2d-webhook"  # the predecessor's: receivers know it
MAX_RESPONSE_BYTES: Final = 4096

_RETRYABLE: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one POST ended; ``error`` is None where the receiver accepted (2xx)."""

    http_status: int | None = None
    error: str | None = None
    retryable: bool = False
    retry_after_s: float = 0


class WebhookSender:
    """Sends webhooks through the address guard, over one reused client that keeps no cookies.

    ``sleep`` and ``jitter(low, high)`` are what waits between attempts and how long.
    """

    def __init__(
        self,
        settings: Settings,
        guard: AddressGuard,
        *,
        ssl_context: ssl.SSLContext | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._sleep = sleep
        self._jitter = jitter
        self._schedule = Schedule.from_settings(settings)
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(guard, ssl_context=ssl_context),
            timeout=settings.callback_timeout_s,
            trust_env=False,
            headers={"User-Agent": USER_AGENT},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def deliver(
        self,
        delivery_id: str,
        url: str,
        *,
        job_id: str,
        tenant_id: str,
        body: bytes,
        attempts_before: int = 0,
        progress: Callable[[Delivery], Awaitable[None]] | None = None,
    ) -> Delivery:
        """Try until the receiver accepts, refuses, or the attempts are used up.

        Accepted is 2xx. Tried again, by the schedule of the settings, are 408, 425, 429, 5xx
        and network errors. Everything else ends it; redirects are never followed. The
        receiver's faults are in the result, never raised.

        ``progress`` is told of each attempt after which another will follow, so that it can be
        written down and the right to deliver prolonged; ``attempts_before`` is how many were
        written down by a sender that died.
        """
        attempts = attempts_before
        while True:
            attempts += 1
            attempt = await self.attempt(
                delivery_id, url, job_id=job_id, tenant_id=tenant_id, body=body
            )
            wait_s = self._schedule.wait_s(attempts, attempt.retry_after_s, self._jitter)
            ended = wait_s is None or not attempt.retryable
            delivery = _delivery(delivery_id, job_id, attempts, attempt, ended=ended)
            if wait_s is None or ended:
                return delivery
            if progress is not None:
                await progress(delivery)
            await self._sleep(wait_s)

    async def attempt(
        self, delivery_id: str, url: str, *, job_id: str, tenant_id: str, body: bytes
    ) -> Attempt:
        """One POST; the address is checked again, and the time limit holds for all of it."""
        headers = self._headers(delivery_id, job_id, tenant_id, body)
        try:
            async with asyncio.timeout(self._settings.callback_timeout_s):
                return await self._post(url, headers, body)
        except RequestError as error:
            return Attempt(error=error.message)
        except TimeoutError:
            return Attempt(error="The receiver did not answer in time.", retryable=True)
        except httpx.TransportError as error:
            return Attempt(
                error=f"The receiver could not be reached: {type(error).__name__}.", retryable=True
            )

    async def _post(self, url: str, headers: httpx.Headers, body: bytes) -> Attempt:
        self._guard.check_form(url)
        async with self._client.stream("POST", url, content=body, headers=headers) as answer:
            await _read_a_little(answer)
            if answer.is_success:
                return Attempt(http_status=answer.status_code)
            return Attempt(
                http_status=answer.status_code,
                error=f"The receiver answered with status {answer.status_code}.",
                retryable=answer.is_server_error or answer.status_code in _RETRYABLE,
                retry_after_s=parse_retry_after(answer.headers.get("retry-after", ""), time.time()),
            )

    def _headers(self, delivery_id: str, job_id: str, tenant_id: str, body: bytes) -> httpx.Headers:
        secret = self._settings.callback_hmac_secret
        headers = {
            "Content-Type": "application/json",
            "X-Dedup-Job-Id": job_id,
            "X-Dedup-Tenant-Id": tenant_id,
            "X-Dedup-Delivery-Id": delivery_id,
        } | signature_headers(
            (secret,) if secret else (),
            delivery_id=delivery_id,
            job_id=job_id,
            body=body,
            timestamp=int(time.time()),
        )
        return httpx.Headers(headers, encoding="utf-8")


def _delivery(
    delivery_id: str, job_id: str, attempts: int, attempt: Attempt, *, ended: bool
) -> Delivery:
    status: Literal["pending", "success", "failed"] = "pending"
    if ended:
        status = "success" if attempt.error is None else "failed"
    return Delivery(
        delivery_id=delivery_id,
        job_id=job_id,
        status=status,
        attempts=attempts,
        http_status=attempt.http_status,
        finished_at=datetime.now(UTC) if ended else None,
        last_error=attempt.error,
    )


async def _read_a_little(answer: httpx.Response) -> None:
    """Read a short body to its end, so that the connection can be used again; else hang up."""
    read = 0
    async for chunk in answer.aiter_raw():
        read += len(chunk)
        if read >= MAX_RESPONSE_BYTES:
            return
