"""A patch for Postgres must not break a database that nobody promises: here SQLite.

Its provider is not installed, so the test makes the SDK's database over an engine of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import airflow  # noqa: F401  finds the patches
import pytest
import sqlalchemy
from astro.databases.base import BaseDatabase

from include.astro_sdk import Table
from include.astro_sdk.patches import checks


class Sqlite(BaseDatabase):
    """The SDK's database, as it serves SQLite."""

    DEFAULT_SCHEMA = None
    default_metadata = None

    def __init__(self, path: Any) -> None:
        super().__init__("lite")
        self.sqlalchemy_engine = sqlalchemy.create_engine(f"sqlite:///{path}")


@pytest.fixture
def database(tmp_path: Any) -> Iterator[Sqlite]:
    database = Sqlite(tmp_path / "lite.db")
    for statement in (
        "CREATE TABLE a (n integer, t text)", "INSERT INTO a VALUES (1, 'x'), (2, 'y')",
        "CREATE TABLE b (n integer, t text)",
    ):  # fmt: skip
        database.run_sql(statement)
    yield database
    database.sqlalchemy_engine.dispose()


def rows(database: Sqlite, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in database.run_sql(query, handler=lambda result: result.all())]


@pytest.mark.parametrize(
    ("mapping", "appended"), [({}, [(1, "x"), (2, "y")]), ({"n": "n"}, [(1, None), (2, None)])]
)
def test_append_on_sqlite(database: Sqlite, mapping: dict[str, str], appended: Any) -> None:
    database.append_table(Table("a", conn_id="lite"), Table("b", conn_id="lite"), mapping)
    assert rows(database, "SELECT * FROM b ORDER BY n") == appended


def test_check_column_on_sqlite(database: Sqlite) -> None:
    queries: list[str] = []

    def get_first(query: str) -> tuple[Any, ...]:
        queries.append(query)
        return rows(database, query)[0]

    operator = SimpleNamespace(
        dataset=Table("a", conn_id="lite"),
        column_mapping={"n": {"min": {"geq_to": 1}}},
        column_checks={"min": "MIN({column}) AS column_min"},
        partition_clause=None,
        get_db_hook=lambda: SimpleNamespace(get_first=get_first),
        _get_match=lambda values, result, tolerance: result >= values["geq_to"],
        _build_check_results=dict,
        log=SimpleNamespace(info=lambda *_: None),
    )
    checks._check_columns(operator, database)
    assert queries == ["SELECT MIN(n) AS column_min FROM a"]
    assert operator.column_mapping["n"]["min"]["success"]
