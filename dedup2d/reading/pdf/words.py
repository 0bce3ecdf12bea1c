"""Text of a PDF: pieces on one baseline are one text, as they were before plotting."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

_JOIN_GAP: Final = 0.6  # of the height, along the baseline
_SPACE_GAP: Final = 0.25  # between ink; letters keep 0.1 to 0.15 apart, a blank adds 0.28
_OFF_BASELINE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of text with its anchor on the baseline; sizes in points, angle in radians."""

    value: str
    x: float
    y: float
    height: float
    angle: float
    width: float


def joined_words(words: Iterable[Word]) -> list[Word]:
    """Pieces that follow each other in the file and on the page, as one."""
    joined: list[Word] = []
    for word in words:
        gap = _gap(joined[-1], word) if joined else None
        if gap is None:
            joined.append(word)
            continue
        last = joined[-1]
        blank = " " if gap > _SPACE_GAP * last.height else ""
        joined[-1] = replace(
            last, value=last.value + blank + word.value, width=last.width + gap + word.width
        )
    return joined


def _gap(last: Word, word: Word) -> float | None:
    """The distance between two pieces on one baseline, None where they are apart."""
    height = last.height
    if height <= 0 or abs(word.height - height) > _OFF_BASELINE * height:
        return None
    if abs(math.remainder(word.angle - last.angle, math.tau)) > 0.01:  # noqa: PLR2004  # radians
        return None
    dx, dy = word.x - last.x, word.y - last.y
    along = dx * math.cos(last.angle) + dy * math.sin(last.angle)
    across = dy * math.cos(last.angle) - dx * math.sin(last.angle)
    gap = along - last.width
    is_near = -_JOIN_GAP * height < gap < _JOIN_GAP * height
    return gap if is_near and abs(across) < _OFF_BASELINE * height else None
