"""Dataframes into Postgres: for `dataframe`, and for files that only pandas can read."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype
from psycopg import Connection, sql

from include.landfall.postgres.catalog import lock_name

from . import declared, tables
from .crossing import plain_of
from .matching import kept_names, match
from .strategies import check_if_exists
from .tables import Name

if TYPE_CHECKING:
    from .database import PostgresDatabase
    from .sources import S3Files

INTEGERS = {"smallint", "integer", "bigint"}
TEXTS = {"text", "character varying"}
# What psycopg writes as Postgres reads it.
WRITTEN = (
    str, int, float, bytes, bytearray, memoryview, Decimal, datetime.date, datetime.time,
    datetime.timedelta, uuid.UUID,
)  # fmt: skip
BIGGEST = 2**63
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


def read_objects(database: PostgresDatabase, file: Any, files: S3Files) -> Iterator[pd.DataFrame]:
    """Reads the objects of a path in S3, one dataframe for each."""
    for arrival in files.arrivals:
        each = type(file)(arrival.uri, conn_id=file.conn_id, filetype=file.filetype)
        each.load_options = file.load_options
        yield database.get_dataframe_from_file(each)


def load(
    database: PostgresDatabase, frames: Iterable[pd.DataFrame], table: Any, if_exists: str
) -> None:
    """Loads dataframes into astro's table in one transaction; the first one gives the columns.

    Raises: ValueError when `if_exists` is neither `replace` nor `append`.
    """
    check_if_exists(if_exists)
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
    names = kept_names([str(name) for name in frame.columns])
    return {name: _type_of(frame.iloc[:, place]) for place, name in enumerate(names)}


def _type_of(values: pd.Series) -> str:
    type_name = DTYPES.get(values.dtype.name.lower()) or INFERRED.get(
        infer_dtype(values, skipna=True), "text"
    )
    if type_name == "bigint" and any(abs(number) >= BIGGEST for number in values.dropna()):
        return "numeric"
    if type_name == "timestamp" and any(moment.tzinfo for moment in values.dropna()[:1]):
        return "timestamptz"
    return type_name


def copy(connection: Connection, frame: pd.DataFrame, name: Name) -> int:
    """Copies a dataframe's rows into the table's columns that fit by name; returns their number.

    Runs in the caller's transaction.

    Raises: ValueError when the table lacks a column.
    """
    existing = tables.data_columns(tables.columns_of(connection, name))
    columns = match(kept_names([str(column) for column in frame.columns]), list(existing))
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
        None if absent else _plain(value, type_name)
        for value, absent in zip(values.astype(object), missing, strict=True)
    ]


def _plain(value: Any, type_name: str) -> Any:
    """The value in a type that psycopg writes, and as text where there is none."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, dict | list | tuple | set | frozenset):
        if type_name.endswith("[]") and not isinstance(value, dict):
            return list(value)
        return json.dumps(value if isinstance(value, dict) else list(value), default=plain_of)
    if isinstance(value, bool) and type_name in TEXTS:
        return str(value)  # as pandas wrote it for the SDK; Postgres would write `t`
    return value if isinstance(value, WRITTEN) else str(value)
