"""Types for columns that nobody declared, from a sample of the file.

A column is boolean, bigint or numeric if every sampled cell is written so and loses nothing; else
it is text. Dates stay text, as in the Astro SDK; so do numbers with leading zeros, which are codes.
The load refuses a later cell that does not fit, and never changes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import closing
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

from .sources import S3Files

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SAMPLE_BYTES = 1 << 20
SAMPLE_FILES = 10
FORMS = {
    "boolean": re.compile(r"(?i:true|false)"),
    "bigint": re.compile(r"-?(?:0|[1-9]\d{0,17})"),
    "numeric": re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?"),
}
ARROW = {
    pa.int8(): "smallint", pa.int16(): "smallint", pa.int32(): "integer", pa.int64(): "bigint",
    pa.uint8(): "smallint", pa.uint16(): "integer", pa.uint32(): "bigint",
    pa.uint64(): "numeric(20,0)", pa.float16(): "real", pa.float32(): "real",
    pa.float64(): "double precision", pa.bool_(): "boolean", pa.string(): "text",
    pa.large_string(): "text", pa.string_view(): "text", pa.binary(): "bytea",
    pa.large_binary(): "bytea", pa.date32(): "date", pa.date64(): "date", pa.null(): "text",
}  # fmt: skip


def infer(files: S3Files, rows: int) -> dict[str, str]:
    """Infers column names and types from the first `rows` rows of each of the first files.

    Raises: HeaderMismatch when no file has a header.
    """
    types: dict[str, str | None] = {}
    with closing(make_client(files.store)) as client:
        for arrival in files.arrivals[:SAMPLE_FILES]:
            for name, type_name in _types(client, arrival, files.format, rows).items():
                types[name] = wider(types.get(name), type_name)
    if not types:
        raise _empty(files.arrivals[0])
    return {name: type_name or "text" for name, type_name in types.items()}


def header(files: S3Files) -> list[str]:
    """Gives the columns of the first file."""
    with closing(make_client(files.store)) as client:
        return list(_types(client, files.arrivals[0], files.format, 0))


def _types(
    client: S3Client, arrival: Arrival, form: CsvFormat | ParquetFormat, rows: int
) -> dict[str, str | None]:
    if isinstance(form, CsvFormat):
        with open_text(client, arrival) as stream:
            return csv_types(stream.read(SAMPLE_BYTES), form, rows)
    with open_file(client, arrival) as stream:
        return _parquet_types(stream)


def csv_types(sample: bytes, form: CsvFormat, rows: int) -> dict[str, str | None]:
    """Infers the types of a CSV file's columns; None where every sampled cell is missing."""
    dialect = form.dialect()
    if not sample.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n"):
        return {}
    names, size = header_of(sample, dialect)
    whole = len(sample) < SAMPLE_BYTES
    # The last row of an incomplete sample is incomplete too.
    body = sample[size:] if whole else sample[size : sample.rfind(b"\n") + 1]
    cells: list[list[str]] = [[] for _ in names]
    for record in _first_rows(body, dialect, len(names), rows):
        for column, value in zip(cells, record, strict=False):
            if value is not None:
                column.append(value)
    return {name: type_of(values) for name, values in zip(names, cells, strict=True)}


def _first_rows(
    body: bytes, dialect: CsvDialect, width: int, rows: int
) -> Iterable[Sequence[str | None]]:
    grammar = Grammar(dialect)
    for count, record in enumerate(records(BytesIO(body), dialect, width)):
        if count >= rows:
            return
        raw = record.raw.removesuffix(b"\n").removesuffix(b"\r")
        yield [_cell(field, grammar, dialect) for field in grammar.split(raw)[0]]


def _cell(field: bytes, grammar: Grammar, dialect: CsvDialect) -> str | None:
    text = grammar.value(field).decode("utf-8", "replace")
    is_null = text in {"", *dialect.nulls} and not field.startswith(grammar.quote)
    return None if is_null else text


def type_of(values: Sequence[str]) -> str | None:
    """Gives the narrowest type as which every value is written; None without values."""
    if not values:
        return None
    for type_name, form in FORMS.items():
        if all(form.fullmatch(value) for value in values):
            return type_name
    return "text"


def wider(one: str | None, other: str | None) -> str | None:
    """Gives the narrowest type that takes the values of both."""
    if one is None or other is None or one == other:
        return one or other
    return "numeric" if {one, other} == {"bigint", "numeric"} else "text"


def _parquet_types(stream: object) -> dict[str, str | None]:
    import pyarrow.parquet as pq

    schema = pq.ParquetFile(pa.PythonFile(stream, "r")).schema_arrow
    return {field.name: postgres_type(field.type) for field in schema}


def postgres_type(arrow: pa.DataType) -> str:
    """Gives the Postgres type of an Arrow type.

    Raises: ValueError when there is none, as for nested columns.
    """
    if pa.types.is_dictionary(arrow):
        return postgres_type(arrow.value_type)
    if pa.types.is_list(arrow) or pa.types.is_large_list(arrow):
        return f"{postgres_type(arrow.value_type)}[]"
    if pa.types.is_decimal(arrow):
        return f"numeric({arrow.precision},{max(arrow.scale, 0)})"
    if pa.types.is_timestamp(arrow):
        return "timestamptz" if arrow.tz else "timestamp"
    if pa.types.is_time(arrow):
        return "time"
    if pa.types.is_duration(arrow):
        return "interval"
    if arrow not in ARROW:
        raise ValueError(
            f"a Parquet column of type {arrow} has no Postgres type to infer."
            " What to do: declare the columns, or flatten the file."
        )
    return ARROW[arrow]


def _empty(arrival: Arrival) -> HeaderMismatch:
    return HeaderMismatch(
        "the file is empty, so its columns cannot be inferred",
        expected="a header",
        do="declare the table's columns: Table(columns=[Column(...)])",
    ).at(object=arrival.uri)
