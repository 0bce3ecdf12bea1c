from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[2] / "deployments" / "server"
OURS = {"DO_NOT_TRACK"}  # not a setting; Prefect's client looks for it itself

# A process of its own: settings are read when Prefect is imported.
SHOW = """
import sys
from prefect.settings import Settings
from prefect.settings.legacy import _get_settings_fields
fields = _get_settings_fields(Settings)
for name in sys.argv[1:]:
    print(name, fields[name].value() if name in fields else "UNKNOWN")
"""


@pytest.mark.parametrize("profile", ["sqlite", "postgres"])
def test_every_line_is_a_setting_of_the_installed_prefect_and_can_be_read(profile, tmp_path):
    lines = (SERVER / f"{profile}.env").read_text("utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    names = sorted(values.keys() - OURS)
    home = {"PREFECT_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    shown = subprocess.run(
        [sys.executable, "-c", SHOW, *names],
        env=values | home,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "UNKNOWN" not in shown
    assert "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE 100" in shown
    assert "PREFECT_SERVER_ANALYTICS_ENABLED False" in shown
