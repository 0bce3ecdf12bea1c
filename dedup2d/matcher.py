"""What does the matching, behind one interface: our engine, or a vision service."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from dedup2d.options import SearchOptions
from dedup2d.report import FindingInfo, Report


class LoadedDrawing(BaseModel):
    """A verified local copy of a drawing and what reading it gave.

    ``drawing_path`` is the parsed Drawing (``dedup2d.drawing.codec``), None where the matcher
    reads the file itself. ``geometry_path`` is the query's geometry JSON, if one came with it.
    """

    model_config = ConfigDict(frozen=True)

    file_path: Path
    file_name: str
    file_hash: str
    size: int
    format: str = ""
    media_type: str = ""
    drawing_path: Path | None = None
    geometry_path: Path | None = None
    primitives: int = 0
    texts: int = 0
    findings: tuple[FindingInfo, ...] = ()


class Indexed(BaseModel):
    """What indexing one drawing gave; names are the predecessor's."""

    model_config = ConfigDict(frozen=True)

    success: bool = True
    drawing_id: str
    file_hash: str
    message: str = ""
    processing_time_ms: float = 0.0
    s3_key: str | None = None


class Matcher(Protocol):
    """Everything raises DrawingError for the drawing's fault and ServiceError for the service's."""

    async def load(self, file_path: Path, scratch: Path) -> LoadedDrawing:
        """Read the file as far as this matcher needs it (in a child process)."""
        ...

    async def search(self, query: LoadedDrawing, options: SearchOptions, *, tenant: str) -> Report:
        """Find the drawings of ``tenant``'s vault that have to do with ``query``."""
        ...

    async def add(
        self, drawing: LoadedDrawing, *, tenant: str, user_name: str = "", path: str = ""
    ) -> Indexed:
        """Add a drawing to the vault; the same bytes twice are one entry."""
        ...

    async def rebuild(self, *, tenant: str) -> dict[str, Any]:
        """Bring the index up to date; ``{"success": ..., "message": ...}``."""
        ...

    async def health(self) -> dict[str, Any]:
        """``{"status": "healthy", "service": ..., "version": ..., "indexes": {...}}``."""
        ...

    async def overlay_png(
        self, query: LoadedDrawing, report: Report, *, tenant: str, max_bytes: int
    ) -> bytes | None:
        """A picture of query and best match in one pose; None where there is nothing to show."""
        ...

    async def aclose(self) -> None:
        """Give back connections and child processes."""
        ...
