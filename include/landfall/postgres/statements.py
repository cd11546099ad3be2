"""Statements from files, quoted names, and single values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

from psycopg import Connection, sql
from psycopg.abc import Params

Statement = LiteralString | sql.SQL | sql.Composed


def statement(name: str) -> sql.SQL:
    """Returns the SQL of include/landfall/sql/<name>.sql. A name has its folder: ledger/claim."""
    return sql.SQL(_text(name))


@cache
def _text(name: str) -> Any:
    return (Path(__file__).parents[1] / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def table(name: str) -> sql.Identifier:
    """Returns schema.table as a quoted identifier."""
    return sql.Identifier(*name.split(".", 1))


def identifiers(names: Sequence[str]) -> sql.Composed:
    """Returns the names, quoted, with commas between."""
    return sql.SQL(", ").join(map(sql.Identifier, names))


def value(connection: Connection, query: Statement, parameters: Params | None = None) -> Any:
    """Returns the one value of a query, or None where it has no row."""
    row = connection.execute(query, parameters).fetchone()
    return row[0] if row else None
