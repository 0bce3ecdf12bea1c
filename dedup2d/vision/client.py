"""The client of a dedupcad-vision service: our Matcher over the predecessor's HTTP contract."""

# ruff: noqa: ARG002 - the Matcher protocol has tenants, paths and overlays, a service has none

from __future__ import annotations

import asyncio
import hashlib
import math
import mimetypes
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import stamina
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from dedup2d.errors import DrawingError, RequestError, ServiceError
from dedup2d.matcher import Indexed, LoadedDrawing
from dedup2d.options import SearchOptions
from dedup2d.report import Report
from dedup2d.settings import Settings
from dedup2d.vision.answers import (
    BAD_ANSWER,
    AddAnswer,
    HealthAnswer,
    RebuildAnswer,
    SearchAnswer,
    detail_of,
    read_answer,
    to_report,
)

CONNECT_TIMEOUT_S: Final = 5.0
MAX_ANSWER_BYTES: Final = 32 * 1024**2
UNAVAILABLE: Final = "VISION_UNAVAILABLE"
BUSY: Final = "VISION_BUSY"
HASH_MISSING: Final = "VISION_HASH_MISSING"
CIRCUIT_OPEN: Final = "VISION_CIRCUIT_OPEN"
_RETRIED: Final = frozenset({UNAVAILABLE, BUSY, BAD_ANSWER})
_ABOUT_THE_FILE: Final = frozenset({400, 413, 415})
_CIRCUIT: Final = "vision"

Picture = Callable[[LoadedDrawing], Awaitable[Path]]
"""What is sent for a drawing: a rendering would go in here."""
_Answered = TypeVar("_Answered")


