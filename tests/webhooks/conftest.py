from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hook_receiver import HookReceiver


@pytest.fixture
async def hook() -> AsyncIterator[HookReceiver]:
    """A receiver of this machine that answers as the test says."""
    receiver = HookReceiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    receiver.closing.set()
    server.close()
    await server.wait_closed()
