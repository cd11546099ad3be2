"""Statements from files, and quoted names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from psycopg import sql


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
