"""The columns of files that nobody declared: names, and types from a sample of each file.

The load refuses a later cell that does not fit its column's type, and never changes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

import pyarrow as pa

from include.landfall.arrival import Arrival
from include.landfall.errors import HeaderMismatch
from include.landfall.feed.dialect import CsvDialect
from include.landfall.feed.formats import CsvFormat, ParquetFormat
from include.landfall.read.formats.csv_exact import Grammar, header_of, records
from include.landfall.read.unpack import open_file, open_text
from include.landfall.s3.client import make_client

from .cell_types import EXACT, NUMBERS, chosen_types, scale_of, type_of, wider
from .matching import kept_names, match, pandas_names
from .sources import S3Files

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SAMPLE_BYTES = 1 << 20
SAMPLE_FILES = 10
SCALE_ROWS = 100
ARROW = {
    pa.int8(): "smallint", pa.int16(): "smallint", pa.int32(): "integer", pa.int64(): "bigint",
    pa.uint8(): "smallint", pa.uint16(): "integer", pa.uint32(): "bigint",
    pa.uint64(): "numeric(20,0)", pa.float16(): "real", pa.float32(): "real",
    pa.float64(): "double precision", pa.bool_(): "boolean", pa.string(): "text",
    pa.large_string(): "text", pa.string_view(): "text", pa.binary(): "bytea",
    pa.large_binary(): "bytea", pa.date32(): "date", pa.date64(): "date", pa.null(): "text",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """The columns of one file: the names by place, and the inferred types by name.

    A name is empty where the column is left out: an index of pandas. A type is None where all cells
    of the sample are missing. `scales` are the digits after the point that a column's cells share.
    """

    names: tuple[str, ...] = ()
    types: Mapping[str, str | None] = field(default_factory=dict)
    scales: Mapping[str, int] = field(default_factory=dict)


def layout_of(files: S3Files, arrival: Arrival) -> Layout:
    """Reads the layout of one of the files, with types from its first rows."""
    with closing(make_client(files.store)) as client:
        return _layout(client, arrival, files.format, SCALE_ROWS)


def infer(files: S3Files, rows: int) -> dict[str, str]:
    """Infers column names and types from the first `rows` rows of each of the first files.

    Raises: HeaderMismatch when no file has a header.
    """
    types: dict[str, str | None] = {}
    with closing(make_client(files.store)) as client:
        for arrival in files.arrivals[:SAMPLE_FILES]:
            layout = _layout(client, arrival, files.format, rows)
            columns = match(layout.names, list(types)) if types else layout.names
            for column, name in zip(columns, layout.names, strict=True):
                if name:
                    types[column] = wider(types.get(column), layout.types[name])
    if not types:
        raise _empty(files.arrivals[0])
    return {name: type_name or "text" for name, type_name in types.items()}


def _layout(
    client: S3Client, arrival: Arrival, form: CsvFormat | ParquetFormat, rows: int
) -> Layout:
    if isinstance(form, CsvFormat):
        with open_text(client, arrival) as stream:
            return csv_layout(stream.read(SAMPLE_BYTES), form, rows, chosen_types())
    with open_file(client, arrival) as stream:
        return _parquet_layout(stream)


def csv_layout(sample: bytes, form: CsvFormat, rows: int, choice: str = EXACT) -> Layout:
    """Infers the columns of a CSV file from its beginning."""
    dialect = form.dialect()
    if not sample.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n"):
        return Layout()
    header, size = header_of(sample, dialect)
    names = kept_names(pandas_names(header))
    whole = len(sample) < SAMPLE_BYTES
    # The last row of an incomplete sample is incomplete too.
    body = sample[size:] if whole else sample[size : sample.rfind(b"\n") + 1]
    cells: list[list[str | None]] = [[] for _ in names]
    for record in _first_rows(body, dialect, len(names), rows):
        for place, column in enumerate(cells):
            column.append(record[place] if place < len(record) else None)
    types = {name: type_of(values, choice) for name, values in zip(names, cells, strict=True)}
    scales = {
        name: scale
        for name, values in zip(names, cells, strict=True)
        if types[name] in NUMBERS and (scale := scale_of(values)) is not None
    }
    return Layout(tuple(names), types, scales)


def _first_rows(
    body: bytes, dialect: CsvDialect, width: int, rows: int
) -> Iterable[Sequence[str | None]]:
    grammar, nulls = Grammar(dialect), {"", *dialect.nulls, *dialect.spelling.nulls}
    for count, record in enumerate(records(BytesIO(body), dialect, width)):
        if count >= rows:
            return
        raw = record.raw.removesuffix(b"\n").removesuffix(b"\r")
        texts = (grammar.value(cell).decode("utf-8", "replace") for cell in grammar.split(raw)[0])
        yield [None if text in nulls else text for text in texts]


def columns_of_parquet(stream: object) -> list[tuple[str, pa.DataType]]:
    """Reads the names and types of a Parquet file; a name is empty where it is left out."""
    import pyarrow.parquet as pq

    schema = pq.ParquetFile(pa.PythonFile(stream, "r")).schema_arrow
    left_out = _index_columns(schema)
    names = kept_names(["" if name in left_out else name for name in schema.names])
    return list(zip(names, schema.types, strict=True))


def _parquet_layout(stream: object) -> Layout:
    columns = columns_of_parquet(stream)
    types = {name: postgres_type(arrow) for name, arrow in columns if name}
    return Layout(tuple(name for name, _ in columns), types)


def _index_columns(schema: pa.Schema) -> set[str]:
    """Names the columns that hold pandas' index: the SDK left it out of every table."""
    kept = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    # An index that only counts is no column; it stands there as a description.
    names = {name for name in kept.get("index_columns", ()) if isinstance(name, str)}
    return names if names < set(schema.names) else set()


def postgres_type(arrow: pa.DataType) -> str:
    """Returns the Postgres type of an Arrow type.

    Raises: ValueError when there is none.
    """
    if pa.types.is_dictionary(arrow):
        return postgres_type(arrow.value_type)
    if pa.types.is_nested(arrow):
        return "text"  # as JSON; the SDK wrote what Python shows of them
    if pa.types.is_decimal(arrow):
        return f"numeric({arrow.precision},{max(arrow.scale, 0)})"
    if pa.types.is_timestamp(arrow):
        return f"timestamp {'with' if arrow.tz else 'without'} time zone"
    if pa.types.is_time(arrow):
        return "time without time zone"
    if pa.types.is_duration(arrow):
        return "interval"
    if arrow not in ARROW:
        raise ValueError(
            f"a Parquet column of type {arrow} has no Postgres type to infer."
            " What to do: declare the columns."
        )
    return ARROW[arrow]


def _empty(arrival: Arrival) -> HeaderMismatch:
    return HeaderMismatch(
        "the file is empty, so its columns cannot be inferred",
        expected="a header",
        do="declare the table's columns: Table(columns=[Column(...)])",
    ).at(object=arrival.uri)
