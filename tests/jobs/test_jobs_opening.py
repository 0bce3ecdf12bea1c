"""The services of a process: opened once, and of one event loop only."""

import asyncio
from pathlib import Path

import pytest

from dedup2d.jobs.opening import close_services, services


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEDUP2D_DATA_DIR", str(tmp_path))


def test_each_event_loop_has_services_of_its_own_and_they_are_opened_once() -> None:
    """The predecessor shared one pool between loops (C13) and opened a store per job (B10)."""

    async def opened() -> tuple[object, object, object]:
        first, second = await asyncio.gather(services(), services())
        assert first is await services() is second
        kept = (first.uploads, first.queue, first.sender)
        await close_services()
        return kept

    one, two = asyncio.run(opened()), asyncio.run(opened())
    assert all(a is not b for a, b in zip(one, two, strict=True))
