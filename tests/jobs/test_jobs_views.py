"""What is said of a run that ended without an outcome of its own."""

from __future__ import annotations

from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Crashed, Failed

from dedup2d.jobs.views import error_of


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (Failed(message="TIME_LIMIT: The job ran longer than 300 s."), "TIME_LIMIT"),
        (Failed(message="Validation of flow parameters failed with error: X: /srv"), "JOB_FAILED"),
        (Failed(message="OSERROR [ERRNO 2] /SRV/X: gone"), "JOB_FAILED"),
        (Crashed(message="Execution was cancelled by the runtime environment."), "WORKER_LOST"),
        (None, "JOB_FAILED"),
    ],
)
def test_a_failure_has_its_own_code_or_one_that_fits(state: State[Any] | None, code: str) -> None:
    """The hook said of every failure without a code that a worker was lost, which none was."""
    error = error_of(state)
    assert error.code == code
    assert "/" not in error.message.lower()
