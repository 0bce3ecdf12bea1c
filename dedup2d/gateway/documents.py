"""What the OpenAPI document says beyond the types: the upload's parts, and the errors."""

from __future__ import annotations

from typing import Any, Final

_FILE: Final = {"type": "string", "format": "binary"}
UPLOAD: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": _FILE | {"description": "the drawing; repeated for a batch"},
                        "geom_json": _FILE
                        | {"description": "geometry JSON of the drawing, at most 64 MB"},
                    },
                }
            }
        },
    }
}


def _problem(description: str, detail: Any) -> dict[str, Any]:
    example = {"detail": detail}
    return {
        "description": description,
        "content": {"application/json": {"example": example}},
    }


def _coded(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"error": code, "message": message, **more}


_NO_KEY: Final = _problem("no valid API key", "Missing API Key")
_AWAY: Final = _problem(
    "a service is away; Retry-After says when to try again",
    _coded("PREFECT_UNAVAILABLE", "The Prefect server does not answer.", service="prefect"),
)
_TOO_MANY: Final = _problem(
    "more than the tenant may ask or upload; Retry-After says when to come back",
    _coded("TOO_MANY_REQUESTS", "More than 20 requests a second; come a little later."),
)
_JOB_ID: Final = "6f3c1f0e-8d0b-4a38-9b0e-0d6f6f0f6a11"
Problems = dict[int | str, dict[str, Any]]
ANY_PROBLEMS: Final[Problems] = {401: _NO_KEY, 429: _TOO_MANY, 503: _AWAY}
JOB_PROBLEMS: Final[Problems] = ANY_PROBLEMS | {
    403: _problem("the job of another tenant", {"error": "JOB_FORBIDDEN", "job_id": _JOB_ID}),
    404: _problem("no such job, or expired", {"error": "JOB_NOT_FOUND", "job_id": _JOB_ID}),
}
REPLAY_PROBLEMS: Final[Problems] = JOB_PROBLEMS | {
    409: _problem("the job goes on", _coded("JOB_NOT_ENDED", "The job has not ended yet.")),
}
UPLOAD_PROBLEMS: Final[Problems] = ANY_PROBLEMS | {
    400: _problem(
        "the drawing, the geometry or a parameter is wrong",
        _coded("CALLBACK_URL_INVALID", "The address is not allowed."),
    ),
    413: _problem(
        "larger than allowed",
        _coded("FILE_TOO_LARGE", "The upload is larger than the limit of 1073741824 bytes."),
    ),
}
SEARCH_PROBLEMS: Final[Problems] = UPLOAD_PROBLEMS | {
    409: _problem(
        "the idempotency key was used for another request",
        _coded("IDEMPOTENCY_CONFLICT", "This idempotency key came with another drawing before."),
    ),
    429: _problem(
        "too many jobs are waiting; Retry-After says when to try again",
        _coded("JOB_QUEUE_FULL", "200 jobs are waiting.", max_jobs=200, current_jobs=200),
    ),
}
NEW_UPLOAD_PROBLEMS: Final[Problems] = ANY_PROBLEMS | {413: UPLOAD_PROBLEMS[413]}
DIRECT_PROBLEMS: Final[Problems] = ANY_PROBLEMS | {
    400: _problem(
        "the file is not the announced one, or goes to the store itself",
        _coded("FILE_ALTERED", "The file's sha256 is another than when it was stored."),
    ),
    404: _problem(
        "no such upload of yours, or expired",
        _coded("UPLOAD_NOT_FOUND", "There is no such upload, or it has expired."),
    ),
    408: _problem(
        "nothing came for too long; what is there can be continued",
        _coded("UPLOAD_TOO_SLOW", "The upload took too long; it was given up."),
    ),
    409: _problem(
        "other bytes are there than the offset says, somebody else sends, or a job has it",
        _coded("UPLOAD_OFFSET", "4096 bytes are there, not 0."),
    ),
    413: _problem(
        "more than was announced",
        _coded("FILE_TOO_LARGE", "The file is larger than the limit of 48213 bytes."),
    ),
}
BY_REFERENCE: Final[dict[str, Any]] = {
    "schema": {
        "type": "object",
        "properties": {
            "upload_id": {"type": "string", "description": "of POST /2d/uploads"},
            "file_ref": {"type": "object", "description": "or one of its FileRefs, or a list"},
        },
    },
    "example": {"upload_id": "5b0c7f0e8d0b4a389b0e0d6f6f0f6a11"},
}
SEARCH_UPLOAD: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": UPLOAD["requestBody"]["content"] | {"application/json": BY_REFERENCE},
    }
}
