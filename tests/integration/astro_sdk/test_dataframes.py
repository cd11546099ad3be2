"""Dataframes into Postgres: what pandas did to the values on the way must not reach the table."""

from __future__ import annotations

import datetime
import ipaddress
from decimal import Decimal

import numpy as np
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


ODD_CELLS = {
    "period": (pd.Period("2013-01", "M"), "text", "2013-01"),
    "interval": (pd.Interval(0, 1), "text", "(0, 1]"),
    "array": (np.array([1, 2]), "text", "[1, 2]"),
    "array of one": (np.array([1]), "text", "[1]"),
    "set": ({1}, "text", "[1]"),
    "tuple": ((1, 2), "text", "[1, 2]"),
    "list into an array": ([1, 2], "integer[]", "{1,2}"),
    "array into an array": (np.array(["a"]), "text[]", "{a}"),
    "boolean into a text": (True, "text", "True"),
    "boolean of numpy into a text": (np.bool_(False), "text", "False"),
    "boolean": (True, "boolean", "true"),
    "address": (ipaddress.ip_address("10.0.0.1"), "text", "10.0.0.1"),
    "long integer": (10**30, None, str(10**30)),
    "unsigned": (np.uint64(2**63), None, str(2**63)),
}


@pytest.mark.parametrize(("cell", "type_name", "text"), ODD_CELLS.values(), ids=ODD_CELLS)
def test_a_cell_of_any_type_arrives_as_the_sdk_wrote_it(
    warehouse: Warehouse, cell: object, type_name: str | None, text: str
) -> None:
    frame = pd.DataFrame({"a": pd.Series([cell, None], dtype=object)})
    types = {"a": type_name} if type_name else dataframes.types_of(frame)
    with psycopg.connect(warehouse.conninfo()) as connection:
        tables.create(connection, NAME, types)
        dataframes.copy(connection, frame, NAME)
        rows = connection.execute(f"SELECT a::text FROM {NAME.quoted}").fetchall()
    assert rows == [(text,), (None,)]


def test_a_long_name_of_a_column_is_the_one_that_postgres_keeps(warehouse: Warehouse) -> None:
    frame = pd.DataFrame({"x" * 70: [1]})
    with psycopg.connect(warehouse.conninfo()) as connection:
        tables.create(connection, NAME, dataframes.types_of(frame))
        dataframes.copy(connection, frame, NAME)
        assert tables.columns_of(connection, NAME) == {"x" * 63: "bigint"}


@pytest.mark.usefixtures("connections")
def test_a_table_as_a_dataframe_has_the_types_of_the_sdk(warehouse: Warehouse) -> None:
    table = Table("t", conn_id="warehouse", metadata=Metadata(schema="public"))
    number = "00000000-0000-0000-0000-000000000001"
    with psycopg.connect(warehouse.conninfo()) as connection:
        connection.execute("CREATE TABLE t (u uuid, us uuid[], b bytea, n int)")
        connection.execute(
            "INSERT INTO t VALUES (%(u)s, ARRAY[%(u)s]::uuid[], '\\x00ff', 1),"
            " (NULL, NULL, NULL, 2)",
            {"u": number},
        )
    frame = database_of(warehouse, table).export_table_to_pandas_dataframe(table)
    assert [*frame.iloc[0]] == [number, [number], b"\x00\xff", 1]
    assert [*frame.iloc[1]] == [None, None, None, 2]
