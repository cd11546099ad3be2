"""Dataframes into Postgres: what pandas did to the values on the way must not reach the table."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pandas as pd
import psycopg
import pytest

from include.astro_sdk import Metadata, Table, dataframes, tables
from include.astro_sdk.tables import Name
from include.landfall.connections import Warehouse
from tests.support.plain_loads import database_of

NAME = Name("public", "Frame")


def test_every_kind_of_column_arrives_as_what_it_is(warehouse: Warehouse) -> None:
    frame = pd.DataFrame(
        {
            "n": [1, 2],
            "gap": pd.array([1, None], dtype="Int64"),
            "x": [0.5, None],
            "ok": [True, False],
            "Name": ['a,"b"\n\\N', None],
            "day": [datetime.date(2013, 1, 1), None],
            "at": pd.to_datetime(["2013-01-01 12:00", None]),
            "zoned": pd.to_datetime(["2013-01-01 12:00", None], utc=True),
            "price": [Decimal("1.10"), None],
            "raw": [b"\x00", None],
            "nested": [{"a": [1]}, None],
        }
    )
    with psycopg.connect(warehouse.conninfo()) as connection:
        tables.create(connection, NAME, dataframes.types_of(frame))
        assert dataframes.copy(connection, frame, NAME) == 2
        first, second = connection.execute(
            f"SELECT n, gap, x, ok, \"Name\", day, at, zoned AT TIME ZONE 'UTC', price::text, raw,"
            f" nested FROM {NAME.quoted} ORDER BY n"
        ).fetchall()
        types = tables.columns_of(connection, NAME)
    noon = datetime.datetime(2013, 1, 1, 12)  # noqa: DTZ001  a column without a zone
    assert first == (
        1, 1, 0.5, True, 'a,"b"\n\\N', datetime.date(2013, 1, 1), noon, noon, "1.10", b"\x00",
        '{"a": [1]}',
    )  # fmt: skip
    assert second == (2, None, None, False, *[None] * 7)
    assert types["zoned"] == "timestamp with time zone"
    assert types["price"] == "numeric"


def test_integers_that_pandas_made_floats_are_integers_again(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.conninfo()) as connection:
        tables.create(connection, NAME, {"n": "integer"})
        dataframes.copy(connection, pd.DataFrame({"n": [1.0, None]}), NAME)
        assert connection.execute(f"SELECT n FROM {NAME.quoted}").fetchall() == [(1,), (None,)]


def test_columns_go_by_name_and_a_missing_one_is_named(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.conninfo()) as connection:
        tables.create(connection, NAME, {"a": "integer", "b": "integer"})
        dataframes.copy(connection, pd.DataFrame({"b": [2], "a": [1]}), NAME)
        assert connection.execute(f"SELECT a, b FROM {NAME.quoted}").fetchall() == [(1, 2)]
        with pytest.raises(ValueError, match="has no column 'c'"):
            dataframes.copy(connection, pd.DataFrame({"c": [2]}), NAME)


def test_an_empty_dataframe_into_a_table_is_refused_as_by_the_sdk(warehouse: Warehouse) -> None:
    table = Table("t", conn_id="warehouse", metadata=Metadata(schema="public"))
    database = database_of(warehouse, table)
    with pytest.raises(ValueError, match="Can't load empty dataframe"):
        database.load_pandas_dataframe_to_table(pd.DataFrame({"a": []}), table)


def test_append_of_a_dataframe_in_another_case_fits(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.conninfo()) as connection:
        tables.create(connection, NAME, {"a": "integer", "b": "integer"})
        dataframes.copy(connection, pd.DataFrame({"B": [2], "A": [1]}), NAME)
        assert connection.execute(f"SELECT a, b FROM {NAME.quoted}").fetchall() == [(1, 2)]
