"""How much one drawing may cost; over it the drawing is refused with a code."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from dedup2d.errors import DrawingError


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of reading one drawing; the defaults are those of the settings."""

    max_bytes: int = 512 * 1024**2
    max_primitives: int = 1_500_000
    max_pixels: int = 120_000_000
    max_insert_depth: int = 16
    max_seconds: float = 60.0


class Meter:
    """Counts what reading one drawing has cost so far, and stops it at the budget."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._primitives = 0
        self._deadline = time.monotonic() + budget.max_seconds

    def spend(self, primitives: int) -> None:
        """Note new primitives. Raises DrawingError ``TOO_MANY_PRIMITIVES``, ``TIME_LIMIT``."""
        self._primitives += primitives
        self.check_entities(self._primitives)
        self.check_time()

    def check_entities(self, count: int) -> None:
        """Refuse by a count that was seen ahead: DrawingError ``TOO_MANY_PRIMITIVES``."""
        if count > self.budget.max_primitives:
            raise DrawingError(
                "TOO_MANY_PRIMITIVES",
                f"The drawing has more than {self.budget.max_primitives} primitives, "
                "which is the limit. Take out what is no drawing (hatches, pictures traced to "
                "lines), or raise DEDUP2D_MAX_PRIMITIVES.",
            )

    def check_time(self) -> None:
        """Raise DrawingError ``TIME_LIMIT`` when the time is over."""
        if time.monotonic() > self._deadline:
            raise DrawingError(
                "TIME_LIMIT",
                f"Reading the drawing took longer than the limit of "
                f"{self.budget.max_seconds:g} seconds. Save a smaller part of it, or raise "
                "DEDUP2D_READ_TIMEOUT_SECONDS.",
            )

    def check_pixels(self, width: int, height: int) -> None:
        """Refuse an image by the size in its header: DrawingError ``TOO_MANY_PIXELS``."""
        pixels, most = width * height, self.budget.max_pixels
        if pixels > most:
            share = math.floor(100 * math.sqrt(most / pixels))
            raise DrawingError(
                "TOO_MANY_PIXELS",
                f"The image has {width} x {height} = {pixels} pixels, the limit is {most}. "
                f"Scan it at {share} % of its resolution or less, or raise DEDUP2D_MAX_PIXELS.",
            )

    def check_depth(self, depth: int) -> None:
        """Refuse deep nesting of blocks: DrawingError ``INSERT_TOO_DEEP``."""
        if depth > self.budget.max_insert_depth:
            raise DrawingError(
                "INSERT_TOO_DEEP",
                f"Blocks are nested deeper than {self.budget.max_insert_depth} levels, "
                "which is the limit. Explode the outer ones, or save the drawing without them.",
            )
