"""A short run of the chaos harness; ``python benchmarks/chaos.py`` is the long one."""

from pathlib import Path

import pytest
from chaos_kit.run import Options, run


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_jobs_while_everything_dies_are_not_lost_nor_ended_or_told_twice(tmp_path: Path) -> None:
    """Cancelling at random moments is part of it (A17)."""
    options = Options(jobs=20, kills=10, store="local", seed=3, pause_s=1.5, quiet_s=240)
    result = run(options, tmp_path, print, lambda *_: None)
    assert result.violations == []
    assert len(result.kills) == options.kills
    assert len(result.stream.jobs) == options.jobs
