"""The embedded engine: candidates, verification and reports, in child processes.

``EmbeddedMatcher`` is imported on first use: the children import this package too, and they
start faster without asyncio.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dedup2d.engine.embedded import EmbeddedMatcher

__all__ = ["EmbeddedMatcher"]


def __getattr__(name: str) -> object:
    if name == "EmbeddedMatcher":
        from dedup2d.engine.embedded import EmbeddedMatcher  # noqa: PLC0415  # see the docstring

        return EmbeddedMatcher
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
