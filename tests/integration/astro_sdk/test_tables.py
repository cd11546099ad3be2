"""How one table takes another's place: what readers see, and what must stay."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from include.astro_sdk import tables
from include.astro_sdk.tables import Name
from include.landfall.connections import Warehouse

TARGET = Name("public", 'Odd "target": 50%')
SOURCE = Name("public", "source")


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """A connection that commits each statement, as the seam's own."""
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        yield connection


def replace(connection: psycopg.Connection) -> int:
    """Replaces the target by the source, in a transaction."""
    with connection.transaction():
        return tables.replace(connection, TARGET, SOURCE)


def create(
    connection: psycopg.Connection, name: Name, rows: list[int], type_name: str = "integer"
) -> None:
    """A table of one column."""
    tables.create(connection, name, {"n": type_name})
    for row in rows:
        connection.execute(f"INSERT INTO {name.quoted} VALUES (%s)".replace("50%", "50%%"), [row])


def test_rows_of_the_same_columns_move_and_what_hangs_on_the_table_stays(
    connection: psycopg.Connection,
) -> None:
    create(connection, TARGET, [1, 2])
    create(connection, SOURCE, [3])
    connection.execute(f"CREATE VIEW v AS SELECT * FROM {TARGET.quoted}")
    assert replace(connection) == 1
    assert connection.execute("SELECT n FROM v").fetchall() == [(3,)]
    assert tables.columns_of(connection, SOURCE) == {}


def test_other_columns_replace_the_table(connection: psycopg.Connection) -> None:
    create(connection, TARGET, [1])
    create(connection, SOURCE, [3], "text")
    assert replace(connection) == 1
    assert tables.columns_of(connection, TARGET) == {"n": "text"}


def test_a_reader_sees_the_old_rows_until_the_commit(
    connection: psycopg.Connection, warehouse: Warehouse
) -> None:
    create(connection, TARGET, [1])
    create(connection, SOURCE, [2])
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as reader:
        with connection.transaction():
            tables.replace(connection, TARGET, SOURCE)
            reader.execute("SET statement_timeout = '5s'")
            seen = reader.execute(f"SELECT n FROM {TARGET.quoted}").fetchall()
        after = reader.execute(f"SELECT n FROM {TARGET.quoted}").fetchall()
    assert (seen, after) == ([(1,)], [(2,)])


def test_load_ids_are_nobodys_column_but_the_engines(connection: psycopg.Connection) -> None:
    create(connection, TARGET, [1])
    connection.execute(f"ALTER TABLE {TARGET.quoted} ADD COLUMN _load_id bigint")
    create(connection, SOURCE, [2])
    assert replace(connection) == 1
    assert tables.columns_of(connection, TARGET) == {"n": "integer", "_load_id": "bigint"}
    assert tables.data_columns(tables.columns_of(connection, TARGET)) == {"n": "integer"}
