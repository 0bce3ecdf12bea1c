from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_vision import FakeVision

from dedup2d.matcher import LoadedDrawing
from dedup2d.settings import read_settings
from dedup2d.vision.client import VisionMatcher


@pytest.fixture(scope="session")
def vision_server() -> Iterator[FakeVision]:
    server = FakeVision()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def fake(vision_server: FakeVision) -> FakeVision:
    vision_server.forget()
    return vision_server


@pytest.fixture
async def build(fake: FakeVision) -> AsyncIterator[Callable[..., VisionMatcher]]:
    """Makes clients of the fake service; short waits unless told otherwise."""
    made: list[VisionMatcher] = []

    def make(**settings: Any) -> VisionMatcher:
        quick = {"vision_url": fake.url, "vision_retry_base_s": 0.01, "vision_timeout_s": 5.0}
        made.append(VisionMatcher(read_settings({}, **(quick | settings))))
        return made[-1]

    yield make
    for matcher in made:
        await matcher.aclose()


@pytest.fixture
def matcher(build: Callable[..., VisionMatcher]) -> VisionMatcher:
    return build()


@pytest.fixture
async def drawing(matcher: VisionMatcher, tmp_path: Path) -> LoadedDrawing:
    path = tmp_path / "flange.png"
    path.write_bytes(b"\x89PNG" + bytes(range(256)) * 40)
    return await matcher.load(path, tmp_path)
