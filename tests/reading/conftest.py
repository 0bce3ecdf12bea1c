import os
from pathlib import Path

import pytest

DRAWINGS = Path(
    os.environ.get("DEDUP2D_TEST_DRAWINGS", Path(__file__).parents[3] / "shared" / "drawings")
)


@pytest.fixture(scope="session")
def drawings():
    """The folder of real drawings."""
    if not (DRAWINGS / "files").is_dir():
        pytest.skip(f"no real drawings at {DRAWINGS}; DEDUP2D_TEST_DRAWINGS tells where")
    return DRAWINGS / "files"
