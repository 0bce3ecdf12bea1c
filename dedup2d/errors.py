"""Everything that can go wrong, in one tree.

    Dedup2DError
    ├── DrawingError        the drawing's fault: never retried, the user is told what to mend
    ├── RequestError        the caller's fault: wrong parameter, unknown preset, refused address
    │   ├── QueueFullError      too many jobs are waiting; comes with the limit and a wait
    │   ├── LimitError          the tenant has used up what it may; comes with a wait
    │   └── ConflictError       the idempotency key was used for another request
    └── ServiceError        a service's fault: retried with jitter, then failed with its name

Each error has a ``code`` for machines and a sentence for people that names no server path.
Every error survives pickling: the constructor's arguments are its ``args``.
"""

from __future__ import annotations


class Dedup2DError(Exception):
    """Root of the tree. ``code`` is stable and upper-case; ``message`` is a whole sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class DrawingError(Dedup2DError):
    """The drawing cannot be read or exceeds a budget; trying again gives the same answer."""


class RequestError(Dedup2DError):
    """The request is wrong; the sentence says which value, and what would be right."""


class QueueFullError(RequestError):
    """More jobs are waiting than the limit allows. Try again after ``retry_after_s`` seconds."""

    def __init__(self, max_jobs: int, current_jobs: int, retry_after_s: int = 5) -> None:
        super().__init__(
            "JOB_QUEUE_FULL", f"{current_jobs} jobs are waiting, the limit is {max_jobs}."
        )
        self.args = (max_jobs, current_jobs, retry_after_s)
        self.max_jobs = max_jobs
        self.current_jobs = current_jobs
        self.retry_after_s = retry_after_s


class LimitError(RequestError):
    """The tenant has used up what it may. Try again after ``retry_after_s`` seconds."""

    def __init__(self, code: str, message: str, *, retry_after_s: float) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        return (_limit_error, (self.code, self.message, self.retry_after_s))


def _limit_error(code: str, message: str, retry_after_s: float) -> LimitError:
    return LimitError(code, message, retry_after_s=retry_after_s)


class ConflictError(RequestError):
    """The same idempotency key came with a different request."""


class ServiceError(Dedup2DError):
    """A service did not answer or answered wrongly. ``service`` names it: store, queue, ..."""

    def __init__(
        self, service: str, message: str, *, code: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(code or f"{service.upper()}_UNAVAILABLE", message)
        self.service = service
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        state = {"code": self.code, "retry_after_s": self.retry_after_s}
        return (type(self), (self.service, self.message), state)
