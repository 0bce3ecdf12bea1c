"""A drawing as one side of a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from dedup2d.drawing.model import Drawing
from dedup2d.matching.fingerprint import Fingerprint, fingerprint_of, strokes_of
from dedup2d.matching.prepared import Prepared


@dataclass(frozen=True)
class Subject:
    """A fingerprint with what verification keeps of it."""

    fingerprint: Fingerprint
    prepared: Prepared


def subject(fp: Fingerprint) -> Subject:
    """A fingerprint ready for verification, all strokes as telling as the others."""
    strokes = Prepared(fp.shape, hatching=fp.hatching, seams=fp.seams)
    if fp.border is not None:
        vars(strokes)["border"] = fp.border
    return Subject(fp, strokes)


def measured(drawing: Drawing) -> Subject:
    """A drawing with its fingerprint, and with what it took to make that."""
    strokes = strokes_of(drawing)
    return Subject(fingerprint_of(drawing, strokes), strokes)
