"""The command line ``dedup2d``: one module per command, imported when the command is called."""

from __future__ import annotations

import sys

INTERRUPTED = 130  # as shells have it


def main() -> None:
    """Run the program with the arguments of this process, and end it with a status."""
    try:
        # Children of ``diff`` import this package too, and Ctrl-C may come while we import.
        from dedup2d.cli.root import run  # noqa: PLC0415  # see above

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
