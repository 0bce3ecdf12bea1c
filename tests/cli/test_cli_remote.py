"""The remote commands, doctor and gc, against the whole real stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_kit import json_lines, run_dedup2d
from e2e_client import KEYS
from stack import Stack

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def remote(local_stack: Stack) -> Any:
    """Runs the command line as tenant a of the running stack."""
    variables = {
        "DEDUP2D_URL": f"http://127.0.0.1:{local_stack.port}",
        "DEDUP2D_API_KEY": KEYS[0],
        "DEDUP2D_DATA_DIR": str(local_stack.data),
        "PREFECT_API_URL": local_stack.prefect_api,
    }
    return lambda *arguments: run_dedup2d(*arguments, **variables)


def test_submitted_drawings_are_waited_for_listed_and_shown(remote: Any, samples: Path) -> None:
    drawing = min((samples / "vault").glob("*.dxf"))
    broken = samples / "queries" / "broken.dxf"
    done = remote("submit", drawing, broken, "--wait", "--json")
    assert done.returncode == 1, done.stderr
    good, bad = json_lines(done.stdout)
    assert (good["status"], good["paths"]) == ("completed", [str(drawing)])
    assert bad["status"] == "failed"

    listed = json_lines(remote("jobs", "--json").stdout)
    assert {good["job_id"], bad["job_id"]} <= {job["job_id"] for job in listed}
    assert bad["error"] in " ".join(remote("jobs").stdout.split()), "readable in 80 columns"
    shown = remote("status", good["job_id"]).stdout
    assert "completed" in shown
    assert "exact" in shown
    assert bad["error_code"] in remote("status", bad["job_id"]).stdout
    assert remote("cancel", good["job_id"]).returncode == 0


def test_an_unknown_job_is_status_2(remote: Any) -> None:
    done = remote("status", "nope")
    assert done.returncode == 2
    assert "JOB_NOT_FOUND" in done.stderr


def test_the_doctor_finds_a_running_stack_well(remote: Any) -> None:
    done = remote("doctor", "--json")
    found = json_lines(done.stdout)
    assert [line for line in found if line["level"] == "FAIL"] == []
    assert done.returncode == 0
    well = {line["check"] for line in found if line["level"] == "OK"}
    assert {"python", "packages", "redis", "store uploads", "prefect", "deployment"} <= well
    assert {"child process", "work pool", "worker", "index"} <= well


def test_gc_only_looks_unless_told(remote: Any) -> None:
    (counts,) = json_lines(remote("gc", "--json").stdout)
    assert counts["executed"] is False
    (counts,) = json_lines(remote("gc", "--execute", "--json").stdout)
    assert counts["executed"] is True
