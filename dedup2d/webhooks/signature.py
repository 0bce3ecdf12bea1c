"""How a webhook is signed: for the predecessor's receivers, and by Standard Webhooks.

The predecessor's scheme, over ``"{t}.{job_id}."`` and the raw body::

    X-Dedup-Signature: t=<unix seconds>,v1=<HMAC-SHA256, hex>
    X-Dedup-Signature-Version: v1

Standard Webhooks 1.0 (standardwebhooks.com), over ``"{id}.{timestamp}."`` and the raw body; one
signature per secret, so that a receiver can change its secret without missing anything::

    webhook-id: <delivery id, the same for every attempt>
    webhook-timestamp: <unix seconds>
    webhook-signature: v1,<HMAC-SHA256, base64> v1,<the next>
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from typing import Final

TOLERANCE_S: Final = 300

_VERSION: Final = "v1"
_KEY_PREFIX: Final = "whsec_"
_FORM: Final = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")


def signature_headers(
    secrets: Sequence[str], *, delivery_id: str, job_id: str, body: bytes, timestamp: int
) -> dict[str, str]:
    """The headers of both schemes at ``timestamp`` (unix seconds); no signature without secrets.

    ``secrets`` come newest first. The predecessor's header has room for the newest only.
    """
    headers = {"webhook-id": delivery_id, "webhook-timestamp": str(timestamp)}
    if secrets:
        headers["webhook-signature"] = " ".join(
            sign_standard(secret, delivery_id, body, timestamp=timestamp) for secret in secrets
        )
        headers["X-Dedup-Signature"] = sign(secrets[0], job_id, body, timestamp=timestamp)
        headers["X-Dedup-Signature-Version"] = _VERSION
    return headers


def sign(secret: str, job_id: str, body: bytes, *, timestamp: int) -> str:
    """The value of ``X-Dedup-Signature`` at ``timestamp`` (unix seconds)."""
    digest = _hmac(secret.encode(), f"{timestamp}.{job_id}.", body)
    return f"t={timestamp},{_VERSION}={digest.hex()}"


def verify(
    secret: str,
    signature: str,
    job_id: str,
    body: bytes,
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> bool:
    """Whether ``X-Dedup-Signature`` fits and is at most ``tolerance_s`` seconds from ``now``.

    Compared in constant time; whatever cannot be read does not fit.
    """
    form = _FORM.fullmatch(signature)
    if form is None:
        return False
    timestamp = int(form[1])
    expected = sign(secret, job_id, body, timestamp=timestamp)
    return hmac.compare_digest(expected, signature) and _is_near(timestamp, tolerance_s, now)


def sign_standard(secret: str, delivery_id: str, body: bytes, *, timestamp: int) -> str:
    """One entry of ``webhook-signature``.

    A secret that begins with ``whsec_`` is base64, as the standard has it; of any other the
    UTF-8 bytes are the key.
    """
    digest = _hmac(_key(secret), f"{delivery_id}.{timestamp}.", body)
    return f"{_VERSION},{base64.b64encode(digest).decode()}"


def verify_standard(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> bool:
    """Whether one of the signatures of ``webhook-signature`` fits; promises as ``verify``."""
    given = {name.lower(): value for name, value in headers.items()}
    stamp = given.get("webhook-timestamp", "")
    if not _SECONDS.fullmatch(stamp):
        return False
    expected = sign_standard(secret, given.get("webhook-id", ""), body, timestamp=int(stamp))
    fits = [
        hmac.compare_digest(expected.encode(), entry.encode())
        for entry in given.get("webhook-signature", "").split()
    ]
    return any(fits) and _is_near(int(stamp), tolerance_s, now)


def _hmac(key: bytes, head: str, body: bytes) -> bytes:
    return hmac.new(key, head.encode() + body, hashlib.sha256).digest()


def _key(secret: str) -> bytes:
    text = secret.removeprefix(_KEY_PREFIX)
    if text == secret:
        return secret.encode()
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:  # it only looks like one
        return secret.encode()


def _is_near(timestamp: int, tolerance_s: float, now: float | None) -> bool:
    return abs((time.time() if now is None else now) - timestamp) <= tolerance_s
