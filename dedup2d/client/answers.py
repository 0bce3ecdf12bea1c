"""Error answers of the HTTP interface as our errors."""

from __future__ import annotations

from typing import Any, Final

import httpx

from dedup2d.errors import ConflictError, Dedup2DError, QueueFullError, RequestError, ServiceError

SERVICE: Final = "gateway"
CODE_HEADER: Final = "X-Error-Code"
FIRST_SERVER_ERROR: Final = 500
_CODES: Final = {  # of answers that carry a sentence only, as some of the predecessor's do
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    413: "FILE_TOO_LARGE",
    422: "INVALID_REQUEST",
    429: "TOO_MANY_REQUESTS",
}


def error_of(response: httpx.Response) -> Dedup2DError:
    """What an answer that is no success means: RequestError below 500, ServiceError above.

    Understands ``{"detail": "..."}``, ``{"detail": {"error", "message"}}``,
    ``{"error", "message"}``, FastAPI's list of validation errors, and no JSON at all.
    """
    body = _body(response)
    code = str(body.get("error") or body.get("code") or response.headers.get(CODE_HEADER, ""))
    message = str(body.get("message") or "") or _sentence(response, body)
    status = response.status_code
    if status >= FIRST_SERVER_ERROR:
        return ServiceError(SERVICE, message, code=code, retry_after_s=_retry_after_s(response))
    if code == "JOB_QUEUE_FULL":
        wait_s = int(_retry_after_s(response) or 5)
        return QueueFullError(
            int(body.get("max_jobs", 0)), int(body.get("current_jobs", 0)), wait_s
        )
    kind = ConflictError if status == httpx.codes.CONFLICT else RequestError
    return kind(code or _CODES.get(status, f"HTTP_{status}"), message)


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    detail = body.get("detail", body) if isinstance(body, dict) else body
    if isinstance(detail, list):
        return {"error": "INVALID_REQUEST", "message": "; ".join(map(_validation, detail))}
    return detail if isinstance(detail, dict) else {"message": detail}


def _validation(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    place = ".".join(str(part) for part in item.get("loc", ())[1:])
    return f"{place}: {item.get('msg', '')}" if place else str(item.get("msg", ""))


def _sentence(response: httpx.Response, body: dict[str, Any]) -> str:
    job_id = body.get("job_id")
    if job_id and response.status_code == httpx.codes.NOT_FOUND:
        return f"There is no job {job_id}, or it has expired."
    if job_id and response.status_code == httpx.codes.FORBIDDEN:
        return f"Job {job_id} belongs to another tenant."
    return f"The server answered {response.status_code} {response.reason_phrase}."


def _retry_after_s(response: httpx.Response) -> float | None:
    try:
        return float(response.headers.get("Retry-After", ""))
    except ValueError:  # absent, or a date
        return None
