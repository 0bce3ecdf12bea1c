import os
from pathlib import Path

import pytest

from dedup2d.sandbox import ChildPool


@pytest.fixture
async def pool(monkeypatch):
    """Two children that can import the tasks of these tests."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    async with ChildPool(processes=2, memory_bytes=1024**3) as children:
        yield children


@pytest.fixture
def is_running():
    """Whether a process id is that of a living process (a zombie is none)."""

    def check(pid):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return False
        return state != "Z" and os.path.exists(f"/proc/{pid}")  # noqa: PTH110  # a pseudo path

    return check
