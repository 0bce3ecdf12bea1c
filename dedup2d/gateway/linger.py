"""Reading what a refused client is still sending, so that it can read why it was refused.

Closing a connection with unread bytes makes the kernel reset it, and the client may lose the
answer (RFC 9112, 9.6). Bounded in time and bytes.
"""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import Request

LINGER_S: Final = 2.0
LINGER_BYTES: Final = 8 * 1024**2


def mark_read(request: Request) -> None:
    """Note that the body was read to its end."""
    request.state.body_read = True


async def linger(request: Request) -> bool:
    """Read the rest of the body, for a moment, and throw it away; False where there is more.

    The server itself would go on reading such a body for as long as the client sends it: the
    answer must close the connection.
    """
    if getattr(request.state, "body_read", False) or not _has_body(request):
        return True
    if request.headers.get("expect", "").lower() == "100-continue":
        return False  # it sends nothing before it is asked to
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_S):
            while left > 0:
                message = await request.receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return True
    except TimeoutError:
        return False
    return False


def _has_body(request: Request) -> bool:
    headers = request.headers
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
