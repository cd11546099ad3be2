"""Tables of two databases in one statement: the rows of a wrong table would be taken in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from include.astro_sdk import Metadata, Table
from include.landfall.connections import Store, Warehouse
from include.local.services.environ import connections as connections_of
from tests.support.plain_loads import database_of


def table(name: str, conn_id: str = "warehouse") -> Any:
    """A table of the schema public."""
    return Table(name, conn_id=conn_id, metadata=Metadata(schema="public"))


def append(database: Any, other: str) -> None:
    database.append_table(table("source", other), table("t"), {"a": "a"})


def merge(database: Any, other: str) -> None:
    database.merge_table(table("source", other), table("t"), {"a": "a"}, ["a"], "ignore")


def transform(database: Any, other: str) -> None:
    database.replace_table_from_select("SELECT a FROM source", table("t", other))


USES = pytest.mark.parametrize("use", [append, merge, transform], ids=lambda use: use.__name__)


@pytest.fixture
def database(
    warehouse: Warehouse,
    warehouse_server: Warehouse,
    object_store: Store,
    connections: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """A database with two tables, the connection `alias` to it too, and `other` to another one."""
    other = connections_of(warehouse_server, object_store)["AIRFLOW_CONN_WAREHOUSE"]
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", other)
    monkeypatch.setenv("AIRFLOW_CONN_ALIAS", connections["AIRFLOW_CONN_WAREHOUSE"])
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1);"
            " CREATE TABLE source (a int); INSERT INTO source VALUES (2)"
        )
    return database_of(warehouse, table("t"))


def rows(database: Any) -> list[Any]:
    """The rows of t."""
    with database.connect() as connection:
        return [row[0] for row in connection.execute("SELECT a FROM t ORDER BY a").fetchall()]


@USES
def test_a_table_of_another_database_is_refused(
    database: Any, use: Callable[[Any, str], None]
) -> None:
    with pytest.raises(ValueError, match="'other' lead to two databases"):
        use(database, "other")
    assert rows(database) == [1]


@USES
def test_two_connections_to_one_database_may_be_mixed(
    database: Any, use: Callable[[Any, str], None]
) -> None:
    use(database, "alias")
    assert 2 in rows(database)
