"""`load_file` of the Astro SDK into raw.t, without Airflow around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy
from airflow import version  # noqa: F401  finds the patches before astro is imported

from include.astro_sdk import File, Metadata, Table
from include.astro_sdk.plain_load import PlainLoad
from include.astro_sdk.sources import FORMATS, S3Files
from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.load import Receipt
from tests.support.engine import Engine


def database_of(warehouse: Warehouse, table: Any) -> Any:
    """Makes astro's database object of a table, for this warehouse."""
    from include.astro_sdk.database import PostgresDatabase

    database = PostgresDatabase("warehouse", table)
    database.__dict__["warehouse"] = warehouse
    return database


def plain_load(
    engine: Engine,
    if_exists: str,
    files: dict[str, str | bytes],
    *,
    task: str = "",
    columns: Any = (),
    options: Any = None,
) -> PlainLoad:
    """Makes a `load_file` of these files into raw.t; they are CSV, or what their keys end in."""
    table = Table("t", conn_id="warehouse", metadata=Metadata(schema="raw"), columns=list(columns))
    arrivals = tuple(
        engine.put(text, name if "." in name else f"{name}.csv") for name, text in files.items()
    )
    file = File(f"s3://{engine.bucket}/{arrivals[0].key}", conn_id="landing")
    file.load_options = [options] if options else None
    form = FORMATS[arrivals[0].key.rpartition(".")[2]](file)
    database = database_of(engine.warehouse, table)
    return PlainLoad(database, table, S3Files(engine.store, arrivals, form), if_exists, task)


def load_plainly(
    store: Store,
    warehouse: Warehouse,
    arrival: Arrival,
    name: tuple[str, str],
    if_exists: str = "replace",
    task: str = "",
    columns: Sequence[Any] = (),
) -> Receipt:
    """Loads one CSV object into a table of this schema and name."""
    schema, table_name = name
    metadata = Metadata(schema=schema)
    table = Table(table_name, conn_id="warehouse", metadata=metadata, columns=list(columns))
    database = database_of(warehouse, table)
    database.create_schema_if_applicable(schema, assume_exists=False)
    files = S3Files(store, (arrival,), FORMATS["csv"](File(arrival.uri, conn_id="landing")))
    [receipt] = PlainLoad(database, table, files, if_exists, task).run()
    return receipt


def columns_of(types: Mapping[str, str]) -> list[Any]:
    """Makes SQLAlchemy's columns of types as a feed declares them."""
    return [sqlalchemy.Column(name, _Declared(text)) for name, text in types.items()]


class _Declared(sqlalchemy.types.UserDefinedType[Any]):
    """A type by its name in SQL."""

    cache_ok = True

    def __init__(self, text: str) -> None:
        self.text = text

    def get_col_spec(self, **_: Any) -> str:
        return self.text


def columns_of_table(engine: Engine) -> dict[str, str]:
    """Reads the columns of raw.t with their types."""
    return dict(
        engine.sql(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE (table_schema, table_name) = ('raw', 't') ORDER BY ordinal_position"
        )
    )


def rows_of_table(engine: Engine) -> list[tuple[Any, ...]]:
    """Reads raw.t as it is."""
    with psycopg.connect(engine.warehouse.conninfo()) as connection:
        return connection.execute("SELECT * FROM raw.t").fetchall()
