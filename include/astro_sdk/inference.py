"""Types for columns that nobody declared, from a sample of the file. Text when unsure.

Only what every sampled cell agrees on, and what loses nothing: boolean, bigint, numeric, else
text. Dates stay text, as in the Astro SDK; so do numbers with leading zeros, which are codes.
A later cell that does not fit is refused by the load, never bent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import BytesIO

import pyarrow as pa

from include.landfall.arrival import Arrival
from include.landfall.errors import HeaderMismatch
from include.landfall.feed.dialect import CsvDialect
from include.landfall.feed.formats import CsvFormat
from include.landfall.read.formats.csv_exact import Grammar, header_of, records
from include.landfall.read.unpack import open_file, open_text
from include.landfall.s3.client import make_client

from .sources import S3Files

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
    """Column names and types by the first files' first `rows` rows each.

    Raises: HeaderMismatch when there is no header to go by.
    """
    client = make_client(files.store)
    found: dict[str, str | None] = {}
    for arrival in files.arrivals[:SAMPLE_FILES]:
        if isinstance(files.format, CsvFormat):
            with open_text(client, arrival) as stream:
                types = of_csv(stream.read(SAMPLE_BYTES), files.format, rows)
        else:
            with open_file(client, arrival) as stream:
                types = _of_parquet(stream)
        found = {**found, **{name: wider(found.get(name), t) for name, t in types.items()}}
    if not found:
        raise _nothing(files.arrivals[0])
    return {name: kind or "text" for name, kind in found.items()}


def header(files: S3Files) -> list[str]:
    """The columns that the first file has."""
    client, first = make_client(files.store), files.arrivals[0]
    if isinstance(files.format, CsvFormat):
        with open_text(client, first) as stream:
            return list(of_csv(stream.read(SAMPLE_BYTES), files.format, 0))
    with open_file(client, first) as stream:
        return list(_of_parquet(stream))


def of_csv(sample: bytes, form: CsvFormat, rows: int) -> dict[str, str | None]:
    """The types of a CSV file's columns, None where no cell says anything."""
    dialect = form.dialect()
    if not sample.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n"):
        return {}
    names, size = header_of(sample, dialect)
    whole = len(sample) < SAMPLE_BYTES
    # The last row of a sample that was cut off is cut off too.
    body = sample[size:] if whole else sample[size : sample.rfind(b"\n") + 1]
    cells: list[list[str]] = [[] for _ in names]
    for record in _first(body, dialect, len(names), rows):
        for column, value in zip(cells, record, strict=False):
            if value is not None:
                column.append(value)
    return {name: type_of(values) for name, values in zip(names, cells, strict=True)}


def _first(
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
    """The narrowest type that every value is written as; None without values."""
    if not values:
        return None
    for kind, form in FORMS.items():
        if all(form.fullmatch(value) for value in values):
            return kind
    return "text"


def wider(one: str | None, other: str | None) -> str | None:
    """The type that takes what both take."""
    if one is None or other is None or one == other:
        return one or other
    return "numeric" if {one, other} == {"bigint", "numeric"} else "text"


def _of_parquet(stream: object) -> dict[str, str | None]:
    import pyarrow.parquet as pq

    schema = pq.ParquetFile(pa.PythonFile(stream, "r")).schema_arrow
    return {field.name: of_arrow(field.type) for field in schema}


def of_arrow(kind: pa.DataType) -> str:
    """The Postgres type of an Arrow one. Raises: ValueError for nested ones."""
    if pa.types.is_dictionary(kind):
        return of_arrow(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"{of_arrow(kind.value_type)}[]"
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision},{max(kind.scale, 0)})"
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_time(kind):
        return "time"
    if pa.types.is_duration(kind):
        return "interval"
    if kind not in ARROW:
        raise ValueError(
            f"a Parquet column of type {kind} has no Postgres type to infer."
            " What to do: declare the columns, or flatten the file."
        )
    return ARROW[kind]


def _nothing(arrival: Arrival) -> HeaderMismatch:
    return HeaderMismatch(
        "the file is empty, so its columns cannot be inferred",
        expected="a header",
        do="declare the table's columns: Table(columns=[Column(...)])",
    ).at(object=arrival.uri)
