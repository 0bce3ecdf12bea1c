"""How many candidates a search may look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How many candidates each key may name."""

    cosine: int = 10
    containment: int = 8
    descriptor: int = 5
