from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SERVER = Path(__file__).parents[2] / "deployments" / "server"
OURS = {"DO_NOT_TRACK"}  # not a setting; Prefect's client looks for it itself

# A process of its own: Prefect must not see this one's variables, nor this one theirs.
SHOW = """
import json, os, sys
from prefect.settings import Settings
seen = {}
for profile, values in json.loads(sys.argv[1]).items():
    os.environ.update(values)
    seen[profile] = Settings().to_environment_variables(exclude_unset=True)
    for name in values:
        del os.environ[name]
print(json.dumps(seen))
"""


def test_every_line_is_a_setting_of_the_installed_prefect_and_can_be_read(tmp_path):
    profiles = {path.stem: env_file(path) for path in SERVER.glob("*.env")}
    home = {"PREFECT_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", SHOW, json.dumps(profiles)]
    done = subprocess.run(command, env=home, capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert set(profiles) == {"sqlite", "postgres"}
    for profile, values in profiles.items():
        assert values.keys() - OURS <= seen[profile].keys()
        assert seen[profile]["PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE"] == "100"
        assert seen[profile]["PREFECT_SERVER_ANALYTICS_ENABLED"] == "False"


def env_file(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
