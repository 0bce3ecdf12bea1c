"""Is this webhook really from dedup2d, and what does it say?"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from dedup2d.errors import RequestError

TOLERANCE_S = 300.0


def verify_webhook(
    headers: Mapping[str, str], body: bytes, secret: str, *, tolerance_s: float = TOLERANCE_S
) -> dict[str, Any]:
    """The webhook's content, once its signature holds.

    ``X-Dedup-Signature: t=<unix s>,v1=<hex>`` signs ``"{t}.{job id}." + body`` with HMAC-SHA256.
    ``body`` is the raw request body. Raises RequestError ``BAD_SIGNATURE``: missing, wrong, or
    older than ``tolerance_s`` seconds, which a replayed request would be.
    """
    given = {name.lower(): value for name, value in headers.items()}
    fields = dict(
        part.partition("=")[::2] for part in given.get("x-dedup-signature", "").split(",")
    )
    stamp, signature = fields.get("t", ""), fields.get("v1", "")
    job_id = given.get("x-dedup-job-id", "")
    signed = f"{stamp}.{job_id}.".encode() + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise RequestError("BAD_SIGNATURE", "The webhook's signature is missing or wrong.")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > tolerance_s:
        raise RequestError("BAD_SIGNATURE", "The webhook's signature is too old.")
    content: dict[str, Any] = json.loads(body)
    if content.get("job_id") != job_id:
        raise RequestError("BAD_SIGNATURE", "The webhook's body is of another job.")
    return content
