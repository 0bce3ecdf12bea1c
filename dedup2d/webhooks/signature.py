"""The predecessor's webhook signature.

    X-Dedup-Signature: t=<unix seconds>,v1=<hex>
    X-Dedup-Signature-Version: v1

where v1 is HMAC-SHA256(secret, ``"{t}.{job_id}."`` and the raw body).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import Final

HEADER: Final = "X-Dedup-Signature"
VERSION_HEADER: Final = "X-Dedup-Signature-Version"
VERSION: Final = "v1"
TOLERANCE_S: Final = 300

_FORM: Final = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def sign(secret: str, job_id: str, body: bytes, *, timestamp: int) -> str:
    """The value of ``X-Dedup-Signature`` at ``timestamp`` (unix seconds)."""
    signed = f"{timestamp}.{job_id}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},{VERSION}={digest}"


def verify(
    secret: str,
    signature: str,
    job_id: str,
    body: bytes,
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> bool:
    """Whether ``signature`` fits and is at most ``tolerance_s`` seconds from ``now``.

    Compared in constant time; whatever cannot be read does not fit.
    """
    form = _FORM.fullmatch(signature)
    if form is None:
        return False
    timestamp = int(form[1])
    expected = sign(secret, job_id, body, timestamp=timestamp)
    fits = hmac.compare_digest(expected.rpartition("=")[2], form[2])
    return fits and abs((time.time() if now is None else now) - timestamp) <= tolerance_s
