"""Jobs while everything dies: is any of them lost, told twice, or ended twice?

    python benchmarks/chaos.py [--jobs 300] [--kills 100] [--store local|s3] [--seed N]

A real stack with two workers takes a stream of jobs with callbacks, some broken, some cancelled,
some of several drawings, from clients that ask again. Meanwhile workers, their children, the
gateway, Redis (also with all its data) and Prefect's server are killed at random moments that the
seed decides, and services stay away for a minute. When it is quiet again, the history of each job
is checked. The exit status is 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median

sys.path.append(str(Path(__file__).parents[1] / "deployments" / "demo"))
sys.path.append(str(Path(__file__).parents[1] / "tests" / "stores"))

from chaos_kit.checks import attempts_of, noticed_after_s
from chaos_kit.run import Options, Result, run
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

console = Console(width=None if sys.stdout.isatty() else 110)


def table_of(result: Result, options: Options) -> Table:
    """What happened."""
    table = Table(title=f"chaos, {options.store} store, seed {options.seed}", show_header=False)
    jobs = result.stream.jobs
    ends = Counter(job.last.status for job in jobs if job.last)
    table.add_row("jobs accepted", str(len(jobs)))
    table.add_row("  ended", ", ".join(f"{n} {name}" for name, n in sorted(ends.items())))
    accepted = [result.histories.get(job.job_id, []) for job in jobs]
    attempts = sorted(attempts_of(accepted).items())
    table.add_row("  attempts", ", ".join(f"{n} jobs {times}" for times, n in attempts))
    table.add_row("runs that no client was told of", str(len(result.histories) - len(jobs)))
    kills = Counter(kill.kind for kill in result.kills)
    table.add_row("kills", str(len(result.kills)))
    table.add_row("", ", ".join(f"{n} {kind}" for kind, n in kills.most_common()))
    away = ", ".join(f"{kind} {options.outage_s:g} s" for kind in result.outages)
    table.add_row("away", away or "-")
    late = noticed_after_s(result.histories.values(), result.kills)
    if late:
        table.add_row(
            "lost runs back in the queue after",
            f"{median(late):.0f} s, at most {max(late):.0f} (with both workers or a service away)",
        )
    table.add_row("webhooks received", str(len(result.told)))
    table.add_row(
        "took", f"{result.seconds:.0f} s, quiet {result.quiet_after_s:.0f} s after the last"
    )
    table.add_row("violations", str(len(result.violations)))
    return table


def main() -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--store", choices=["local", "s3"], default="local")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument("--pause", type=float, default=3.0, help="seconds between kills")
    parser.add_argument("--outage", type=float, default=60.0, help="seconds a service is away")
    parser.add_argument("--keep", type=Path, help="folder for the stack's data, which stays")
    given = parser.parse_args()
    options = Options(given.jobs, given.kills, given.store, given.seed, given.pause, given.outage)
    console.print(f"seed {options.seed}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        tempfile.TemporaryDirectory(prefix="dedup2d-chaos-") as folder,
        Progress(*columns, TimeElapsedColumn(), console=console) as progress,
    ):
        ended = progress.add_task("jobs ended", total=options.jobs)
        killed = progress.add_task("kills", total=options.kills)

        def tick(jobs: int, kills: int) -> None:
            progress.update(ended, completed=jobs)
            progress.update(killed, completed=kills)

        result = run(options, given.keep or Path(folder), progress.console.print, tick)
    console.print(table_of(result, options))
    for violation in result.violations:
        console.print(f"{violation.invariant}: {violation.job_id} {violation.what}", style="red")
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
