"""Many rows go by one short statement, and mean the same as the long one."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import asyncio, sys
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from dedup2d.stack.bulk import write_rows_by_one_statement

class Base(DeclarativeBase):
    pass

class Row(Base):
    __tablename__ = "rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    said: Mapped[str] = mapped_column("words")
    by: Mapped[str] = mapped_column(default=lambda: "default")

async def main():
    if sys.argv[2] == "short":
        write_rows_by_one_statement()
    engine = create_async_engine(f"sqlite+aiosqlite:///{sys.argv[1]}")
    longest = []
    sa.event.listen(
        engine.sync_engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: longest.append(len(statement)),
    )
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    rows = [{"id": n, "said": f"w{n}"} for n in range(300)]
    async with AsyncSession(engine) as session:
        for part in (rows[:200], rows[100:]):
            adding = insert(Row).values(part).on_conflict_do_nothing(index_elements=["id"])
            await session.execute(adding)
        await session.commit()
        found = (await session.execute(sa.select(Row.id, Row.said, Row.by))).all()
    assert sorted(map(tuple, found)) == [(n, f"w{n}", "default") for n in range(300)], found
    print("long" if max(longest) > 1000 else "short")

asyncio.run(main())
"""


def test_rows_of_one_insert_are_all_there_by_a_short_statement(tmp_path: Path) -> None:
    for written in ("long", "short"):
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / f"{written}.sqlite3"), written]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        assert ended.stdout.strip() == written
