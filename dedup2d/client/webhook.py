"""Is this webhook really from dedup2d, and what does it say?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dedup2d.errors import RequestError
from dedup2d.webhooks.signature import HEADER, TOLERANCE_S, verify


def verify_webhook(
    headers: Mapping[str, str], body: bytes, secret: str, *, tolerance_s: float = TOLERANCE_S
) -> dict[str, Any]:
    """The webhook's content, once its signature holds.

    ``headers`` in any case of letters; ``body`` is the raw request body, before any parsing.
    Raises RequestError ``BAD_SIGNATURE``: missing, wrong, of another job, or older than
    ``tolerance_s`` seconds, which a replayed request would be.
    """
    given = {name.lower(): value for name, value in headers.items()}
    job_id = given.get("x-dedup-job-id", "")
    signature = given.get(HEADER.lower(), "")
    if not verify(secret, signature, job_id, body, tolerance_s=tolerance_s):
        raise RequestError("BAD_SIGNATURE", "The webhook's signature is missing, wrong or too old.")
    content: dict[str, Any] = json.loads(body)
    if content.get("job_id") != job_id:
        raise RequestError("BAD_SIGNATURE", "The webhook's body is of another job.")
    return content
