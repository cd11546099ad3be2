"""Dataframes into Postgres: for `dataframe`, and for files that only pandas can read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import infer_dtype
from psycopg import Connection, sql

from include.landfall.postgres.catalog import lock_name

from . import declared, tables
from .matching import match
from .tables import Name

if TYPE_CHECKING:
    from .database import PostgresDatabase

INTEGERS = {"smallint", "integer", "bigint"}
INFERRED = {
    "integer": "bigint", "floating": "double precision", "mixed-integer-float": "double precision",
    "decimal": "numeric", "boolean": "boolean", "date": "date", "time": "time",
    "datetime": "timestamp", "datetime64": "timestamp", "timedelta": "interval",
    "timedelta64": "interval", "bytes": "bytea",
}  # fmt: skip
DTYPES = {"int8": "smallint", "int16": "smallint", "int32": "integer", "float32": "real"}


def read_files(
    database: PostgresDatabase, file: Any, normalize_config: dict[str, Any] | None
) -> Iterator[pd.DataFrame]:
    """Reads the files of a path through pandas, one dataframe for each."""
    from astro.files import resolve_file_path_pattern

    files = resolve_file_path_pattern(
        file.path,
        file.conn_id,
        normalize_config=normalize_config,
        filetype=file.type.name,
        load_options=file.load_options,
    )
    return (database.get_dataframe_from_file(each) for each in files)


def load(
    database: PostgresDatabase, frames: Iterable[pd.DataFrame], table: Any, if_exists: str
) -> None:
    """Loads dataframes into astro's table in one transaction; the first one gives the columns."""
    name = Name.of(table)
    with database.transaction() as connection:
        exists = bool(tables.columns_of(connection, name))
        if not exists:  # another task may create it now
            lock_name(connection, f"create {name.schema}.{name.table}")
            exists = bool(tables.columns_of(connection, name))
        into = name if not exists or if_exists == "append" else name.scratch()
        create = into != name or not exists
        for frame in frames:
            if create:
                _create(connection, table, into, frame)
                create = False
            copy(connection, frame, into)
        if into != name:
            tables.replace(connection, name, into)


def _create(connection: Connection, table: Any, name: Name, frame: pd.DataFrame) -> None:
    if table.columns:
        declared.create(connection, table.columns, name)
    else:
        tables.create(connection, name, types_of(frame))


def types_of(frame: pd.DataFrame) -> dict[str, str]:
    """Returns the Postgres types of a dataframe's columns; text where pandas gives no other."""
    return {str(name): _type_of(frame[name]) for name in frame.columns}


def _type_of(values: pd.Series) -> str:
    type_name = DTYPES.get(values.dtype.name.lower()) or INFERRED.get(
        infer_dtype(values, skipna=True), "text"
    )
    if type_name == "timestamp" and any(moment.tzinfo for moment in values.dropna()[:1]):
        return "timestamptz"
    return type_name


def copy(connection: Connection, frame: pd.DataFrame, name: Name) -> int:
    """Copies a dataframe's rows into the table's columns that fit by name; returns their number.

    Runs in the caller's transaction.

    Raises: ValueError when the table lacks a column.
    """
    existing = tables.data_columns(tables.columns_of(connection, name))
    columns = match([str(column) for column in frame.columns], list(existing))
    missing = [column for column in columns if column not in existing]
    if missing:
        raise ValueError(
            f"the table {name.quoted} has no column {', '.join(map(repr, missing))}."
            f" It has: {', '.join(existing)}"
        )
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(name.identifier, tables.names(columns))
    with connection.cursor() as cursor, cursor.copy(statement) as copier:
        for row in _rows(frame, {column: existing[column] for column in columns}):
            copier.write_row(row)
    return len(frame)


def _rows(frame: pd.DataFrame, types: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    columns = [
        _values(frame.iloc[:, position], type_name)
        for position, type_name in enumerate(types.values())
    ]
    return zip(*columns, strict=True)


def _values(values: pd.Series, type_name: str) -> list[Any]:
    # pandas turns integers into floats where one is missing, and Postgres takes 1.0 for no integer.
    if type_name in INTEGERS and values.dtype.kind == "f":
        values = values.astype("Int64")
    missing = values.isna()
    return [
        None if absent else _plain(value)
        for value, absent in zip(values.astype(object), missing, strict=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, default=str)
    return value.item() if hasattr(value, "item") and not isinstance(value, bytes) else value
