"""Declared tables: what their author may rely on by name, and Parquet of other types."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Column

from include.astro_sdk import File, Metadata, Table
from tests.support.engine import Engine
from tests.support.plain_loads import columns_of_table, database_of, plain_load, rows_of_table


@pytest.fixture
def engine(
    warehouse: Any, object_store: Any, client: Any, bucket: str, connections: dict[str, str]
) -> Engine:
    """The servers of one test, with a schema."""
    engine = Engine(warehouse, object_store, client, bucket)
    engine.sql("CREATE SCHEMA raw")
    return engine


def columns() -> list[Any]:
    """A key, a unique column, an index."""
    return [
        Column("id", sa.Integer, primary_key=True),
        Column("a", sa.Integer, unique=True),
        Column("b", sa.Integer, index=True),
    ]


@pytest.mark.parametrize("before", ["", "CREATE TABLE raw.t (b int, id int)"])
def test_keys_and_indexes_have_the_names_that_postgres_gives(engine: Engine, before: str) -> None:
    """`ON CONFLICT ON CONSTRAINT t_pkey` worked on Airflow 2."""
    if before:
        engine.sql(before)
    for row in ("1,1,1", "2,2,2"):
        plain_load(engine, "replace", {"f": f"id,a,b\n{row}\n"}, columns=columns()).run()
    engine.sql("INSERT INTO raw.t VALUES (2, 3, 3) ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING")
    names = engine.sql("SELECT relname FROM pg_class WHERE relnamespace = 'raw'::regnamespace")
    assert set(names) == {"t", "t_pkey", "t_a_key", "ix_raw_t_b", "t_id_seq"}
    named = "SELECT conname FROM pg_constraint WHERE conrelid = 'raw.t'::regclass"
    assert not [name for name in engine.sql(named) if "landfall" in name]
    assert rows_of_table(engine) == [(2, 2, 2)]


def test_an_enum_that_is_there_from_an_earlier_load_is_used(engine: Engine) -> None:
    for _ in range(2):
        declared = [Column("a", sa.Enum("x", "y", name="Mood"))]
        plain_load(engine, "replace", {"f": "a\nx\n"}, columns=declared).run()
    assert columns_of_table(engine) == {"a": "USER-DEFINED"}
    assert rows_of_table(engine) == [("x",)]


DAY = datetime.date(2013, 1, 2)
NOON = pd.Timestamp("2013-01-02 12:00")
# The declared type, the values of the Parquet column, the texts in the table.
OTHER_TYPES: list[tuple[str, list[Any], list[str]]] = [
    ("text", [1, 2], ["1", "2"]),
    ("text", [True, False], ["True", "False"]),
    ("numeric(10,2)", [0.25, 1.5], ["0.25", "1.50"]),
    ("integer", [1.0, None], ["1", "None"]),
    ("date", [pd.Timestamp(DAY), None], [str(DAY), "None"]),
    ("timestamp", [DAY, None], [f"{DAY} 00:00:00", "None"]),
    ("timestamptz", [NOON, None], ["2013-01-02 12:00:00+00", "None"]),
    ("real", [0.5, None], ["0.5", "None"]),
]


@pytest.mark.parametrize("if_exists", ["append", "replace"])
@pytest.mark.parametrize(("type_name", "values", "texts"), OTHER_TYPES, ids=lambda each: str(each))
def test_parquet_of_another_type_is_loaded_as_the_sdk_loaded_it(
    engine: Engine, type_name: str, values: list[Any], texts: list[str], if_exists: str
) -> None:
    load_parquet(engine, type_name, values, if_exists)
    with psycopg.connect(engine.warehouse.conninfo()) as connection:
        connection.execute("SET timezone = 'UTC'")
        rows = connection.execute("SELECT a::text FROM raw.t").fetchall()
    assert [str(row[0]) for row in rows] == texts


def test_a_fraction_for_an_integer_fails_and_nothing_is_rounded(engine: Engine) -> None:
    with pytest.raises(Exception, match="expected: a value of type integer"):
        load_parquet(engine, "integer", [1.5], "append")
    assert rows_of_table(engine) == []


def load_parquet(engine: Engine, type_name: str, values: list[Any], if_exists: str) -> None:
    """Loads one column into a table that exists, or that is declared."""
    buffer = io.BytesIO()
    pd.DataFrame({"a": values}).to_parquet(buffer)
    arrival = engine.put(buffer.getvalue(), "f.parquet")
    engine.sql(f"CREATE TABLE raw.t (a {type_name})")
    declared = [Column("a", TYPES[type_name])] if if_exists == "replace" else []
    table = Table("t", conn_id="warehouse", metadata=Metadata(schema="raw"), columns=declared)
    file = File(f"s3://{engine.bucket}/{arrival.key}", conn_id="landing")
    database_of(engine.warehouse, table).load_file_to_table(file, table, if_exists=if_exists)


TYPES = {
    "text": sa.Text, "numeric(10,2)": sa.Numeric(10, 2), "integer": sa.Integer, "date": sa.Date,
    "timestamp": sa.DateTime, "timestamptz": sa.DateTime(timezone=True), "real": sa.REAL,
}  # fmt: skip
