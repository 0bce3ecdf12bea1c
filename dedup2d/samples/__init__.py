"""Realistic drawings with known truth, for the demo, the tests and the benchmarks."""

from dedup2d.samples.parts import KINDS, Kind, drawing, family, plan
from dedup2d.samples.truth import QueryTruth, Truth
from dedup2d.samples.vault import generate

__all__ = ["KINDS", "Kind", "QueryTruth", "Truth", "drawing", "family", "generate", "plan"]
