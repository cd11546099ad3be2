"""Dataframes into Postgres: for `dataframe`, and for files that only pandas can read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from pandas.api.types import infer_dtype
from psycopg import Connection, sql

from . import tables
from .tables import Name

INTEGERS = {"smallint", "integer", "bigint"}
INFERRED = {
    "integer": "bigint", "floating": "double precision", "mixed-integer-float": "double precision",
    "decimal": "numeric", "boolean": "boolean", "date": "date", "time": "time",
    "datetime": "timestamp", "datetime64": "timestamp", "timedelta": "interval",
    "timedelta64": "interval", "bytes": "bytea",
}  # fmt: skip
DTYPES = {"int8": "smallint", "int16": "smallint", "int32": "integer", "float32": "real"}


def types_of(frame: pd.DataFrame) -> dict[str, str]:
    """The Postgres types of a frame's columns; text where pandas knows no better."""
    return {str(name): _type_of(frame[name]) for name in frame.columns}


def _type_of(values: pd.Series) -> str:
    kind = DTYPES.get(values.dtype.name.lower()) or INFERRED.get(
        infer_dtype(values, skipna=True), "text"
    )
    if kind == "timestamp" and any(moment.tzinfo for moment in values.dropna()[:1]):
        return "timestamptz"
    return kind


def copy(connection: Connection, frame: pd.DataFrame, name: Name) -> int:
    """Copies a frame's rows into the table's columns of the same names; gives their number.

    Runs in the caller's transaction. Raises: ValueError when the table lacks a column.
    """
    found = tables.data_columns(tables.columns_of(connection, name))
    columns = [str(column) for column in frame.columns]
    missing = [column for column in columns if column not in found]
    if missing:
        raise ValueError(
            f"the table {name.quoted} has no column {', '.join(map(repr, missing))}."
            f" It has: {', '.join(found)}"
        )
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(name.identifier, tables.names(columns))
    with connection.cursor() as cursor, cursor.copy(statement) as copier:
        for row in _rows(frame, {column: found[column] for column in columns}):
            copier.write_row(row)
    return len(frame)


def _rows(frame: pd.DataFrame, types: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    columns = [_values(frame.iloc[:, at], kind) for at, kind in enumerate(types.values())]
    return zip(*columns, strict=True)


def _values(values: pd.Series, kind: str) -> list[Any]:
    # pandas makes floats of integers where one is missing: 1.0 is no integer to Postgres.
    if kind in INTEGERS and values.dtype.kind == "f":
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
