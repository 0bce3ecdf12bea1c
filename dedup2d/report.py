"""What was found for one drawing; its JSON is what clients, files and artifacts carry.

The field names of the predecessor's search response are kept; each match says more.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

ANGLE_STEP_DEG: Final = 0.01  # a turn that would be printed as 0.00 is none
SCALE_STEP: Final = 1e-4


class Relation(StrEnum):
    """How the query relates to the match. Members are ordered from closest to loosest."""

    EXACT = "exact"  # the same bytes
    SAME = "same"  # the same geometry and text after format, order, layers, pose, units
    REVISION = "revision"  # the same drawing with local changes
    VARIANT = "variant"  # mirrored, or scaled by something that is no unit
    CONTAINS = "contains"  # the match is a part of the query
    CONTAINED = "contained"  # the query is a part of the match
    SIMILAR = "similar"  # related shapes, no common whole
    DIFFERENT = "different"  # nothing worth showing


class Verdict(StrEnum):
    """What the thresholds make of a match, for clients that want one word."""

    DUPLICATE = "duplicate"
    SIMILAR = "similar"
    DIFFERENT = "different"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pose(_Value):
    """Lays the query onto the match: first mirror (y -> -y), then turn, scale, shift."""

    rotation_deg: float = Field(0.0, description="counter-clockwise, in [0, 360)")
    mirrored: bool = False
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    @property
    def words(self) -> tuple[str, ...]:
        """What turns the query into the match, for people; empty where they lie alike."""
        words = []
        turn = (self.rotation_deg + 180) % 360 - 180  # how people turn a sheet: the short way
        if self.mirrored and abs(turn) < ANGLE_STEP_DEG:
            words.append("mirrored top to bottom")
        elif self.mirrored and 180 - abs(turn) < ANGLE_STEP_DEG:
            words.append("mirrored left to right")
        else:
            words += ["mirrored"] if self.mirrored else []
            words += [_turned(turn)] if abs(turn) >= ANGLE_STEP_DEG else []
        if abs(self.scale - 1) >= SCALE_STEP:
            words.append(f"scaled by {self.scale:.4g}")
        return tuple(words)


def _turned(degrees: float) -> str:
    size = f"{abs(degrees):.2f}".rstrip("0").rstrip(".")
    if size == "180":
        return "turned 180°"
    return f"turned {size}° {'clockwise' if degrees < 0 else 'counter-clockwise'}"


class Region(_Value):
    """A changed place: a box in the query's drawing units, and what happened there."""

    min_x: float
    min_y: float
    max_x: float
    max_y: float
    added: int = Field(0, description="primitives that only the query has")
    removed: int = Field(0, description="primitives that only the match has")


class TextChange(_Value):
    """A text that differs; ``before`` is the match's, ``after`` the query's, None if absent."""

    before: str | None = None
    after: str | None = None
    x: float = 0.0
    y: float = 0.0


class Changes(_Value):
    """What differs, counted in primitives of the query (added) and of the match (removed)."""

    added: int = 0
    removed: int = 0
    regions: tuple[Region, ...] = ()
    texts: tuple[TextChange, ...] = ()


class Match(_Value):
    """One drawing of the vault that has to do with the query."""

    drawing_id: str
    file_hash: str = Field(description="sha256 of the match's bytes, hex")
    file_name: str
    path: str = Field("", description="where the match was indexed from")
    similarity: float = Field(ge=0, le=1)
    confidence: float = Field(ge=0, le=1)
    match_level: int = Field(
        description="1 bytes, 2 geometry key, 3 descriptor, 4 verified geometry"
    )
    verdict: Verdict
    relation: Relation
    pose: Pose = Pose()
    changes: Changes = Changes()
    levels: dict[str, Any] = Field(default_factory=dict, description="what each stage saw")
    why: tuple[str, ...] = Field((), description="what agreed and what did not, in sentences")


class FindingInfo(_Value):
    """A remark about the query's file."""

    code: str
    message: str
    count: int = 1


class ReportError(_Value):
    """Why there is no answer for this drawing."""

    code: str
    message: str


class Query(_Value):
    """The drawing that was asked about."""

    file_name: str
    file_hash: str = ""
    size: int = 0
    format: str = ""
    primitives: int = 0
    texts: int = 0
    path: str = ""
    findings: tuple[FindingInfo, ...] = ()


class Report(_Value):
    """The answer for one drawing; ``duplicates`` and ``similar`` are sorted best first."""

    success: bool = True
    total_matches: int = 0
    duplicates: tuple[Match, ...] = ()
    similar: tuple[Match, ...] = ()
    final_level: int = 0
    timing: dict[str, float] = Field(default_factory=dict, description="milliseconds by stage")
    level_stats: dict[str, Any] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: ReportError | None = None
    query: Query | None = None

    @property
    def matches(self) -> tuple[Match, ...]:
        """All matches, best first: the duplicates, then the similar ones."""
        return self.duplicates + self.similar
