"""schemathesis against a running gateway: requests from its OpenAPI document, answers checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Walk:
    """What was sent, what was answered, and what was wrong with it."""

    requests: int
    statuses: Counter[int]  # of all answers
    operations: int
    failures: list[dict[str, Any]]
    text: str  # what schemathesis says of it, for people


PHASES = ("examples", "coverage", "fuzzing", "stateful")


def walk(
    url: str,
    *,
    key: str,
    admin: str,
    examples: int,
    seed: int,
    folder: Path,
    phases: Iterable[str] = PHASES,
) -> Walk:
    """Send ``examples`` generated requests and more per operation; reports go to ``folder``."""
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "--config-file"),
        *(str(HERE / "schemathesis.toml"), "run", f"{url}/openapi.json"),
        *("--header", f"X-API-Key: {key}", "--header", f"X-Admin-Token: {admin}"),
        *("--max-examples", str(examples), "--seed", str(seed), "--no-color"),
        *("--phases", ",".join(phases)),
        *("--generation-database", "none", "--report", "json,ndjson"),
        *("--report-json-path", "summary.json", "--report-ndjson-path", "events.ndjson"),
    ]
    environ = os.environ | {"PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"}
    done = subprocess.run(
        command, env=environ, cwd=folder, capture_output=True, text=True, check=False
    )
    try:
        summary = json.loads((folder / "summary.json").read_text())
    except OSError as error:
        raise RuntimeError(f"{done.stdout}\n{done.stderr}") from error
    return Walk(
        requests=summary["test_cases"]["generated"],
        statuses=_statuses(folder / "events.ndjson"),
        operations=summary["operations"]["tested"],
        failures=summary["failures"] + summary["errors"],
        text=done.stdout,
    )


def _statuses(events: Path) -> Counter[int]:
    counted: Counter[int] = Counter()
    with events.open() as lines:
        for line in lines:
            scenario = json.loads(line).get("ScenarioFinished", {})
            interactions = scenario.get("recorder", {}).get("interactions", {})
            counted.update(
                item["response"]["status_code"]
                for item in interactions.values()
                if item.get("response")
            )
    return counted
