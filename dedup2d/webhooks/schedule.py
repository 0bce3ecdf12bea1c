"""When a webhook is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from dedup2d.settings import Settings

MAX_RETRY_AFTER_S: Final = 30.0  # a longer wish ends a round that somebody waits for


@dataclass(frozen=True, slots=True)
class Schedule:
    """``waits_s[n]`` is the longest wait after attempt ``n + 1``; after the last there is none.

    A wait is drawn from 0 to that, "full jitter" (M. Brooker, "Exponential Backoff And Jitter",
    AWS Architecture Blog, 2015), but never shorter than the receiver's Retry-After. One of more
    than ``patience_s`` ends it.
    """

    waits_s: tuple[float, ...]
    patience_s: float = MAX_RETRY_AFTER_S

    @classmethod
    def from_settings(cls, settings: Settings) -> Schedule:
        """The predecessor's: a few quick tries, doubling from the base up to the maximum."""
        base_s, max_s = settings.callback_backoff_base_s, settings.callback_backoff_max_s
        tries = range(settings.callback_max_attempts - 1)
        return cls(tuple(min(max_s, base_s * 2.0**n) for n in tries))

    def wait_s(
        self, attempts: int, retry_after_s: float, jitter: Callable[[float, float], float]
    ) -> float | None:
        """Seconds from attempt number ``attempts`` to the next; None where there is none."""
        if attempts > len(self.waits_s) or retry_after_s > self.patience_s:
            return None
        return max(jitter(0, self.waits_s[attempts - 1]), retry_after_s)


def parse_retry_after(value: str, now: float) -> float:
    """Seconds that Retry-After asks for, be it seconds or a date (RFC 9110, 10.2.3).

    0 for what cannot be read or has passed at ``now`` (unix seconds).
    """
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return 0.0
