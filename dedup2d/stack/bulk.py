"""Rows written by one prepared statement, instead of one statement as long as the rows.

Prefect's server writes events, task run states and logs as ``INSERT ... VALUES (...), (...), ...``.
SQLAlchemy compiles such a statement anew for each number of rows, parameter by parameter; a job
of six tasks has 30 events with 220 related resources, and compiling was a fifth of the server's
time on SQLite. (On PostgreSQL Prefect hands the rows over beside the statement for most of them.)
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Result, event
from sqlalchemy.orm import ORMExecuteState, Session


def write_rows_by_one_statement() -> None:
    """Let every session of this process hand many rows over beside a short statement."""
    event.listen(Session, "do_orm_execute", _split)


def _split(state: ORMExecuteState) -> Result[Any] | None:
    """The statement without its rows, and the rows as parameters; None: as it is."""
    statement: Any = state.statement
    if not state.is_insert or not statement._multi_values or statement._returning:  # noqa: SLF001 - no public name
        return None
    groups: tuple[list[dict[Any, Any]], ...] = statement._multi_values  # noqa: SLF001
    rows = [
        {getattr(name, "key", name): value for name, value in row.items()}
        for group in groups
        for row in group
    ]
    if any(row.keys() != rows[0].keys() for row in rows):
        return None
    short = statement._clone()  # noqa: SLF001
    short._multi_values = ()  # noqa: SLF001
    return state.session.connection().execute(short.execution_options(dml_strategy="raw"), rows)
