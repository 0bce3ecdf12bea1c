"""CPU work in child processes with limits on memory, time and output.

``ChildPool`` is imported on first use: the children import this package too, and they start
faster without asyncio.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dedup2d.sandbox.pool import ChildPool

__all__ = ["ChildPool"]


def __getattr__(name: str) -> object:
    if name == "ChildPool":
        from dedup2d.sandbox.pool import ChildPool  # noqa: PLC0415  # see the docstring

        return ChildPool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
