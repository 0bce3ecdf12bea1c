"""A drawing as one side of a comparison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dedup2d.matching.fingerprint import Fingerprint
from dedup2d.matching.prepared import Prepared


@dataclass(frozen=True)
class Subject:
    """A fingerprint with what verification keeps of it."""

    fingerprint: Fingerprint
    prepared: Prepared


def subject(
    fp: Fingerprint, weights: np.ndarray[tuple[int], np.dtype[np.float64]] | None = None
) -> Subject:
    """A fingerprint ready for verification; ``weights`` as in Prepared."""
    return Subject(fp, Prepared(fp.shape, weights, fp.hatching))
