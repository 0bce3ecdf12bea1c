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


async def linger(request: Request) -> None:
    """Read the rest of the body, for a moment, and throw it away."""
    if not _is_sending(request):
        return
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_S):
            while left > 0:
                message = await request.receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
    except TimeoutError:
        return


def _is_sending(request: Request) -> bool:
    headers = request.headers
    if getattr(request.state, "body_read", False):
        return False
    if headers.get("expect", "").lower() == "100-continue":
        return False  # it sends nothing before it is asked to
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
