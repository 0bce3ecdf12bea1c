"""Is this webhook really from dedup2d, and what does it say?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dedup2d.errors import RequestError
from dedup2d.webhooks.signature import TOLERANCE_S, verify, verify_standard


def verify_webhook(
    headers: Mapping[str, str], body: bytes, secret: str, *, tolerance_s: float = TOLERANCE_S
) -> dict[str, Any]:
    """The webhook's content, once its signature holds.

    Either signature will do: that of Standard Webhooks (``webhook-signature``) or the
    predecessor's (``X-Dedup-Signature``). ``headers`` in any case of letters; ``body`` is the
    raw request body, before any parsing. Raises RequestError ``BAD_SIGNATURE``: missing, wrong,
    of another job, or older than ``tolerance_s`` seconds, which a replayed request would be.
    """
    given = {name.lower(): value for name, value in headers.items()}
    job_id = given.get("x-dedup-job-id", "")
    if "webhook-signature" in given:
        fits = verify_standard(secret, given, body, tolerance_s=tolerance_s)
    else:
        signature = given.get("x-dedup-signature", "")
        fits = verify(secret, signature, job_id, body, tolerance_s=tolerance_s)
    if not fits:
        raise RequestError("BAD_SIGNATURE", "The webhook's signature is missing, wrong or too old.")
    content: dict[str, Any] = json.loads(body)
    if job_id and content.get("job_id") != job_id:
        raise RequestError("BAD_SIGNATURE", "The webhook's body is of another job.")
    return content
