"""The real command line, in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-m", "dedup2d.cli"]


def environ(**variables: str) -> dict[str, str]:
    """This process's environment without settings of dedup2d and Prefect, and wide output."""
    ours = ("DEDUP2D_", "DEDUPCAD_", "PREFECT_", "API_KEY")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return kept | {"COLUMNS": "160", "NO_COLOR": "1", "PYTHONWARNINGS": ""} | variables


def run_dedup2d(*arguments: object, cwd: Path | None = None, **variables: str) -> Any:
    """Run ``dedup2d`` to its end; text of stdout and stderr, exit status."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environ(**variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def json_lines(text: str) -> list[dict[str, Any]]:
    """The objects of JSON Lines; fails on anything else."""
    return [json.loads(line) for line in text.splitlines()]
