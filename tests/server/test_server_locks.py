"""Who reads before writing waits for others instead of being refused."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, sys
import sqlalchemy as sa
from prefect.server.database.configurations import AioSqliteConfiguration
from dedup2d.stack.prefect_server import lock_before_reading

if sys.argv[2] == "immediate":
    lock_before_reading()

async def main():
    configuration = AioSqliteConfiguration(f"sqlite+aiosqlite:///{sys.argv[1]}")
    engine = await configuration.engine()
    async with engine.connect() as connection:
        await connection.execute(sa.text("CREATE TABLE t (x)"))

    async def read_then_write():
        session = await configuration.session(engine)
        async with session, configuration.begin_transaction(session):
            await session.execute(sa.text("SELECT x FROM t"))
            await asyncio.sleep(0.5)
            await session.execute(sa.text("INSERT INTO t VALUES (1)"))

    ended = await asyncio.gather(read_then_write(), read_then_write(), return_exceptions=True)
    print([error is not None and str(error.orig) for error in ended].count(False))

asyncio.run(main())
"""


@pytest.mark.parametrize(("begun", "served"), [("deferred", "1"), ("immediate", "2")])
def test_two_that_read_then_write_are_both_served(tmp_path: Path, begun: str, served: str) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "a.sqlite3"), begun]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert ended.stdout.strip() == served
