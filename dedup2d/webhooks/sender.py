"""Sending a webhook: one attempt, freshly signed, under the delivery's fixed id."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx

from dedup2d.errors import RequestError
from dedup2d.net.guard import AddressGuard
from dedup2d.net.transport import GuardedTransport
from dedup2d.settings import Settings
from dedup2d.webhooks.schedule import parse_retry_after
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

    ``secrets_of(tenant_id)`` gives what signs a tenant's webhooks, newest first; those of the
    settings by default. ``clock`` gives Unix seconds.
    """

    def __init__(
        self,
        settings: Settings,
        guard: AddressGuard,
        *,
        ssl_context: ssl.SSLContext | None = None,
        secrets_of: Callable[[str], Awaitable[Sequence[str]]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._secrets_of = secrets_of
        self._clock = clock
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

    async def attempt(
        self, delivery_id: str, url: str, *, job_id: str, tenant_id: str, body: bytes
    ) -> Attempt:
        """One POST; the address is checked again, and the time limit holds for all of it.

        Accepted is 2xx. To be tried again are 408, 425, 429, 5xx and network errors; redirects
        are never followed. The receiver's faults are in the result, never raised. Raises
        ServiceError where the tenant's secrets cannot be had.
        """
        headers = await self._headers(delivery_id, job_id, tenant_id, body)
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
                retry_after_s=parse_retry_after(
                    answer.headers.get("retry-after", ""), self._clock()
                ),
            )

    async def _headers(
        self, delivery_id: str, job_id: str, tenant_id: str, body: bytes
    ) -> httpx.Headers:
        secrets: Sequence[str] = self._settings.callback_secrets
        if self._secrets_of is not None:
            secrets = await self._secrets_of(tenant_id)
        headers = {
            "Content-Type": "application/json",
            "X-Dedup-Job-Id": job_id,
            "X-Dedup-Tenant-Id": tenant_id,
            "X-Dedup-Delivery-Id": delivery_id,
        } | signature_headers(
            secrets,
            delivery_id=delivery_id,
            job_id=job_id,
            body=body,
            timestamp=int(self._clock()),
        )
        return httpx.Headers(headers, encoding="utf-8")


async def _read_a_little(answer: httpx.Response) -> None:
    """Read a short body to its end, so that the connection can be used again; else hang up."""
    read = 0
    async for chunk in answer.aiter_raw():
        read += len(chunk)
        if read >= MAX_RESPONSE_BYTES:
            return
