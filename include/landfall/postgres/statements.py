"""Postgres: the one place that connects, and that words the server's refusals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from psycopg import sql


def statement(name: str) -> sql.SQL:
    """The SQL of include/landfall/sql/<name>.sql; `name` has its folder (ledger/claim)."""
    return sql.SQL(_text(name))  # a file of ours


@cache
def _text(name: str) -> Any:
    return (Path(__file__).parents[1] / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def table(name: str) -> sql.Identifier:
    """A schema.table as a quoted identifier."""
    return sql.Identifier(*name.split(".", 1))


def identifiers(names: Sequence[str]) -> sql.Composed:
    """The names, quoted, with commas between."""
    return sql.SQL(", ").join(map(sql.Identifier, names))
