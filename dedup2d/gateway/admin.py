"""What only the administrator may do: it takes ``X-Admin-Token`` beside the API key."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Final

from fastapi import Depends, Header, HTTPException, Request

from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.errors import ERROR_HEADER
from dedup2d.gateway.state import gateway_of

CODE: Final = "AUTHORIZATION_FAILED"  # the predecessor's, of all three
Token = Annotated[
    str | None, Header(alias="X-Admin-Token", description="the value of ADMIN_TOKEN; needed")
]


async def administered_tenant(request: Request, tenant: Tenant, token: Token = None) -> str:
    """The tenant whose administrator asks. 401 without a token, 403 with a wrong one.

    500 where the server has none that one could give; the body says what to set.
    """
    expected = gateway_of(request).settings.admin_token
    if not token:
        raise _refusal(401, "Missing admin token", "Provide the X-Admin-Token header")
    if not expected:
        raise _refusal(500, "Admin token not configured", "Set ADMIN_TOKEN", source="config")
    if not hmac.compare_digest(_digest(token.encode("latin-1")), _digest(expected.encode())):
        raise _refusal(403, "Invalid admin token", "Check the X-Admin-Token header")
    return tenant


Administered = Annotated[str, Depends(administered_tenant)]


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _refusal(status: int, message: str, hint: str, *, source: str = "security") -> HTTPException:
    """The predecessor's body, which differs from all others."""
    detail = {
        "code": CODE,
        "source": source,
        "severity": "error",
        "message": message,
        "context": {"hint": hint},
    }
    return HTTPException(status, detail, headers={ERROR_HEADER: CODE})
