"""The one place that makes HTTP answers of errors, with the predecessor's codes and bodies.

Every body is ``{"detail": ...}``. Some details are plain sentences because the predecessor's
clients compare them; most are ``{"error": CODE, "message": sentence, ...}``. The header
``X-Error-Code`` carries the code in both cases. No answer shows a traceback or a server path;
an unexpected error gets an id that the log has too.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path

from dedup2d.errors import (
    ConflictError,
    Dedup2DError,
    DrawingError,
    LimitError,
    QueueFullError,
    RequestError,
    ServiceError,
)
from dedup2d.gateway.linger import LastAnswer, is_sending

logger = logging.getLogger(__name__)

ERROR_HEADER: Final = "X-Error-Code"
RETRY_AFTER_S: Final = 5
METHOD_NOT_ALLOWED: Final = 405
STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "JOB_NOT_FOUND": 404,
    "DELIVERY_NOT_FOUND": 404,
    "UPLOAD_NOT_FOUND": 404,
    "JOB_FORBIDDEN": 403,
    "LOOPBACK_ONLY": 403,
    "TIME_LIMIT": 504,
    "UPLOAD_TOO_SLOW": 408,
    "TICKET_GONE": 408,  # the place in the queue expired before the upload was complete
    "FILE_TOO_LARGE": 413,
    "TOO_MANY_FILES": 413,
    "MULTIPART_EXPECTED": 415,
}
BAD_ANSWERS: Final = {"VISION_BAD_ANSWER", "VISION_HASH_MISSING"}
PLAIN: Final = {  # their messages are the predecessor's sentences
    *("EMPTY_GEOMETRY", "INVALID_GEOMETRY", "INVALID_FILE_HASH"),
    *("INVALID_MODE", "INVALID_PRECISION_PROFILE", "VISION_HASH_MISSING"),
}
_SENTENCES: Final[Mapping[str, str]] = {
    "EMPTY_FILE": "Empty file",
    "VISION_UNAVAILABLE": "dedupcad-vision unavailable",
    "VISION_CIRCUIT_OPEN": "dedupcad-vision circuit open",
}


def install(app: FastAPI) -> None:
    """Let ``app`` answer every error from here."""
    app.add_exception_handler(Dedup2DError, _on_ours)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_unexpected)


def status_of(error: Dedup2DError) -> int:
    """The HTTP status of one of our errors."""
    match error:
        case QueueFullError() | LimitError():
            return 429
        case ConflictError():
            return 409
        case ServiceError():
            return 502 if error.code in BAD_ANSWERS else 503
        case RequestError() | DrawingError():
            return STATUS_OF_CODE.get(error.code, 400)
    return 500


def detail_of(error: Dedup2DError) -> Any:
    """What stands under ``detail``."""
    if error.code in {"JOB_NOT_FOUND", "JOB_FORBIDDEN"}:
        return {"error": error.code, "job_id": str(error.args[0])}
    if error.code == "UNKNOWN_PRESET":
        return error.message.partition(". Known: ")[0]
    if error.code in PLAIN:
        return error.message
    if sentence := predecessors_sentence(error.code):
        return sentence
    detail: dict[str, Any] = {"error": error.code, "message": error.message}
    match error:
        case QueueFullError():
            detail |= {"max_jobs": error.max_jobs, "current_jobs": error.current_jobs}
        case ServiceError():
            detail |= {"service": error.service}
    return detail


def predecessors_sentence(code: str) -> str | None:
    """The whole detail of errors with this code, where the predecessor had a fixed sentence."""
    return _SENTENCES.get(code)


def headers_of(error: Dedup2DError) -> dict[str, str]:
    """The error's code, and when to try again where that makes sense."""
    headers = {ERROR_HEADER: error.code}
    match error:
        case QueueFullError() | LimitError() | ServiceError():
            headers["Retry-After"] = str(math.ceil(error.retry_after_s or RETRY_AFTER_S))
        case ConflictError(code="IDEMPOTENCY_IN_PROGRESS" | "UPLOAD_BUSY"):
            headers["Retry-After"] = "1"
    return headers


async def _on_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, Dedup2DError)
    if isinstance(error, ServiceError):
        cause = f" ({error.__cause__!r})" if error.__cause__ else ""
        logger.warning("%s %s: %s%s", request.method, request.url.path, error, cause)
    return _answer(request, status_of(error), detail_of(error), headers_of(error))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == METHOD_NOT_ALLOWED and (methods := _methods(request)):
        error.headers = {"Allow": ", ".join(methods)}
    return _answer(request, error.status_code, error.detail, error.headers)


def _methods(request: Request) -> list[str]:
    """What may be asked of this path; the framework names the methods of one route only."""
    return sorted(
        method.upper()
        for template, methods in request.app.openapi()["paths"].items()
        if compile_path(template)[0].match(request.url.path)
        for method in methods
    )


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    detail = [{k: v for k, v in item.items() if k != "ctx"} for item in error.errors()]
    headers = {ERROR_HEADER: "INVALID_REQUEST"}
    return _answer(request, 422, jsonable_encoder(_sayable(detail)), headers)


async def _on_disconnect(request: Request, _error: Exception) -> Response:
    logger.info("%s %s: the client went away", request.method, request.url.path)
    return Response(status_code=400)  # nobody reads it


async def _on_unexpected(request: Request, _error: Exception) -> Response:
    error_id = uuid4().hex
    # The server logs the traceback right after this line.
    logger.error("error %s in %s %s", error_id, request.method, request.url.path)
    detail = {
        "error": "INTERNAL_ERROR",
        "message": "Something unexpected went wrong; the gateway's log has it under error_id.",
        "error_id": error_id,
    }
    return _answer(request, 500, detail, {ERROR_HEADER: "INTERNAL_ERROR"})


def _answer(
    request: Request, status: int, detail: Any, headers: Mapping[str, str] | None
) -> Response:
    kind = LastAnswer if is_sending(request) else JSONResponse
    return kind({"detail": _sayable(detail)}, status, headers=headers)


def _sayable(value: Any) -> Any:
    """What a client sent comes back to it: JSON and UTF-8 have no NaN and no half a surrogate."""
    match value:
        case dict():
            return {_sayable(name): _sayable(about) for name, about in value.items()}
        case list() | tuple():
            return [_sayable(item) for item in value]
        case str():
            return value.encode("utf-8", "replace").decode()
        case bytes():
            return value.decode("utf-8", "replace")
        case float() if not math.isfinite(value):
            return str(value)
    return value
