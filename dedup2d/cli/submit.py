"""``dedup2d submit``: drawings to a running stack, each as a job."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dedup2d.cli.jobs import JOB_FAILED, show_job
from dedup2d.cli.remote import DEFAULT_URL, KeyOption, ObjectOption, UrlOption
from dedup2d.cli.terminal import Screen, screen, shown, text_of, write_json
from dedup2d.client import Dedup2D, SearchParameters, Submitted
from dedup2d.errors import QueueFullError, RequestError
from dedup2d.jobs.model import JobStatus


def submit(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Drawings.", show_default=False)
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
    together: Annotated[
        bool, typer.Option("--together", help="All FILEs as one job, with one report of all.")
    ] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="Send FILEs to the store itself, past the gateway.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait, and show the reports.")] = False,
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0, help="Wait at most that long.")
    ] = 600,
    as_json: ObjectOption = False,
) -> None:
    """Stream drawings to the HTTP interface; each FILE becomes a job, and the ids are printed.

    With --wait the exit status is 1 when a job did not complete.

    [bold]Examples[/]

      dedup2d submit part.dxf --wait

      dedup2d submit *.dxf --callback-url https://plm.example/hooks/dedup --json
    """
    for path in files:
        if not path.is_file():
            raise RequestError("FILE_MISSING", f"{path} is no file.")
    groups = [files] if together else [[path] for path in files]
    parameters: SearchParameters = {"preset": preset} if preset else {}
    jobs: list[tuple[list[Path], str]] = []
    with Dedup2D(url, api_key) as client:
        with screen("submitting", len(groups), as_json=as_json) as out:
            for group in groups:
                send = partial(
                    client.submit, *group, callback_url=callback_url, direct=direct, **parameters
                )
                sent = _submitted(send, timeout_s=timeout_s)
                jobs.append((group, sent.job_id))
                if not wait:
                    _show_sent(out, group, sent, as_json=as_json)
                out.advance()
        if wait and not _all_complete(client, jobs, timeout_s=timeout_s, as_json=as_json):
            raise typer.Exit(JOB_FAILED)


def _submitted(send: Callable[[], Submitted], *, timeout_s: float) -> Submitted:
    """Submit, waiting for a place while the queue is full."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return send()
        except QueueFullError as error:
            if time.monotonic() + error.retry_after_s > deadline:
                raise
            time.sleep(error.retry_after_s)


def _show_sent(out: Screen, group: list[Path], sent: Submitted, *, as_json: bool) -> None:
    if as_json:
        write_json({"paths": [text_of(path) for path in group]} | sent.model_dump(mode="json"))
    else:
        out.console.print(f"{sent.job_id}  {sent.status}  {shown(_name(group))}")


def _all_complete(
    client: Dedup2D, jobs: list[tuple[list[Path], str]], *, timeout_s: float, as_json: bool
) -> bool:
    complete = True
    with screen("waiting", len(jobs), as_json=as_json) as out:
        for group, job_id in jobs:
            job = client.wait(job_id, timeout_s=timeout_s)
            complete &= job.status is JobStatus.COMPLETED
            if as_json:
                paths = {"paths": [text_of(path) for path in group]}
                write_json(paths | job.model_dump(mode="json"))
            else:
                show_job(out.console, job, name=_name(group))
            out.advance()
    return complete


def _name(group: list[Path]) -> str:
    return str(group[0]) if len(group) == 1 else f"{len(group)} drawings"