class VisionMatcher:
    """Matching by a vision service; one connection pool and one circuit for all calls.

    Searching and health are retried (``vision_max_attempts``, Retry-After honoured up to
    ``vision_retry_max_s``), adding and rebuilding are not. After ``vision_circuit_threshold``
    failures in a row nothing is asked for ``vision_circuit_recovery_s`` seconds. A service
    knows no tenants: all share its vault. ``picture`` chooses the file that is sent instead
    of the drawing's own.

    Raises ServiceError ``VISION_UNAVAILABLE``, ``VISION_BUSY``, ``VISION_BAD_ANSWER``,
    ``VISION_CIRCUIT_OPEN`` or ``VISION_REFUSED``; DrawingError ``VISION_REFUSED_DRAWING``;
    RequestError ``VISION_REFUSED_OPTIONS``.
    """

    def __init__(self, settings: Settings, *, picture: Picture | None = None) -> None:
        self._settings = settings
        self._picture = picture or _file_itself
        self._client = httpx.AsyncClient(
            base_url=settings.vision_url,
            timeout=httpx.Timeout(settings.vision_timeout_s, connect=CONNECT_TIMEOUT_S),
            trust_env=False,  # settings.py reads the environment
        )
        self._circuits = AsyncCircuitBreakerFactory(
            default_threshold=settings.vision_circuit_threshold,
            default_ttl=settings.vision_circuit_recovery_s,
            exclude=[
                asyncio.CancelledError,  # our haste, not its fault
                DrawingError,
                RequestError,
                (ServiceError, lambda error: error.code == BUSY),
            ],
        )

    async def load(self, file_path: Path, scratch: Path) -> LoadedDrawing:
        """Hash and measure the file; the service reads it."""
        return await asyncio.to_thread(_measured, file_path)

    async def search(self, query: LoadedDrawing, options: SearchOptions, *, tenant: str) -> Report:
        """Ask the service; its sorting into duplicates and similar ones is kept."""
        form = {
            "mode": options.mode.value,
            "max_results": str(options.max_results),
            "compute_diff": _text(options.compute_diff),
            "enable_ml": _text(options.enable_ml),
            "enable_geometric": _text(options.enable_geometric),
        }

        async def ask() -> SearchAnswer:
            return read_answer(SearchAnswer, await self._post("/api/v2/search", query, form=form))

        return to_report(await self._again(ask), query)

    async def add(
        self,
        drawing: LoadedDrawing,
        *,
        tenant: str,
        user_name: str = "",
        path: str = "",
    ) -> Indexed:
        """Add the drawing to the service's vault."""
        params = {"user_name": user_name, "upload_to_s3": _text(True)}
        async with self._guarded():
            body = await self._post("/api/index/add", drawing, params=params)
            answer = read_answer(AddAnswer, body)
            if not answer.file_hash:
                raise ServiceError(
                    "vision", "dedupcad-vision response missing file_hash", code=HASH_MISSING
                )
        return Indexed(**answer.model_dump())

    async def rebuild(self, *, tenant: str) -> dict[str, Any]:
        """Have the service rebuild its index."""
        async with self._guarded():
            answer = read_answer(RebuildAnswer, await self._send("POST", "/api/v2/index/rebuild"))
        return answer.model_dump()

    async def health(self) -> dict[str, Any]:
        """The service's own words; ``status`` is there."""

        async def ask() -> HealthAnswer:
            return read_answer(HealthAnswer, await self._send("GET", "/health"))

        return (await self._again(ask)).model_dump()

    async def overlay_png(
        self,
        query: LoadedDrawing,
        report: Report,
        *,
        tenant: str,
        max_bytes: int,
    ) -> None:
        """Nothing to show: the service gives no geometry."""
        return

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _again(self, ask: Callable[[], Awaitable[_Answered]]) -> _Answered:
        """Ask until an answer comes or the attempts are used up."""
        attempts = stamina.retry_context(
            on=self._pause,
            attempts=self._settings.vision_max_attempts,
            timeout=None,
            wait_initial=self._settings.vision_retry_base_s,
            wait_max=self._settings.vision_retry_max_s,
            wait_jitter=self._settings.vision_retry_base_s,
        )
        async for attempt in attempts:
            with attempt:
                async with self._guarded():
                    return await ask()
        raise AssertionError("stamina raises the last error")

    def _pause(self, error: Exception) -> bool | float:
        """Whether to try again, or after how many seconds; a long wait is the caller's to keep."""
        if not isinstance(error, ServiceError) or error.code not in _RETRIED:
            return False
        if error.retry_after_s is None:
            return True
        return error.retry_after_s <= self._settings.vision_retry_max_s and error.retry_after_s

    @asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        """One attempt within the circuit; faults that are the service's count against it."""
        if not self._settings.vision_circuit_enabled:
            yield
            return
        breaker = await self._circuits.get_breaker(_CIRCUIT)
        try:
            async with breaker:
                yield
        except OpenedState as circuit:
            wait_s = circuit.opened_at + self._settings.vision_circuit_recovery_s - time.time()
            raise ServiceError(
                "vision",
                "The vision service failed repeatedly; it is left alone for a while.",
                code=CIRCUIT_OPEN,
                retry_after_s=max(1, math.ceil(wait_s)),
            ) from circuit

    async def _post(
        self,
        path: str,
        drawing: LoadedDrawing,
        *,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> bytes:
        picture = await self._picture(drawing)
        with picture.open("rb") as file:  # httpx reads it in pieces while it sends
            upload = {"file": (drawing.file_name, file, drawing.media_type)}
            return await self._send("POST", path, files=upload, data=form, params=params)

    async def _send(self, method: str, path: str, **request: Any) -> bytes:
        """The body of a 2xx answer; everything else is one of our errors."""
        try:
            async with self._client.stream(method, path, **request) as response:
                body = await _limited(response)
        except httpx.TimeoutException as error:
            raise ServiceError("vision", "The vision service took too long.") from error
        except httpx.HTTPError as error:
            raise ServiceError("vision", "The vision service cannot be reached.") from error
        if not response.is_success:
            raise _refusal(response, body, about_a_drawing="files" in request)
        return body


async def _file_itself(drawing: LoadedDrawing) -> Path:
    return drawing.file_path


async def _limited(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise ServiceError(
                "vision", "The vision service's answer is far too long.", code=BAD_ANSWER
            )
    return bytes(body)


def _refusal(
    response: httpx.Response, body: bytes, *, about_a_drawing: bool
) -> DrawingError | RequestError | ServiceError:
    status, detail = response.status_code, detail_of(body)
    reason = f": {detail}" if detail else "."
    if about_a_drawing and status in _ABOUT_THE_FILE:
        return DrawingError(
            "VISION_REFUSED_DRAWING", f"The vision service cannot read this drawing{reason}"
        )
    if about_a_drawing and status == httpx.codes.UNPROCESSABLE_ENTITY:
        return RequestError(
            "VISION_REFUSED_OPTIONS", f"The vision service does not take these options{reason}"
        )
    wait_s = _retry_after_s(response)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return ServiceError(
            "vision", "The vision service is busy.", code=BUSY, retry_after_s=wait_s
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        return ServiceError(
            "vision", f"The vision service failed (HTTP {status}){reason}", retry_after_s=wait_s
        )
    return ServiceError(
        "vision", f"The vision service refuses us (HTTP {status}){reason}", code="VISION_REFUSED"
    )


def _retry_after_s(response: httpx.Response) -> float | None:
    """Retry-After in seconds (RFC 9110, 10.2.3); None where it is absent or unreadable."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _measured(path: Path) -> LoadedDrawing:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return LoadedDrawing(
        file_path=path,
        file_name=path.name,
        file_hash=digest,
        size=size,
        format=path.suffix.lower().removeprefix("."),
        media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
    )


def _text(value: bool) -> str:
    return "true" if value else "false"
