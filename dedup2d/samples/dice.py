"""Seeded choices of a designer."""

from __future__ import annotations

import numpy as np


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with this probability."""
    return bool(rng.random() < probability)


def pick(rng: np.random.Generator, *values: float) -> float:
    """One of the values, each as likely."""
    return float(rng.choice(values))


def fives(rng: np.random.Generator, low: int, high: int) -> float:
    """A multiple of 5 from 5 * low up to, not including, 5 * high."""
    return 5.0 * int(rng.integers(low, high))
