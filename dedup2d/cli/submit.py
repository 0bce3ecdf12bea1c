"""``dedup2d submit``: drawings to a running stack, each as a job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from dedup2d.cli.jobs import JOB_FAILED, show_job
from dedup2d.cli.remote import DEFAULT_URL, KeyOption, ObjectOption, UrlOption
from dedup2d.cli.terminal import Screen, screen
from dedup2d.client import Dedup2D, SearchParameters
from dedup2d.errors import RequestError
from dedup2d.jobs.model import JobStatus


def submit(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Drawings.", show_default=False)
    ],
    *,
    url: UrlOption = DEFAULT_URL,
    api_key: KeyOption = None,
    callback_url: Annotated[
        str | None,
        typer.Option(help="Where the signed report is sent to.", show_default=False),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="strict, version (revisions count) or loose.", show_default=False),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait, and show the reports.")] = False,
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0, help="Wait at most that long.")
    ] = 600,
    as_json: ObjectOption = False,
) -> None:
    """Stream drawings to the HTTP interface; each FILE becomes a job, and its id is printed.

    With --wait the exit status is 1 when a job did not complete.

    [bold]Examples[/]

      dedup2d submit part.dxf --wait

      dedup2d submit *.dxf --callback-url https://plm.example/hooks/dedup --json
    """
    for path in files:
        if not path.is_file():
            raise RequestError("FILE_MISSING", f"{path} is no file.")
    parameters: SearchParameters = {"preset": preset} if preset else {}
    with Dedup2D(url, api_key) as client, screen("submitting", len(files), as_json=as_json) as out:
        jobs = []
        for path in files:
            sent = client.submit(path, callback_url=callback_url, **parameters)
            jobs.append((path, sent.job_id))
            if not wait:
                _show_sent(out, path, sent.model_dump(mode="json"), as_json=as_json)
            out.advance()
    if wait and not _all_complete(url, api_key, jobs, timeout_s=timeout_s, as_json=as_json):
        raise typer.Exit(JOB_FAILED)


def _show_sent(out: Screen, path: Path, sent: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        out.json_line({"path": str(path)} | sent)
    else:
        out.console.print(f"{sent['job_id']}  {sent['status']}  {escape(str(path))}")


def _all_complete(
    url: str,
    api_key: str | None,
    jobs: list[tuple[Path, str]],
    *,
    timeout_s: float,
    as_json: bool,
) -> bool:
    complete = True
    with Dedup2D(url, api_key) as client, screen("waiting", len(jobs), as_json=as_json) as out:
        for path, job_id in jobs:
            job = client.wait(job_id, timeout_s=timeout_s)
            complete &= job.status is JobStatus.COMPLETED
            if as_json:
                out.json_line({"path": str(path)} | job.model_dump(mode="json"))
            else:
                show_job(out.console, job, name=str(path))
            out.advance()
    return complete
