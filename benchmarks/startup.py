"""How long ``dedup2d up`` takes until it is ready: in a new folder, and once more in the same.

python benchmarks/startup.py [--rounds 3] [--database postgres]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "deployments" / "demo"))

from rich.console import Console
from rich.table import Table
from setting_up import add_option, database
from stack import running_stack

ALLOWED_S = {"first": 25, "later": 12}


def started(data: Path, environ: dict[str, str]) -> float:
    """Seconds from the command to a gateway that says it is healthy; then it is ended."""
    began = time.perf_counter()
    with running_stack(data, environ):
        return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    add_option(parser)
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {"first": [], "later": []}
    for _ in range(arguments.rounds):
        with (
            tempfile.TemporaryDirectory(prefix="dedup2d-") as folder,
            database(arguments.database) as environ,
        ):
            for values in seconds.values():
                values.append(started(Path(folder), environ))
    table = Table(f"start, {arguments.database}", "median s", "all", "allowed s")
    for which, values in seconds.items():
        each = ", ".join(f"{value:.1f}" for value in values)
        table.add_row(which, f"{median(values):.1f}", each, str(ALLOWED_S[which]))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
