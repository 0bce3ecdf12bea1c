"""What a search may be told: mode, limits, thresholds; presets and their precedence.

Precedence (predecessor's contract): an explicit value, then an explicit preset, then the
tenant's values, then the tenant's preset, then the default. An explicit 0 stays 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dedup2d.errors import RequestError

NO_EFFECT: Final = "accepted for clients of the predecessor; has no effect"


class Mode(StrEnum):
    """How much work a search may do."""

    FAST = "fast"  # candidates by key and descriptor, few of them verified
    BALANCED = "balanced"  # the default
    PRECISE = "precise"  # more candidates, all verified


class PrecisionProfile(StrEnum):
    """What a search is after; with ``version`` the version gate counts."""

    STRICT = "strict"  # duplicates only
    VERSION = "version"  # revisions count as matches


class VersionGate(StrEnum):
    """What a drawing and its revision must have in common."""

    OFF = "off"  # none
    AUTO = "auto"  # drawing number, else file name
    FILE_NAME = "file_name"  # the file's stem without its version suffix
    META = "meta"  # the drawing number


class SearchOptions(BaseModel):
    """Parameters of one search; names and defaults are the predecessor's.

    Descriptions are what the form in Prefect's UI and the HTTP interface's pages show.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field(Mode.BALANCED, description="fast, balanced or precise")
    max_results: int = Field(50, ge=0, le=1000, description="matches reported at most")
    compute_diff: bool = Field(True, description="report changed regions and draw the overlay")
    enable_ml: bool = Field(False, description="passed to a vision service; no effect otherwise")
    enable_geometric: bool = Field(False, description="passed to a vision service")
    enable_precision: bool = Field(True, description="a search with geometry JSON becomes a job")
    precision_profile: PrecisionProfile = Field(
        PrecisionProfile.STRICT, description="strict, or version: the version gate counts"
    )
    version_gate: VersionGate = Field(
        VersionGate.OFF,
        description="with the profile version: what a revision must share with the drawing "
        "(auto, file_name or meta: the file's name without its version)",
    )
    precision_top_n: int = Field(20, ge=1, le=1000, description="candidates that are verified")
    precision_visual_weight: float = Field(0.3, ge=0, allow_inf_nan=False, description=NO_EFFECT)
    precision_geom_weight: float = Field(0.7, ge=0, allow_inf_nan=False, description=NO_EFFECT)
    precision_compute_diff: bool = Field(False, description=NO_EFFECT)
    precision_diff_top_n: int = Field(5, ge=0, le=1_000_000, description=NO_EFFECT)
    precision_diff_max_paths: int = Field(200, ge=0, le=1_000_000, description=NO_EFFECT)
    duplicate_threshold: float = Field(
        0.95,
        ge=0,
        le=1,
        description="not below similar_threshold; exact (1) and same (0.99 to 0.999) are "
        "duplicates from here on, other relations never are",
    )
    similar_threshold: float = Field(
        0.80, ge=0, le=1, description="similarity below which a merely similar match is left out"
    )

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> Self:
        if self.similar_threshold > self.duplicate_threshold:
            raise ValueError(
                f"similar_threshold ({self.similar_threshold}) must not be above "
                f"duplicate_threshold ({self.duplicate_threshold})"
            )
        return self


_VERSION = {"precision_profile": PrecisionProfile.VERSION, "version_gate": VersionGate.OFF}

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "strict": {
        "mode": Mode.BALANCED,
        "precision_profile": PrecisionProfile.STRICT,
        "precision_top_n": 20,
        "duplicate_threshold": 0.95,
        "similar_threshold": 0.80,
        "precision_visual_weight": 0.3,
        "precision_geom_weight": 0.7,
        "version_gate": VersionGate.OFF,
    },
    "version": _VERSION
    | {
        "mode": Mode.BALANCED,
        "precision_top_n": 50,
        "duplicate_threshold": 0.95,
        "similar_threshold": 0.70,
        "precision_visual_weight": 0.5,
        "precision_geom_weight": 0.5,
        "version_gate": VersionGate.AUTO,
    },
    "loose": _VERSION
    | {
        "mode": Mode.BALANCED,
        "precision_top_n": 50,
        "duplicate_threshold": 0.90,
        "similar_threshold": 0.50,
        "precision_visual_weight": 0.6,
        "precision_geom_weight": 0.4,
    },
}


def resolve_options(
    explicit: Mapping[str, Any],
    *,
    preset: str | None = None,
    tenant_values: Mapping[str, Any] | None = None,
) -> SearchOptions:
    """Merge by precedence and validate.

    ``explicit`` and ``tenant_values`` hold only what was really given. ``tenant_values`` may
    carry the tenant's own ``preset``. Raises RequestError (``UNKNOWN_PRESET``,
    ``INVALID_OPTIONS``) that names the value.
    """
    tenant = {k: v for k, v in (tenant_values or {}).items() if v is not None}
    tenant_preset = tenant.pop("preset", None)
    layers: list[Mapping[str, Any]]
    if preset is not None:
        layers = [tenant, _preset(preset), explicit]
    else:
        layers = [_preset(tenant_preset) if tenant_preset else {}, tenant, explicit]
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= layer
    try:
        return SearchOptions.model_validate(merged)
    except ValidationError as error:
        raise RequestError("INVALID_OPTIONS", _in_words(error)) from error


def _preset(name: str) -> Mapping[str, Any]:
    try:
        return PRESETS[name]
    except KeyError:
        known = ", ".join(PRESETS)
        raise RequestError("UNKNOWN_PRESET", f"Unknown preset: {name}. Known: {known}.") from None


def _in_words(error: ValidationError) -> str:
    sentences = []
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"])
        text = item["msg"].removeprefix("Value error, ")
        sentences.append(f"{name}: {text}" if name else text)
    return "; ".join(sentences)
