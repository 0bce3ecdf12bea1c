"""Who asks: an API key is a tenant.

With configured keys a request needs one of them. Without, the gateway is open to programs on
this machine only; a web page that a browser on this machine shows is not one of them (its
``Origin``, or a ``Host`` that was rebound to a loopback address, gives it away).
"""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyHeader

from dedup2d.errors import RequestError
from dedup2d.gateway.state import gateway_of
from dedup2d.settings import Settings

OPEN_TENANT: Final = "default"  # of requests without a key, where none is configured
_header = APIKeyHeader(
    name="X-API-Key",
    auto_error=False,
    description="One of API_KEYS. Without configured keys any value, from this machine only.",
)


def tenant_id_of(api_key: bytes) -> str:
    """The tenant of a key: the first 16 hex digits of its sha256 (predecessor's rule)."""
    return hashlib.sha256(api_key).hexdigest()[:16]


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


async def tenant_of(
    request: Request, api_key: Annotated[str | None, Depends(_header)] = None
) -> str:
    """The tenant that asks. 401 without a valid key, 403 from afar where none is configured."""
    settings = gateway_of(request).settings
    raw = (api_key or "").encode("latin-1")  # the header's own bytes
    if not settings.api_keys:
        _check_local(request)
        return tenant_id_of(raw) if raw else OPEN_TENANT
    if not raw:
        raise HTTPException(401, "Missing API Key")
    if not _is_known(raw, settings):
        raise HTTPException(401, "Invalid API Key")
    return tenant_id_of(raw)


Tenant = Annotated[str, Depends(tenant_of)]


def _is_known(key: bytes, settings: Settings) -> bool:
    """Compare with every key, in a time that tells nothing about any of them."""
    given = hashlib.sha256(key).digest()
    found = [
        hmac.compare_digest(given, hashlib.sha256(known.encode()).digest())
        for known in settings.api_keys
    ]
    return any(found)


def _check_local(request: Request) -> None:
    peer = request.client.host if request.client else ""
    asked = request.url.hostname or ""
    origin = request.headers.get("origin")
    local = is_loopback(peer) and is_loopback(asked)
    if origin is not None:
        local = local and is_loopback(urlsplit(origin).hostname or "")
    if not local:
        raise RequestError(
            "LOOPBACK_ONLY",
            "Without API keys only programs on the gateway's own machine are served; "
            "set API_KEYS to serve others.",
        )
