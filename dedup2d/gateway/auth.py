"""Who asks: an API key is a tenant.

A key is one of a tenant that was made by ``dedup2d tenants``, or one of ``API_KEYS``. A tenant
that was made is judged by its own keys alone, so a key of ``API_KEYS`` that was handed over to
it can be rotated and revoked. Where there are either, a request needs a key. Without, the gateway is open to programs on
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
from dedup2d.gateway.limits import check_pace
from dedup2d.gateway.state import Gateway, gateway_of
from dedup2d.settings import Settings
from dedup2d.tenants.model import tenant_id_of

OPEN_TENANT: Final = "default"  # of requests without a key, where none is configured
api_key_header = APIKeyHeader(
    name="X-API-Key",
    auto_error=False,
    description="Your key. Where no keys are configured any value, from this machine only.",
)


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
    request: Request, api_key: Annotated[str | None, Depends(api_key_header)] = None
) -> str:
    """The tenant that asks. 401 without a valid key, 403 from afar where none is configured.

    429 where it asks more often than it may.
    """
    gateway = gateway_of(request)
    raw = (api_key or "").encode("latin-1")  # the header's own bytes
    tenant_id = await _identified(request, gateway, raw)
    await check_pace(gateway, tenant_id)
    return tenant_id


Tenant = Annotated[str, Depends(tenant_of)]


async def _identified(request: Request, gateway: Gateway, key: bytes) -> str:
    tenants = gateway.services.tenants
    guarded = bool(gateway.settings.api_keys) or await tenants.any()
    if not key:
        if guarded:
            raise HTTPException(401, "Missing API Key")
        _check_local(request)
        return OPEN_TENANT
    known = _is_known(key, gateway.settings)
    tenant, fits = await tenants.authenticate(key, known=known)
    if tenant is None and not guarded:
        _check_local(request)
    elif not (fits if tenant else known):
        raise HTTPException(401, "Invalid API Key")
    return tenant.tenant_id if tenant else tenant_id_of(key)


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
            "'dedup2d tenants add' makes a key for others, or set API_KEYS.",
        )
