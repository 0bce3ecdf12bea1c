"""One example of each answer, for the OpenAPI document; a test holds them to its schemas."""

from __future__ import annotations

from typing import Any, Final

JOB_ID: Final = "6f3c1f0e-8d0b-4a38-9b0e-0d6f6f0f6a11"
TENANT: Final = "9f86d081884c7d65"
QUERY_HASH: Final = "4c1f0a7be8f1f5c27f1c8cf53de3d9f29a1b5f0b2b5b1d8c9e7a64f3210fedcb"
MATCH_HASH: Final = "961dd28d4b1c3ce4b5ba6a1e4ed25b1c9a0d63ee2f7e1b2a6b7c8d9e0f1a2b3c"
DRAWING_ID: Final = "b65da83f0c7e4d1a9b2c5e8f7a6d4c3b"

MATCH: Final[dict[str, Any]] = {
    "drawing_id": DRAWING_ID,
    "file_hash": MATCH_HASH,
    "file_name": "NW-410713.dxf",
    "path": "vault/NW-410713.dxf",
    "similarity": 0.977,
    "confidence": 0.98,
    "match_level": 4,
    "verdict": "similar",
    "relation": "revision",
    "pose": {"rotation_deg": 0.0, "mirrored": False, "scale": 1.0, "shift": [0.0, 0.0]},
    "changes": {
        "added": 3,
        "removed": 0,
        "regions": [
            {
                "min_x": 186.3,
                "min_y": 138.0,
                "max_x": 195.5,
                "max_y": 147.2,
                "added": 3,
                "removed": 0,
            }
        ],
        "texts": [{"before": "2x Ø6.6", "after": "3x Ø6.6", "x": 207.4, "y": 174.6}],
    },
    "levels": {"l4": {"coverage_query": 0.951, "coverage_match": 1.0}},
    "why": ["The same drawing with changes."],
}
REPORT: Final[dict[str, Any]] = {
    "success": True,
    "total_matches": 1,
    "duplicates": [],
    "similar": [MATCH],
    "final_level": 4,
    "timing": {"total_ms": 41.8, "l1_ms": 0.0, "l2_ms": 5.2, "l3_ms": 3.1, "l4_ms": 33.5},
    "level_stats": {"l1": {"matched": 0}, "l4": {"verified": 3, "reported": 1}},
    "warnings": ["precision_verified:3"],
    "error": None,
    "query": {
        "file_name": "part.dxf",
        "file_hash": QUERY_HASH,
        "size": 48213,
        "format": "dxf",
        "primitives": 172,
        "texts": 63,
        "path": "",
        "findings": [],
    },
}
PENDING: Final[dict[str, Any]] = {
    "job_id": JOB_ID,
    "status": "pending",
    "poll_url": f"/api/v1/dedup/2d/jobs/{JOB_ID}",
    "forced_async_reason": None,
}
_TIMES: Final = {
    "created_at": 1795528799.1,
    "started_at": 1795528799.9,
    "finished_at": 1795528800.4,
}
LISTED: Final[dict[str, Any]] = {
    "job_id": JOB_ID,
    "tenant_id": TENANT,
    "status": "completed",
    **_TIMES,
    "error": None,
}
JOBS: Final[dict[str, Any]] = {"jobs": [LISTED], "total": 1}
JOB: Final[dict[str, Any]] = LISTED | {
    "progress": None,
    "result": REPORT,
    "error_code": None,
    "callback_status": "success",
    "callback_attempts": 1,
    "callback_http_status": 200,
    "callback_finished_at": 1795528800.6,
    "callback_last_error": None,
}
CANCELED: Final[dict[str, Any]] = {"job_id": JOB_ID, "tenant_id": TENANT, "canceled": True}
ADDED: Final[dict[str, Any]] = {
    "success": True,
    "drawing_id": DRAWING_ID,
    "file_hash": MATCH_HASH,
    "message": "The drawing is in the index.",
    "processing_time_ms": 12.6,
    "s3_key": None,
}
REBUILT: Final[dict[str, Any]] = {
    "success": True,
    "message": "0 of 1200 drawings were brought up to date.",
}
INDEXES: Final[dict[str, Any]] = {"drawings": 1200, "outdated": 0, "algorithm_version": 14}
VISION_HEALTH: Final[dict[str, Any]] = {
    "status": "healthy",
    "service": "dedup2d",
    "version": "0.1.0",
    "indexes": INDEXES,
}
_WELL: Final = {"ok": True, "message": "", "code": ""}
HEALTH: Final[dict[str, Any]] = VISION_HEALTH | {
    "checks": dict.fromkeys(("prefect", "redis", "store", "worker", "matcher"), _WELL)
}
CONFIG_VALUES: Final[dict[str, Any]] = {"preset": "version", "similar_threshold": 0.75}
CONFIG: Final[dict[str, Any]] = {"tenant_id": TENANT, "config": CONFIG_VALUES}
NO_CONFIG: Final[dict[str, Any]] = {"tenant_id": TENANT, "config": {}}
EXISTS: Final[dict[str, Any]] = {"file_hash": MATCH_HASH, "exists": True}
COMPARED: Final[dict[str, Any]] = {
    "score": 0.973307,
    "breakdown": {"entities": 0.951424, "layers": 0.5, "text_content": 1.0},
    "geom_hash_left": "c6aa886d6ec4cc64cc0db413cccd1434a51beb8aa1dda3025fd187c4d0ba3d3b",
    "geom_hash_right": "09d9d0f65246105266d02b30a56bd61a660f0ba539967c0af466caa8da1ed34b",
}
UPLOAD_ID: Final = "5b0c7f0e8d0b4a389b0e0d6f6f0f6a11"
NEW_UPLOAD: Final[dict[str, Any]] = {
    "files": [{"file_name": "part.dxf", "size": 48213, "media_type": "image/vnd.dxf"}]
}
UPLOAD: Final[dict[str, Any]] = {
    "upload_id": UPLOAD_ID,
    "expires_at": "2026-11-25T13:00:00Z",
    "files": [
        {
            "method": "PUT",
            "url": f"/api/v1/dedup/2d/uploads/{UPLOAD_ID}/files/0?token=h1x9…",
            "headers": {"Content-Length": "48213"},
            "file_ref": {
                "backend": "local",
                "path": f"{UPLOAD_ID}/part.dxf",
                "size": 48213,
                "file_name": "part.dxf",
            },
        }
    ],
}
ARRIVED: Final[dict[str, Any]] = {"received": 48213, "size": 48213}
DELIVERY: Final[dict[str, Any]] = {
    "delivery_id": "msg_2cT1f9…",
    "url": "https://erp.example.com/hooks/dedup2d",
    "status": "success",
    "created_at": 1795528800.4,
    "next_attempt_at": None,
    "finished_at": 1795528800.6,
    "last_error": None,
    "attempts": [
        {"at": 1795528800.4, "duration_ms": 183.2, "http_status": 200, "error": None},
    ],
}
DELIVERIES: Final[dict[str, Any]] = {"job_id": JOB_ID, "deliveries": [DELIVERY]}
