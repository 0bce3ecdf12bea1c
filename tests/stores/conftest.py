from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_kit import Place, local_place, running_s3, s3_place


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    with running_s3() as endpoint:
        yield endpoint


@pytest.fixture
def local(tmp_path: Path) -> Place:
    return local_place(tmp_path / "root")


@pytest.fixture
def s3(s3_endpoint: str) -> Place:
    return s3_place(s3_endpoint)


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest) -> Place:
    """Every test that asks for it runs against both stores."""
    return request.getfixturevalue(request.param)
