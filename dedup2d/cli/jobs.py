"""``dedup2d status``, ``jobs`` and ``cancel``: the jobs of a running stack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError
from rich.console import Console

from dedup2d.cli.remote import DEFAULT_URL, JobArgument, KeyOption, ObjectOption, UrlOption
from dedup2d.cli.tables import show_report
from dedup2d.cli.terminal import shown, write_json
from dedup2d.client import Dedup2D
from dedup2d.jobs.model import JobStatus, JobView
from dedup2d.report import Report

JOB_FAILED: Final = 1
COLOURS: Final = {
    JobStatus.PENDING: "dim",
    JobStatus.IN_PROGRESS: "cyan",
    JobStatus.COMPLETED: "green",
    JobStatus.FAILED: "red",
    JobStatus.CANCELED: "yellow",
}


def status(
    job: JobArgument,
    *,
    url: UrlOption = DEFAULT_URL,
    api_key: KeyOption = None,
    as_json: ObjectOption = False,
) -> None:
    """Show how a job stands, and its report when it has completed.

    [bold]Example[/]

      dedup2d status 0198c2d4-7b1e-7c3e-9a55-3f0d4b1f2a10 --json | jq .status
    """
    with Dedup2D(url, api_key) as client:
        view = client.job(job)
    if as_json:
        write_json(view.model_dump(mode="json"))
    else:
        show_job(Console(highlight=False), view)


def jobs(
    *,
    status: Annotated[
        JobStatus | None, typer.Option(help="Only jobs of this status.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=200, help="At most N jobs.")] = 20,
    url: UrlOption = DEFAULT_URL,
    api_key: KeyOption = None,
    as_json: ObjectOption = False,
) -> None:
    """List the latest jobs, newest first.

    [bold]Examples[/]

      dedup2d jobs

      dedup2d jobs --status failed --json
    """
    with Dedup2D(url, api_key) as client:
        views = list(client.iter_jobs(status.value if status else None, limit=limit))
    if as_json:
        for view in views:
            write_json(view.model_dump(mode="json"))
        return
    console = Console(highlight=False)
    if not views:
        console.print("[dim]no jobs[/]")
        return
    for view in views:
        colour = COLOURS[view.status]
        console.print(
            f"{view.job_id}  [{colour}]{view.status:<11}[/]  "
            f"{_local_time(view.created_at)}  {_took(view)}"
        )
        if view.error:
            console.print(f"  [{colour}]{shown(view.error)}[/]")


def cancel(job: JobArgument, *, url: UrlOption = DEFAULT_URL, api_key: KeyOption = None) -> None:
    """Cancel a job, waiting or running; a job that has ended stays as it is.

    Its upload is deleted, and its receiver hears 'canceled'.

    [bold]Example[/]

      dedup2d cancel 0198c2d4-7b1e-7c3e-9a55-3f0d4b1f2a10
    """
    with Dedup2D(url, api_key) as client:
        client.cancel(job)
    Console(highlight=False).print(f"asked job {job} to end")


def show_job(console: Console, job: JobView, *, name: str = "") -> None:
    """One job: status, times, error, webhook, and its report."""
    colour = COLOURS[job.status]
    title = f"[bold]{shown(name)}[/]  " if name else ""
    console.print(f"{title}{job.job_id}  [{colour}]{job.status}[/]  {_took(job)}")
    if job.error:
        console.print(f"  [red]{shown(job.error)}[/]")
    if job.callback_status:
        tries = f" after {job.callback_attempts} attempts" if job.callback_attempts else ""
        console.print(
            f"  webhook {job.callback_status}{tries} {shown(job.callback_last_error or '')}"
        )
    for report in reports_of(job.result):
        show_report(console, report)


def reports_of(result: dict[str, Any] | None) -> list[Report]:
    """The reports of a job's result: one drawing's, or those of a batch."""
    if result is None:
        return []
    items = result.get("reports", [result])
    try:
        return [Report.model_validate(item) for item in items]
    except ValidationError:
        return []


def _local_time(stamp: float | None) -> str:
    if stamp is None:
        return ""
    return f"{datetime.fromtimestamp(stamp, UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def _took(job: JobView) -> str:
    if job.started_at is None or job.finished_at is None:
        return ""
    return f"{job.finished_at - job.started_at:.2f} s"
