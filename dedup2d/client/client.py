"""Dedup2D: submit drawings, wait for reports, look at jobs."""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, TypeVar, Unpack
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from dedup2d.client.answers import SERVICE, error_of
from dedup2d.client.model import SearchParameters, Submitted
from dedup2d.client.uploads import Opened, announced, send
from dedup2d.client.webhook import verify_webhook
from dedup2d.errors import RequestError, ServiceError
from dedup2d.jobs.model import JobStatus, JobView
from dedup2d.matcher import Indexed
from dedup2d.report import Report

PREFIX: Final = "/api/v1/dedup/2d"
DEFAULT_URL: Final = "http://127.0.0.1:8000"
TIMEOUT_S: Final = 60.0  # of one exchange; a large upload may take longer, each piece may not
WAIT_TIMEOUT_S: Final = 600.0
LONG_POLL_S: Final = 25.0  # proxies commonly end what is silent for 30 s
EARLY_PAUSE_S: Final = 0.2
MAX_LISTED: Final = 200  # the interface gives no more at a time
Model = TypeVar("Model", bound=BaseModel)
_Part = tuple[str, tuple[str, BinaryIO, str]]


class Dedup2D:
    """A connection to the HTTP interface at ``base_url``; close it, or use it in ``with``.

    Every method raises RequestError for the caller's fault (unknown job, wrong parameter,
    refused address; ``QueueFullError`` says when to try again) and ServiceError when the
    gateway or something behind it does not answer. Both carry the server's code and sentence.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        api_key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise RequestError("INVALID_URL", f"{base_url}: write http:// or https:// and a host.")
        headers = {"X-API-Key": api_key} if api_key else {}
        self._timeout_s = timeout_s
        self._origin = base_url
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + PREFIX, headers=headers, timeout=timeout_s
        )

    verify_webhook = staticmethod(verify_webhook)

    def check(
        self,
        file: Path | str,
        *,
        geometry: Path | str | None = None,
        timeout_s: float = WAIT_TIMEOUT_S,
        **parameters: Unpack[SearchParameters],
    ) -> Report:
        """Ask about a drawing and give its report, within ``timeout_s`` seconds.

        Waits also where the server makes a job of it (large file, precise mode). Hanging up
        cancels the job. Raises as ``wait``, and RequestError with the reader's code where the
        drawing cannot be read.
        """
        query = {**parameters, "async": False}
        answer = self._search([Path(file)], geometry, query, timeout_s=timeout_s)
        if "job_id" not in answer:
            return _parsed(Report, answer)
        job = self.wait(_parsed(Submitted, answer).job_id, timeout_s=timeout_s)
        if job.status is not JobStatus.COMPLETED:
            code = job.error_code or f"JOB_{job.status.upper()}"
            raise RequestError(code, job.error or f"The job ended as {job.status}.")
        return _parsed(Report, job.result or {})

    def submit(
        self,
        *files: Path | str,
        geometry: Path | str | None = None,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        direct: bool = False,
        **parameters: Unpack[SearchParameters],
    ) -> Submitted:
        """Stream drawings from disk to the server, as one job; returns when it is accepted.

        The report goes to ``callback_url``, if given, and stays with the job. The same
        ``idempotency_key`` gives the same job: submit again with it after a broken connection.
        With ``direct`` the drawings are sent as ``upload`` does.
        """
        query = {**parameters, "async": True, "callback_url": callback_url}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        upload_id = self.upload(*files) if direct else None
        paths = [] if direct else [Path(file) for file in files]
        return _parsed(
            Submitted, self._search(paths, geometry, query, headers, upload_id=upload_id)
        )

    def upload(self, *files: Path | str) -> str:
        """Send drawings to the store, with S3 past the gateway; gives the id of the upload.

        A transfer that breaks is taken up again. Up to 32 files, for one job: ``submit`` with
        ``direct=True`` does both, and what no job takes is deleted by the server.
        """
        paths = [Path(file) for file in files]
        body = {"files": [announced(path) for path in paths]}
        opened = _parsed(Opened, self._call("POST", "/uploads", json=body))
        for slot, path in zip(opened.files, paths, strict=True):
            send(self._origin, slot, path, timeout_s=self._timeout_s)
        return opened.upload_id

    def wait(self, job_id: str, *, timeout_s: float = WAIT_TIMEOUT_S) -> JobView:
        """Return when the job has ended, in whatever way.

        Raises ServiceError ``WAIT_TIMEOUT`` after ``timeout_s`` seconds; the job goes on.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            began = time.monotonic()
            wait_s = min(max(0.0, deadline - began), LONG_POLL_S)
            job = self._job(job_id, wait_s=round(wait_s, 3))
            if job.status.is_terminal:
                return job
            if time.monotonic() >= deadline:
                raise ServiceError(
                    SERVICE,
                    f"Job {job_id} is still {job.status} after {timeout_s:g} s.",
                    code="WAIT_TIMEOUT",
                )
            if time.monotonic() - began < wait_s:  # a gateway that stops, or knows no long poll
                time.sleep(min(EARLY_PAUSE_S, deadline - time.monotonic()))

    def job(self, job_id: str) -> JobView:
        """The job as it stands. Raises RequestError ``JOB_NOT_FOUND`` or ``JOB_FORBIDDEN``."""
        return self._job(job_id, wait_s=0)

    def _job(self, job_id: str, *, wait_s: float) -> JobView:
        request: dict[str, Any] = {}
        if wait_s:
            request["params"] = {"wait": wait_s}
            request["timeout"] = httpx.Timeout(self._timeout_s, read=self._timeout_s + wait_s)
        return _parsed(JobView, self._call("GET", f"/jobs/{quote(job_id, safe='')}", **request))

    def cancel(self, job_id: str) -> None:
        """Ask for the job's end; a job that has ended stays as it is. Raises as ``job``."""
        self._call("POST", f"/jobs/{quote(job_id, safe='')}/cancel")

    def iter_jobs(self, status: str | None = None, *, limit: int = 50) -> Iterator[JobView]:
        """The latest jobs, newest first, at most ``limit`` (1 to 200), without their results."""
        query = {"status": status, "limit": min(limit, MAX_LISTED)}
        answer = self._call("GET", "/jobs", params=_given(query))
        for item in answer.get("jobs", ()):
            yield _parsed(JobView, item)

    def index_add(self, file: Path | str, *, user_name: str = "") -> Indexed:
        """Add a drawing to the vault's index."""
        params = _given({"user_name": user_name or None})
        with ExitStack() as stack:
            files = _parts(stack, [Path(file)], None)
            return _parsed(Indexed, self._call("POST", "/index/add", params=params, files=files))

    def health(self) -> dict[str, Any]:
        """How the matcher behind the gateway is; ``status`` is ``healthy`` where all is well."""
        return self._call("GET", "/health")

    def _search(
        self,
        files: list[Path],
        geometry: Path | str | None,
        query: dict[str, Any],
        headers: dict[str, str] | None = None,
        *,
        timeout_s: float | None = None,
        upload_id: str | None = None,
    ) -> dict[str, Any]:
        request: dict[str, Any] = {"params": _given(query), "headers": headers}
        if timeout_s is not None:
            request["timeout"] = httpx.Timeout(self._timeout_s, read=timeout_s)
        with ExitStack() as stack:
            parts: list[Any] = _parts(stack, files, geometry)
            if upload_id is not None:
                parts.insert(0, ("upload_id", (None, upload_id)))
            return self._call("POST", "/search", files=parts, **request)

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **request)
        except httpx.TimeoutException as error:
            raise ServiceError(SERVICE, f"{self._origin} took too long to answer.") from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            message = f"Nothing answers at {self._origin}: {error}."
            raise ServiceError(SERVICE, message) from error
        if not response.is_success:
            raise error_of(response)
        try:
            answer = response.json()
        except ValueError as error:
            raise _not_ours() from error
        if not isinstance(answer, dict):
            raise _not_ours()
        return answer

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _parts(stack: ExitStack, files: list[Path], geometry: Path | str | None) -> list[_Part]:
    """The multipart body; httpx reads the files in small pieces while it sends."""
    parts = [("file", _part(stack, file)) for file in files]
    if geometry is not None:
        parts.append(("geom_json", _part(stack, Path(geometry))))
    return parts


def _part(stack: ExitStack, path: Path) -> tuple[str, BinaryIO, str]:
    try:
        opened = stack.enter_context(path.open("rb"))
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise RequestError("FILE_UNREADABLE", f"{path}: {reason}.") from error
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return path.name, opened, media_type


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _parsed(model: type[Model], answer: dict[str, Any]) -> Model:
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        raise _not_ours() from error


def _not_ours() -> ServiceError:
    return ServiceError(
        SERVICE, "The answer is not one of dedup2d; is this the right address?", code="BAD_ANSWER"
    )
