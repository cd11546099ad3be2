"""Writes a query's result as Parquet, from the CSV that the server's COPY sends.

What each type of Postgres becomes: integers, real, double precision, boolean, text, varchar,
char, bytea, date, time and timestamp their namesakes (microseconds); timestamptz a timestamp in
UTC; numeric(p,s) a decimal(p,s) while p is at most 76. Everything else is text, as Postgres writes
it: numeric without precision (Parquet's decimals need one: cast it to numeric(p,s)), uuid, json,
interval, arrays, enums, inet.

COPY sends rows as they come, so a row of any size is held once. A fetch of some number of rows
holds as many of them, however large they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from psycopg import sql
from pyarrow import csv

from include.landfall.errors import TerminalError
from include.landfall.export.names import check_names
from include.landfall.export.output import Output
from include.landfall.export.text import columns_of, copied
from include.landfall.export.types import Compression, Progress
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
BATCH_BYTES = 2 << 20  # of CSV, which become columns at once
# A row group is what a reader skips or reads; it is held in memory until it is written.
GROUP_BYTES = 16 << 20
GROUP_ROWS = 1 << 20

SYNTAX = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
# NULL is nothing between the commas, and an empty text is "".
SPELLING = {
    "null_values": [""], "strings_can_be_null": True, "quoted_strings_can_be_null": False,
    "true_values": ["t"], "false_values": ["f"],
}  # fmt: skip
# How pyarrow words which cell it does not take.
WRONG_CELL = re.compile(r"In CSV column #(\d+): .*?'(.*)'", re.DOTALL)


def write(
    connection: psycopg.Connection,
    query: str,
    output: Output,
    file_format: FileFormat,
    compression: Compression | None,
    progress: Progress,
) -> int:
    """Writes the query's result, and returns how many rows it has."""
    schema = arrow_schema(columns_of(connection, query))
    check_names(schema.names, "a Parquet file")
    statement = sql.SQL("COPY (\n{}\n) TO STDOUT (FORMAT csv)").format(sql.SQL(query))
    batches = _batches(copied(connection, statement, progress), schema)
    size = min(GROUP_BYTES, output.place.part_size or GROUP_BYTES)
    rows = 0
    with closing(_Parts(output, schema, compression or "snappy")) as parts:
        for group in _groups(batches, size):
            parts.write(group)
            rows += group.num_rows
    return rows


class _Parts:
    """Writes row groups into the parts of an output, each of which is a file."""

    def __init__(self, output: Output, schema: pa.Schema, compression: str) -> None:
        self._output, self._schema, self._compression = output, schema, compression
        self._begin()

    def _begin(self) -> None:
        sink = pa.PythonFile(self._output.upload, mode="w")
        self._writer = pq.ParquetWriter(sink, self._schema, compression=self._compression)
        self._is_empty = True

    def write(self, group: pa.Table) -> None:
        """Writes a row group, into another part when this one is full."""
        if self._output.is_full and not self._is_empty:
            self.close()
            self._output.begin()
            self._begin()
        self._writer.write_table(group, row_group_size=group.num_rows)
        self._is_empty = False

    def close(self) -> None:
        """Ends the part."""
        self._writer.close()


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


def _batches(blocks: Iterator[bytes], schema: pa.Schema) -> Iterator[pa.Table]:
    held, size = [], 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= BATCH_BYTES:
            yield _to_arrow(b"".join(held), schema)
            held, size = [], 0
    if held:
        yield _to_arrow(b"".join(held), schema)


def _to_arrow(text: bytes, schema: pa.Schema) -> pa.Table:
    types = {str(number): _as_read(field.type) for number, field in enumerate(schema)}
    try:
        table = csv.read_csv(
            pa.BufferReader(text),
            # Two columns of the result may have one name until they are counted.
            csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=list(types)),
            SYNTAX,
            csv.ConvertOptions(column_types=types, **SPELLING),
        )
    except pa.ArrowInvalid as error:
        raise _refusal(error, schema) from None
    columns = [
        _converted(column, field) for column, field in zip(table.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _as_read(wanted: pa.DataType) -> pa.DataType:
    is_converted = pa.types.is_binary(wanted) or pa.types.is_decimal256(wanted)
    return pa.string() if is_converted else wanted


def _converted(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    """Returns a column with its type, of those that pyarrow's reader of CSV lacks."""
    if pa.types.is_binary(field.type):
        texts = column.to_pylist()
        return pa.array([text and bytes.fromhex(text[2:]) for text in texts], field.type)
    if column.type == field.type:
        return column
    try:
        return pc.cast(column, field.type)
    except pa.ArrowInvalid:  # of numerics these alone are no number
        odd = pc.is_in(column, pa.array(["NaN", "Infinity", "-Infinity"]))
        raise _wrong_value(str(pc.filter(column, odd)[0]), field) from None


def _refusal(error: pa.ArrowInvalid, schema: pa.Schema) -> TerminalError:
    match = WRONG_CELL.search(str(error))
    if match is None:
        return TerminalError("the result cannot be written as Parquet", found=str(error))
    return _wrong_value(match[2], schema.field(int(match[1])))


def _wrong_value(value: str, field: pa.Field) -> TerminalError:
    return TerminalError(
        "the result has a value that Parquet cannot hold",
        found=value,
        expected=f"a value of the type {field.type}",
        do="cast that column to text in the query, or export as CSV",
    ).at(column=field.name)


def _groups(batches: Iterator[pa.Table], most: int) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    size = rows = 0
    for batch in batches:
        held.append(batch)
        size, rows = size + batch.nbytes, rows + batch.num_rows
        if size >= most or rows >= GROUP_ROWS:
            yield pa.concat_tables(held)
            held, size, rows = [], 0, 0
    if held:
        yield pa.concat_tables(held)
