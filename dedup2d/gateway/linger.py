"""Answers to clients that are still sending.

Closing a connection with unread bytes makes the kernel reset it, and the client may lose the
answer that says why it was refused (RFC 9112, 9.6). So the answer goes out at once, then the
rest of the body is read and thrown away for a moment, then the connection is closed.
"""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

LINGER_S: Final = 2.0
LINGER_BYTES: Final = 64 * 1024**2


class LastAnswer(JSONResponse):
    """The last answer on a connection whose client may still be sending."""

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send, read on for a moment, close."""
        self.headers["Connection"] = "close"
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await _read_on(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def mark_read(request: Request) -> None:
    """Note that the body was read to its end."""
    request.state.body_read = True


def is_sending(request: Request) -> bool:
    """Whether there is, or may be, more of the body."""
    headers = request.headers
    if getattr(request.state, "body_read", False):
        return False
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def _read_on(receive: Receive) -> None:
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
