"""Writes a query's result as CSV, which the server itself makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import psycopg
from psycopg import sql

from include.landfall.errors import WrongUse
from include.landfall.export.output import Output
from include.landfall.export.text import Lines, copied
from include.landfall.export.types import Compression, Progress
from include.landfall.feed.formats import CsvFormat, FileFormat

HEADER_OF_TEXT = 150_000  # PostgreSQL 15: from there on COPY writes one into its own text


def write(
    connection: psycopg.Connection,
    query: str,
    output: Output,
    file_format: FileFormat,
    compression: Compression | None,
    progress: Progress,
) -> int:
    """Writes the query's result, and returns how many rows it has."""
    csv = cast(CsvFormat, file_format)
    _check_header(connection, csv)
    lines = Lines(output, compression, csv.encoding)
    rows = 0
    blocks = copied(connection, statement_of(query, csv), progress)
    for line in _ended(blocks, csv.newline):
        if rows == 0 and csv.header:
            lines.header(line)
        else:
            lines.row(line)
        rows += 1
    lines.end()
    return rows - int(csv.header)


def _check_header(connection: psycopg.Connection, csv: CsvFormat) -> None:
    """Raises: WrongUse where the server makes no header without quotes."""
    version = connection.info.server_version
    if csv.header and not csv.quote and version < HEADER_OF_TEXT:
        raise WrongUse(
            "the server writes no header into a CSV without quotes",
            found=f"PostgreSQL {version // 10_000}",
            expected="PostgreSQL 15 or later",
            do="write header: false, or let the format have quotes",
        )


def statement_of(query: str, csv: CsvFormat) -> sql.Composed:
    """Returns the COPY that writes the dialect.

    Without quotes that is Postgres's own text format. All values are quoted where only quotes tell
    a value from NULL, or a backslash of the text from an escape.
    """
    options: list[sql.Composable] = [
        sql.SQL("FORMAT {}").format(sql.SQL("csv" if csv.quote else "text"))
    ]
    options.append(sql.SQL("DELIMITER {}").format(csv.delimiter))
    if csv.header:
        options.append(sql.SQL("HEADER"))
    if csv.nulls:
        options.append(sql.SQL("NULL {}").format(csv.nulls[0]))
    if csv.quote:
        escape = "\\" if csv.escape == "backslash" else csv.quote
        options.append(sql.SQL("QUOTE {}, ESCAPE {}").format(csv.quote, escape))
        if csv.nulls or csv.escape == "backslash":
            options.append(sql.SQL("FORCE_QUOTE *"))
    # The closing parenthesis has its own line: the query may end in a comment.
    statement = sql.SQL("COPY (\n{}\n) TO STDOUT ({})")
    return statement.format(sql.SQL(query), sql.SQL(", ").join(options))


def _ended(blocks: Iterator[bytes], newline: str) -> Iterator[bytes]:
    """Yields the lines with the line end of the dialect; those within cells stay as they are."""
    if newline != "CRLF":
        yield from blocks
        return
    for block in blocks:
        yield block.removesuffix(b"\n") + b"\r\n"
