"""The block of a dedupcad-vision service."""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import Field, HttpUrl

from blocks.about import DOCUMENTATION_URL, logo
from dedup2d.settings import Settings
from dedup2d.vision.client import VisionMatcher


class VisionServiceBlock(Block):
    """A service that matches drawings in place of the embedded engine."""

    _block_type_name = "dedup2d Vision Service"
    _block_type_slug = "dedup2d-vision-service"
    _logo_url = logo("process")
    _documentation_url = DOCUMENTATION_URL
    _description = "A dedupcad-vision service that matches drawings in place of the own engine."

    url: HttpUrl = Field(description="Address of the service, e.g. http://vision:58001.")
    timeout_s: float = Field(
        60, gt=0, title="Time limit", description="Seconds for one answer of the service."
    )
    max_attempts: int = Field(
        2, ge=1, title="Attempts", description="How often a search is tried at most."
    )

    def build_matcher(self, settings: Settings) -> VisionMatcher:
        """A matcher that asks this service; the caller closes it."""
        values = {
            "vision_url": str(self.url).rstrip("/"),
            "vision_timeout_s": self.timeout_s,
            "vision_max_attempts": self.max_attempts,
        }
        return VisionMatcher(settings.model_copy(update=values))
