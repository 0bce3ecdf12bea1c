"""``python -m dedup2d.stack.prefect_server``: ``prefect server start``, steady on SQLite."""

from __future__ import annotations

import gc
import sys

from dedup2d.stack.garbage import collect_in_background


def main() -> None:
    """Take the options of ``prefect server start`` and serve until told to stop."""
    collect_in_background()
    import prefect.server.api.server  # noqa: F401, PLC0415 - what is frozen below
    from prefect.cli import app  # noqa: PLC0415 - takes seconds

    gc.freeze()  # modules live as long as the process: nobody need look through them again
    sys.argv[:1] = ["prefect", "server", "start"]
    app()


if __name__ == "__main__":
    main()
