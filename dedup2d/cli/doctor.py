"""``dedup2d doctor``: is everything there that dedup2d needs?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from dedup2d.cli.stack_options import DataOption
from dedup2d.cli.terminal import shown, write_json
from dedup2d.settings import Settings, read_settings

if TYPE_CHECKING:
    from dedup2d.cli.checks.finding import Check, Finding

SOMETHING_FAILS: Final = 1
COLOURS: Final = {"OK": "green", "WARN": "yellow", "FAIL": "bold red"}


def doctor(
    *,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per finding.")] = False,
) -> None:
    """Check this machine and every service that dedup2d talks to, and say what to do.

    Python and packages, disk, child processes and their limits, Redis, the file stores (a
    probe is put, fetched and deleted), the clock, the index, the Prefect server with its
    deployments, work pool and workers, and settings that are risky. Exits with 1 when
    something fails; warnings are fine for trying things out.

    [bold]Example[/]

      dedup2d doctor --data ./data
    """
    settings = read_settings() if data is None else read_settings(data_dir=data)
    findings = asyncio.run(_examine(settings))
    if as_json:
        for found in findings:
            write_json(found.model_dump(mode="json"))
    else:
        _show(findings)
    if any(found.level == "FAIL" for found in findings):
        raise typer.Exit(SOMETHING_FAILS)


async def _examine(settings: Settings) -> list[Finding]:
    # Imports everything, which takes seconds: --help must not wait for it.
    from dedup2d.cli.checks import machine, orchestration, services  # noqa: PLC0415  # see above
    from dedup2d.cli.checks.finding import run_check  # noqa: PLC0415  # see above

    checks: dict[str, Check] = {
        "python": machine.python,
        "packages": machine.packages,
        "disk": machine.disk,
        "memory": machine.memory,
        "child process": machine.children,
        "redis": services.queue,
        "store": services.stores,
        "clock": services.clock,
        "index": services.matching,
        "prefect": orchestration.orchestration,
        "webhook": services.callback,
        "access": services.access,
    }
    found = await asyncio.gather(*(run_check(name, c, settings) for name, c in checks.items()))
    return [finding for findings in found for finding in findings]


def _show(findings: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for found in findings:
        said = shown(found.said)
        if found.advice:
            said += f"\n[dim]{shown(found.advice)}[/]"
        table.add_row(f"[{COLOURS[found.level]}]{found.level}[/]", found.check, said)
    Console(highlight=False).print(table)
