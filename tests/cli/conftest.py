"""The command line, and something to use it on."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_kit import Run, run_dedup2d


@pytest.fixture(scope="session")
def dedup2d() -> Run:
    """Runs the command line."""
    return run_dedup2d


@pytest.fixture(scope="session")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that ``dedup2d samples`` has filled."""
    folder = tmp_path_factory.mktemp("drawings")
    done = run_dedup2d("samples", folder, "--parts", 8)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def vault(drawings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the sample vault."""
    folder = tmp_path_factory.mktemp("index")
    done = run_dedup2d("index", "add", drawings / "vault", "--index", folder, "--json")
    assert done.returncode == 0, done.stderr
    return folder
