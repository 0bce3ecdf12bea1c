from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from courier_kit import Post
from hook_receiver import HookReceiver

from dedup2d.tickets.embedded import EmbeddedRedis


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


@pytest.fixture(scope="session")
def hook_data() -> Iterator[Path]:
    """The data folder of a running embedded Redis."""
    with tempfile.TemporaryDirectory(prefix="dedup2d-hooks-") as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        yield Path(folder)
        server.stop()


@pytest.fixture
async def post(hook_data: Path, tmp_path: Path) -> AsyncIterator[Post]:
    """A post office with a clock of its own."""
    opened = Post(hook_data, tmp_path / "results")
    yield opened
    await opened.aclose()
