"""The block of a vault: the index that drawings are compared with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prefect.blocks.core import Block
from pydantic import Field

from blocks.about import DOCUMENTATION_URL, logo
from dedup2d.settings import Settings

if TYPE_CHECKING:
    from dedup2d.engine import EmbeddedMatcher


class VaultBlock(Block):
    """The index of a vault, for the embedded engine."""

    _block_type_name = "dedup2d Vault"
    _block_type_slug = "dedup2d-vault"
    _logo_url = logo("filesystem")
    _documentation_url = DOCUMENTATION_URL
    _description = "The index of a vault, with which the embedded engine compares drawings."

    index_folder: str = Field(
        min_length=1,
        title="Index folder",
        description="Where the index lies; made with the first drawing.",
    )

    def build_matcher(self, settings: Settings) -> EmbeddedMatcher:
        """The engine over this index; the caller closes it."""
        # The engine takes a second to import; who only registers or loads the block has no need.
        from dedup2d.engine import EmbeddedMatcher  # noqa: PLC0415 - see above

        folder = Path(self.index_folder).expanduser()
        return EmbeddedMatcher(settings.model_copy(update={"index_dir": folder}))
