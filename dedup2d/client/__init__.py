"""A client of the HTTP interface, for programs and for the command line's remote commands."""

from __future__ import annotations

from dedup2d.client.client import Dedup2D
from dedup2d.client.model import SearchParameters, Submitted
from dedup2d.client.webhook import verify_webhook

__all__ = ["Dedup2D", "SearchParameters", "Submitted", "verify_webhook"]
