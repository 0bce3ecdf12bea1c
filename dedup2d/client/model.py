"""What a client says to the HTTP interface, and what it hears."""

from __future__ import annotations

from typing import TypedDict

from pydantic import BaseModel, ConfigDict

from dedup2d.jobs.model import JobStatus


class SearchParameters(TypedDict, total=False):
    """Parameters of a search; what is left out follows preset, tenant and default, in this order.

    Names, ranges and defaults are those of ``dedup2d.options.SearchOptions``.
    """

    preset: str  # strict, version or loose
    mode: str  # fast, balanced or precise
    max_results: int
    duplicate_threshold: float
    similar_threshold: float
    compute_diff: bool
    enable_ml: bool
    enable_geometric: bool
    enable_precision: bool
    precision_profile: str
    version_gate: str
    precision_top_n: int
    precision_visual_weight: float
    precision_geom_weight: float
    precision_compute_diff: bool
    precision_diff_top_n: int
    precision_diff_max_paths: int


class Submitted(BaseModel):
    """The answer to a submitted drawing. ``forced_async_reason``: why it was not answered at once."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    status: JobStatus
    poll_url: str = ""
    forced_async_reason: str | None = None
