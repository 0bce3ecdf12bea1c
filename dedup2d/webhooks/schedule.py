"""When a webhook is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Self

from dedup2d.errors import RequestError
from dedup2d.settings import Settings

MAX_RETRY_AFTER_S: Final = 86400.0  # a receiver that wishes for more is asked after a day
MAX_WAIT_S: Final = 7 * 86400.0
MAX_WAITS: Final = 50

# The example of Standard Webhooks 1.0, "Retry schedule": over three days.
STANDARD_S: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)

QUICK_ATTEMPTS: Final = 3  # the predecessor's
QUICK_BASE_S: Final = 1.0
QUICK_MAX_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """``waits_s[n]`` is the longest wait after attempt ``n + 1``; after the last there is none.

    A wait is drawn between half of that and all of it, "equal jitter" (M. Brooker, "Exponential
    Backoff And Jitter", AWS Architecture Blog, 2015), so that the whole schedule has a length
    that one can rely on; but it is never shorter than the receiver's Retry-After, up to
    ``MAX_RETRY_AFTER_S``.
    """

    waits_s: tuple[float, ...]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """What ``DEDUP2D_CALLBACK_SCHEDULE`` names. Raises RequestError ``INVALID_SETTING``.

        Empty, it is ``quick`` where one of the predecessor's variables is set, else ``standard``.
        """
        attempts = settings.callback_max_attempts
        base_s, max_s = settings.callback_backoff_base_s, settings.callback_backoff_max_s
        asked = settings.callback_schedule
        if asked is None:
            known = any(value is not None for value in (attempts, base_s, max_s))
            asked = "quick" if known else "standard"
        if asked == "standard":
            return cls(STANDARD_S)
        if asked == "quick":
            base_s = QUICK_BASE_S if base_s is None else base_s
            max_s = QUICK_MAX_S if max_s is None else max_s
            tries = range((attempts or QUICK_ATTEMPTS) - 1)
            return cls(tuple(min(max_s, base_s * 2.0**n) for n in tries))
        return cls(_waits(asked))

    def wait_s(
        self, attempts: int, retry_after_s: float, jitter: Callable[[float, float], float]
    ) -> float | None:
        """Seconds from attempt number ``attempts`` to the next; None where there is none."""
        if attempts > len(self.waits_s):
            return None
        longest = self.waits_s[attempts - 1]
        return max(jitter(longest / 2, longest), min(retry_after_s, MAX_RETRY_AFTER_S))


def _waits(text: str) -> tuple[float, ...]:
    try:
        waits = tuple(float(part) for part in text.split(","))
    except ValueError:
        waits = ()
    if not waits or len(waits) > MAX_WAITS or max(waits) > MAX_WAIT_S:
        raise RequestError(
            "INVALID_SETTING",
            "DEDUP2D_CALLBACK_SCHEDULE must be standard, quick, or at most "
            f"{MAX_WAITS} waits in seconds, each at most {MAX_WAIT_S:g}.",
        )
    return waits


def parse_retry_after(value: str, now: float) -> float:
    """Seconds that Retry-After asks for, be it seconds or a date (RFC 9110, 10.2.3).

    0 for what cannot be read or has passed at ``now`` (unix seconds).
    """
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):  # the second for numbers that no date has
        return 0.0
