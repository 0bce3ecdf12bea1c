"""The command line ``dedup2d``: one module per command, imported when the command is called."""

from __future__ import annotations

from dedup2d.cli.root import main

__all__ = ["main"]
