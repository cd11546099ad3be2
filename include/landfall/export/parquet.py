"""Writes a query's result as Parquet, read by a server-side cursor in constant memory.

What each type of Postgres becomes: integers, real, double precision, boolean, text, varchar,
char, bytea, date, time and timestamp their namesakes (microseconds); timestamptz a timestamp in
UTC; numeric(p,s) a decimal(p,s) while p is at most 76. Everything else is text, as Postgres writes
it: numeric without precision (Parquet's decimals need one: cast it to numeric(p,s)), uuid, json,
interval, arrays, enums, inet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from psycopg.types.string import TextLoader

from include.landfall.errors import TerminalError
from include.landfall.export.names import check_names
from include.landfall.export.output import Output
from include.landfall.export.types import Compression, Parameters, Progress
from include.landfall.feed.formats import FileFormat

TYPES: dict[int, pa.DataType] = {
    16: pa.bool_(),
    17: pa.binary(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1083: pa.time64("us"),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"),
}
NUMERIC_OID = 1700
# Rows a fetch: few at first, then as many as fit these bytes, so wide rows cannot fill memory.
FIRST_ROWS = 64
MOST_ROWS = 8_192
BATCH_BYTES = 2 << 20
# A row group is what a reader skips or reads; it is held in memory until it is written.
GROUP_BYTES = 16 << 20
GROUP_ROWS = 1 << 20


def write(
    connection: psycopg.Connection[Any],
    query: str,
    parameters: Parameters | None,
    output: Output,
    file_format: FileFormat,
    compression: Compression | None,
    progress: Progress,
) -> int:
    """Writes the query's result, and returns how many rows it has."""
    with connection.cursor(name="landfall_export") as cursor:
        cursor.execute(query.encode(), parameters)
        schema = arrow_schema(cursor.description or [])
        check_names(schema.names, "a Parquet file")
        _read_the_rest_as_text(cursor, schema)
        batches = _reported(_batches(cursor, schema), progress)
        size = min(GROUP_BYTES, output.place.part_size or GROUP_BYTES)
        groups = _groups(batches, schema, size)
        rows, is_more = 0, True
        while is_more:
            written, is_more = _write_part(groups, schema, output, compression or "snappy")
            rows += written
            if is_more:
                output.begin()
    return rows


def _write_part(
    groups: Iterator[pa.Table], schema: pa.Schema, output: Output, compression: str
) -> tuple[int, bool]:
    """Writes groups until the part is full. Returns its rows, and whether more may follow."""
    rows = 0
    sink = pa.PythonFile(output.upload, mode="w")
    with pq.ParquetWriter(sink, schema, compression=compression) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=group.num_rows)
            rows += group.num_rows
            if output.is_full:
                return rows, True
    return rows, False


def _reported(batches: Iterator[pa.RecordBatch], progress: Progress) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        progress(rows)
        yield batch


def arrow_schema(columns: Sequence[psycopg.Column]) -> pa.Schema:
    """Returns the Arrow types of a result's columns, by their OIDs."""
    return pa.schema([pa.field(column.name, arrow_type(column)) for column in columns])


def arrow_type(column: psycopg.Column) -> pa.DataType:
    """Returns the Arrow type of one column: text where there is none that holds all its values."""
    if column.type_code == NUMERIC_OID:
        return _decimal(column.precision, column.scale)
    return TYPES.get(column.type_code, pa.string())


def _decimal(precision: int | None, scale: int | None) -> pa.DataType:
    # Postgres also has scales below zero and above the precision; Parquet has neither.
    if precision is None or scale is None or not 0 <= scale <= precision <= 76:
        return pa.string()
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def _read_the_rest_as_text(cursor: psycopg.ServerCursor[Any], schema: pa.Schema) -> None:
    """Has the cursor give text. Numerics too: Arrow reads decimals from it, and faster."""
    for column, field in zip(cursor.description or [], schema, strict=True):
        if pa.types.is_string(field.type) or pa.types.is_decimal(field.type):
            cursor.adapters.register_loader(column.type_code, TextLoader)


def _batches(cursor: psycopg.ServerCursor[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    wanted = FIRST_ROWS
    while rows := _fetch(cursor, wanted):
        batch = _to_arrow(rows, schema)
        yield batch
        of_a_row = max(1, batch.nbytes // batch.num_rows)
        wanted = max(1, min(2 * wanted, BATCH_BYTES // of_a_row, MOST_ROWS))


def _fetch(cursor: psycopg.ServerCursor[Any], wanted: int) -> list[tuple[Any, ...]]:
    try:
        return cursor.fetchmany(wanted)
    except psycopg.DataError as error:
        if error.sqlstate is not None:
            raise  # the server's own: a division by zero, say
        raise TerminalError(
            "the result has a date or time that Parquet cannot hold",
            found=str(error),
            do="cast that column to text in the query, or export as CSV",
        ) from None


def _to_arrow(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if len(schema) else ()
    return pa.record_batch(
        [_array(values, field) for values, field in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _array(values: Sequence[Any], field: pa.Field[Any]) -> pa.Array[Any]:
    if not pa.types.is_decimal(field.type):
        return pa.array(values, field.type)
    try:
        return cast("pa.Array[Any]", pc.cast(pa.array(values, pa.string()), field.type))
    except pa.ArrowInvalid:
        odd = sorted({v for v in values if v in ("NaN", "Infinity", "-Infinity")})
        raise TerminalError(
            "the result has a numeric that Parquet's decimals cannot hold",
            found=", ".join(odd) or "a value beyond the column's precision",
            do="cast that column to text or double precision in the query, or export as CSV",
        ).at(column=field.name) from None


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema, most: int) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    size = rows = 0
    for batch in batches:
        held.append(batch)
        size, rows = size + batch.nbytes, rows + batch.num_rows
        if size >= most or rows >= GROUP_ROWS:
            yield pa.Table.from_batches(held, schema)
            held, size, rows = [], 0, 0
    if held:
        yield pa.Table.from_batches(held, schema)
