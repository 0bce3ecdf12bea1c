"""The body of a webhook: the predecessor's fields, byte for byte in its form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def webhook_body(
    *,
    job_id: str,
    tenant_id: str,
    status: str,
    error: str | None,
    result: Mapping[str, Any] | None,
    started_at: datetime | None,
    finished_at: datetime | None,
) -> bytes:
    """Compact JSON with sorted keys, UTF-8 unescaped; times are seconds since the epoch.

    Raises ValueError for a number that JSON does not have.
    """
    fields = {
        "error": error,
        "finished_at": _seconds(finished_at),
        "job_id": job_id,
        "result": result,
        "started_at": _seconds(started_at),
        "status": status,
        "tenant_id": tenant_id,
    }
    text = json.dumps(
        fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False
    )
    return text.encode()


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
