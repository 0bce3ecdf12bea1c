"""Reading a drawing of any format into the one model."""

from dedup2d.reading.budget import Budget
from dedup2d.reading.reader import read

__all__ = ["Budget", "read"]
