"""``python -m dedup2d.stack.prefect_server``: ``prefect server start``, quick and steady."""

from __future__ import annotations

import gc
import sys
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from dedup2d.stack.bulk import write_rows_by_one_statement
from dedup2d.stack.garbage import collect_in_background


def main() -> None:
    """Take the options of ``prefect server start`` and serve until told to stop."""
    collect_in_background()
    import prefect.server.api.server  # noqa: F401, PLC0415 - what is frozen below
    from prefect.cli import app  # noqa: PLC0415 - takes seconds

    lock_before_reading()
    write_rows_by_one_statement()
    gc.freeze()  # modules live as long as the process: nobody need look through them again
    sys.argv[:1] = ["prefect", "server", "start"]
    app()


def lock_before_reading() -> None:
    """Let each of the server's transactions on SQLite begin with the write lock.

    Prefect begins most of them DEFERRED. One that has read and then wants to write is refused at
    once, "database is locked", if anybody wrote in between; the client's next try is seconds
    later. Beginning IMMEDIATE it waits its turn (https://www.sqlite.org/isolation.html).
    """
    from prefect.server.database.configurations import AioSqliteConfiguration  # noqa: PLC0415

    begin = AioSqliteConfiguration.begin_transaction

    def begin_immediate(
        self: AioSqliteConfiguration,
        session: AsyncSession,
        with_for_update: bool = False,  # noqa: ARG001 - Prefect's signature
    ) -> Any:
        return begin(self, session, with_for_update=True)

    AioSqliteConfiguration.begin_transaction = begin_immediate  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
