"""Why each endpoint may refuse a request, for the OpenAPI document, with an example of each."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from dedup2d.gateway.documents import Responses, examples_of
from dedup2d.gateway.examples import HEALTH, JOB_ID
from dedup2d.gateway.problems import AdminProblem, InvalidRequest, Problem


def _problem(description: str, *details: Any, model: type[BaseModel] = Problem) -> dict[str, Any]:
    named = {_name(detail): {"detail": detail} for detail in details}
    content = {"application/json": examples_of(named)}
    return {"description": description, "model": model, "content": content}


def _name(detail: Any) -> str:
    """How an example is called: its code, or its sentence."""
    if isinstance(detail, dict):
        return str(detail.get("error") or detail.get("message"))
    return detail if isinstance(detail, str) else str(detail[0]["type"])


def _coded(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"error": code, "message": message, **more}


def _admins(message: str, hint: str, source: str = "security") -> dict[str, Any]:
    return {
        "code": "AUTHORIZATION_FAILED",
        "source": source,
        "severity": "error",
        "message": message,
        "context": {"hint": hint},
    }


_UNEXPECTED: Final = _coded(
    "INTERNAL_ERROR",
    "Something unexpected went wrong; the gateway's log has it under error_id.",
    error_id="0d9f7c5e3b1a49c88f6e2d4b7a5c3e1f",
)
_LOOPBACK: Final = _coded(
    "LOOPBACK_ONLY",
    "Without API keys only programs on the gateway's own machine are served; "
    "set API_KEYS to serve others.",
)
_AWAY: Final = _coded(
    "PREFECT_UNAVAILABLE", "The Prefect server does not answer.", service="prefect"
)
_STORE_AWAY: Final = _coded(
    "STORE_UNAVAILABLE", "The file store cannot read the file: AccessDenied.", service="store"
)
_DAMAGED: Final = _coded(
    "TENANT_CONFIG_DAMAGED",
    "The stored configuration of this tenant is damaged; set it again or delete it.",
    service="store",
)
_TRUNCATED: Final = _coded("TRUNCATED_DRAWING", "The drawing ends early.")
_NO_FORM: Final = _coded(
    "MULTIPART_EXPECTED", "The body must be multipart/form-data with a part named file."
)
_HALF_A_FORM: Final = _coded(
    "MALFORMED_MULTIPART",
    "The multipart body is malformed: it ends before its closing boundary.",
)
_LARGE: Final = _coded("FILE_TOO_LARGE", "The upload is larger than the limit of 1073741824 bytes.")
_MANY: Final = _coded("TOO_MANY_FILES", "900 files are too many for one request; send several.")
_SLOW: Final = _coded("UPLOAD_TOO_SLOW", "The upload took too long; it was given up.")
_TIME_LIMIT: Final = _coded("TIME_LIMIT", "The drawing took longer than the limit of 60 seconds.")
_NO_UPLOAD: Final = _coded("UPLOAD_NOT_FOUND", "There is no such upload, or it has expired.")
_TOO_MANY: Final = _coded(
    "TOO_MANY_REQUESTS", "More than 20 requests a second; come a little later."
)
_TOO_BUSY: Final = _coded("TOO_BUSY", "More drawings come in than can be taken.")
_TOO_MUCH: Final = _coded("UPLOAD_LIMIT", "More than 1000000000 bytes of uploads a day (UTC).")
_LATER: Final = "more than the tenant may ask or upload; Retry-After says when to come back"
_RETRY: Final = "a service is away; Retry-After says when to try again"


def _invalid(place: str, name: str, message: str, kind: str, given: Any) -> dict[str, Any]:
    item = {"type": kind, "loc": [place, name], "msg": message, "input": given}
    return _problem("a value is not what its place asks for", [item], model=InvalidRequest)


_MISSING_FILE: Final = {422: _invalid("body", "file", "Field required", "missing", None)}

# Of every endpoint that needs no key.
OPEN_PROBLEMS: Final[Responses] = {500: _problem("our fault", _UNEXPECTED)}
# Of every endpoint.
ANY_PROBLEMS: Final[Responses] = OPEN_PROBLEMS | {
    401: _problem("no valid API key", "Missing API Key", "Invalid API Key"),
    403: _problem("no API keys are set, and the request comes from afar", _LOOPBACK),
    429: _problem(_LATER, _TOO_MANY),
    503: _problem(_RETRY, _AWAY, _STORE_AWAY),
}
_JOB_UNKNOWN: Final = {"error": "JOB_NOT_FOUND", "job_id": JOB_ID}
JOB_PROBLEMS: Final[Responses] = ANY_PROBLEMS | {
    403: _problem(
        "the job of another tenant", {"error": "JOB_FORBIDDEN", "job_id": JOB_ID}, _LOOPBACK
    ),
    404: _problem("no such job, or expired", _JOB_UNKNOWN),
    422: _invalid(
        "path", "job_id", "String should have at most 255 characters", "string_too_long", "…"
    ),
}
DELIVERY_PROBLEMS: Final[Responses] = JOB_PROBLEMS | {
    404: _problem(
        "no such job or delivery, or expired",
        _JOB_UNKNOWN,
        _coded("DELIVERY_NOT_FOUND", "The job has no such delivery."),
    ),
    409: _problem("the job goes on", _coded("JOB_NOT_ENDED", "The job has not ended yet.")),
}
LIST_PROBLEMS: Final[Responses] = ANY_PROBLEMS | {
    400: _problem(
        "no such status",
        _coded("INVALID_STATUS_FILTER", "Invalid status: done. Valid values: pending, …"),
    ),
    422: _invalid(
        "query", "limit", "Input should be less than or equal to 200", "less_than_equal", "500"
    ),
}
HEALTH_PROBLEMS: Final[Responses] = OPEN_PROBLEMS | {
    503: _problem(
        "not ready; Retry-After says when to ask again",
        HEALTH | {"status": "unhealthy"} | _coded("UNHEALTHY", "Not ready: worker."),
        "dedupcad-vision circuit open",
        "dedupcad-vision unavailable",
    )
}
_UPLOAD: Final[Responses] = ANY_PROBLEMS | {
    408: _problem("the upload took too long", _SLOW),
    413: _problem("larger than allowed, or too many files", _LARGE, _MANY),
    415: _problem("the body is no form", _NO_FORM),
    429: _problem(_LATER, _TOO_MANY, _TOO_MUCH),
}
_GEOMETRY: Final = ("Empty geom_json", "Invalid geom_json: it must be a JSON object, not an array")
GEOMETRY_PROBLEMS: Final[Responses] = (
    _UPLOAD
    | {422: _invalid("body", "left_geom_json", "Field required", "missing", None)}
    | {
        400: _problem("a document is wrong", *_GEOMETRY, _HALF_A_FORM),
        504: _problem("comparing took too long", _TIME_LIMIT),
    }
)
VISION_PROBLEMS: Final[Responses] = (
    _UPLOAD
    | _MISSING_FILE
    | {
        400: _problem("the drawing is wrong", "Empty file", _TRUNCATED, _HALF_A_FORM),
        504: _problem("reading or matching took too long", _TIME_LIMIT),
    }
)
ADD_PROBLEMS: Final[Responses] = VISION_PROBLEMS | {
    400: _problem(
        "the drawing or the geometry is wrong",
        *("Empty file", _TRUNCATED, *_GEOMETRY, _HALF_A_FORM),
        _coded("ONE_FILE_EXPECTED", "One drawing at a time is added to the index."),
    ),
    502: _problem(
        "the vision service answers wrongly",
        "dedupcad-vision response missing file_hash",
        _coded("VISION_BAD_ANSWER", "The vision service answered wrongly.", service="vision"),
    ),
    503: _problem(_RETRY, _STORE_AWAY, "dedupcad-vision unavailable"),
}
REBUILD_PROBLEMS: Final[Responses] = ANY_PROBLEMS | {
    502: ADD_PROBLEMS[502],
    503: ADD_PROBLEMS[503],
}
SEARCH_PROBLEMS: Final[Responses] = ADD_PROBLEMS | {
    400: _problem(
        "the drawing, the geometry or a parameter is wrong",
        *("Empty file", _TRUNCATED, *_GEOMETRY, _HALF_A_FORM, "Unknown preset: strictest"),
        _coded(
            "INVALID_OPTIONS",
            "similar_threshold (0.9) must not be above duplicate_threshold (0.5)",
        ),
        _coded("CALLBACK_URL_INVALID", "The address is not allowed."),
        _coded("CALLBACK_UNSUPPORTED", "callback_url needs async=true."),
        _coded("FOREIGN_REF", "The reference is to no upload of yours."),
    ),
    404: _problem("no such upload of yours, or expired", _NO_UPLOAD),
    408: _problem(
        "the upload took too long",
        _SLOW,
        _coded("TICKET_GONE", "The place in the queue expired before the upload was complete."),
    ),
    409: _problem(
        "the idempotency key was used for another request, or the job was canceled",
        _coded("IDEMPOTENCY_CONFLICT", "This idempotency key came with another drawing before."),
        _coded("IDEMPOTENCY_IN_PROGRESS", "The first request with this key still runs."),
        _coded("UPLOAD_INCOMPLETE", "part.dxf: 4096 of 48213 bytes are there."),
        _coded("JOB_CANCELED", "The job was canceled.", job_id=JOB_ID),
    ),
    422: _invalid(
        "query", "mode", "Input should be 'fast', 'balanced' or 'precise'", "enum", "quick"
    ),
    429: _problem(
        "too many jobs are waiting, or too many requests; Retry-After says when to try again",
        _coded("JOB_QUEUE_FULL", "200 jobs are waiting.", max_jobs=200, current_jobs=200),
        *(_TOO_MANY, _TOO_MUCH, _TOO_BUSY),
    ),
    503: _problem(_RETRY, _AWAY, _STORE_AWAY, _DAMAGED, "dedupcad-vision unavailable"),
    504: _problem("the job took too long", _coded("TIME_LIMIT", "The job took longer than 300 s.")),
}
NEW_UPLOAD_PROBLEMS: Final[Responses] = ANY_PROBLEMS | {
    408: _problem("the body took too long", _SLOW),
    413: _problem("larger than allowed", _LARGE),
    422: _invalid("body", "files", "Field required", "missing", None),
    429: _problem(_LATER, _TOO_MANY, _TOO_MUCH),
}
DIRECT_PROBLEMS: Final[Responses] = ANY_PROBLEMS | {
    400: _problem(
        "the file is not the announced one, or goes to the store itself",
        _coded("FILE_ALTERED", "The file's sha256 is another than when it was stored."),
    ),
    404: _problem("no such upload of yours, or expired", _NO_UPLOAD),
    408: _problem("nothing came for too long; what is there can be continued", _SLOW),
    409: _problem(
        "other bytes are there than the offset says, somebody else sends, or a job has it",
        _coded("UPLOAD_OFFSET", "4096 bytes are there, not 0."),
    ),
    413: _problem(
        "more than was announced",
        _coded("FILE_TOO_LARGE", "The file is larger than the limit of 48213 bytes."),
    ),
    422: _invalid("path", "number", "Input should be a valid integer", "int_parsing", "first"),
}
TENANT_PROBLEMS: Final[Responses] = ANY_PROBLEMS | {503: _problem(_RETRY, _STORE_AWAY, _DAMAGED)}
ADMIN_PROBLEMS: Final[Responses] = ANY_PROBLEMS | {
    401: _problem(
        "no valid API key, or no administrator's token",
        *("Missing API Key", "Invalid API Key"),
        _admins("Missing admin token", "Provide the X-Admin-Token header"),
        model=AdminProblem,
    ),
    403: _problem(
        "not the administrator's token",
        _admins("Invalid admin token", "Check the X-Admin-Token header"),
        _LOOPBACK,
        model=AdminProblem,
    ),
    500: _problem(
        "the server has no ADMIN_TOKEN",
        _admins("Admin token not configured", "Set ADMIN_TOKEN", "config"),
        _UNEXPECTED,
        model=AdminProblem,
    ),
    503: _problem(_RETRY, _STORE_AWAY),
}
CONFIG_PROBLEMS: Final[Responses] = ADMIN_PROBLEMS | {
    400: _problem(
        "a name that is none",
        "Unknown preset: strictest",
        "Invalid mode: quick",
        "Invalid precision_profile: exact",
    ),
    408: _problem("the body took too long", _SLOW),
    413: _problem(
        "larger than allowed",
        _coded("FILE_TOO_LARGE", "The body is larger than the limit of 65536 bytes."),
    ),
    422: _invalid(
        "body",
        "duplicate_threshold",
        "Input should be less than or equal to 1",
        "less_than_equal",
        1.5,
    ),
}
HASH_PROBLEMS: Final[Responses] = ANY_PROBLEMS | {
    400: _problem("no sha256", "Invalid file_hash; expected 64-char lowercase hex sha256"),
    503: _problem(_RETRY, _STORE_AWAY),
}
