"""Connections that never finish asking are closed: uvicorn itself waits for a request for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class PunctualProtocol(H11Protocol):
    """HTTP/1.1 where request line and headers must come within ``head_s`` seconds.

    Sending a byte now and then does not help. Bodies have their own limits (uploads.py), and
    the pause between two requests has uvicorn's.
    """

    head_s: float = 30.0
    _closing_soon: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The time runs from here, also for who says nothing."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """The time of a later request runs from its first byte."""
        if self.conn.their_state is h11.IDLE:
            self._expect_head()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._forget_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is expected any more."""
        self._forget_head()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._closing_soon is None:
            self._closing_soon = self.loop.call_later(self.head_s, self.transport.close)

    def _forget_head(self) -> None:
        if self._closing_soon is not None:
            self._closing_soon.cancel()
            self._closing_soon = None


def punctual(head_s: float) -> Any:
    """The protocol with this limit, for ``uvicorn.Config(http=...)``."""
    return type("Punctual", (PunctualProtocol,), {"head_s": head_s})
