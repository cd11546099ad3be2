"""Writes a query's result as JSON, one object a line, which the server itself makes.

Numbers keep all their digits, dates and times are texts by ISO 8601, `json` and `jsonb` are as they
are, arrays are arrays, and NULL is null.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from include.landfall.export.names import check_names
from include.landfall.export.output import Output
from include.landfall.export.text import Lines, columns_of, copied
from include.landfall.export.types import Compression, Progress
from include.landfall.feed.formats import FileFormat

# COPY's CSV with a quote that no JSON has, since within a text it is escaped. Only a line break
# between the parts of a value of type json makes COPY quote a line.
QUOTE, DELIMITER = b"\x01", b"\x02"


def write(
    connection: psycopg.Connection,
    query: str,
    output: Output,
    file_format: FileFormat,
    compression: Compression | None,
    progress: Progress,
) -> int:
    """Writes the query's result, and returns how many rows it has."""
    names = [column.name for column in columns_of(connection, query)]
    check_names(names, "a JSON object")
    lines = Lines(output, compression, "utf-8")
    rows = 0
    for block in copied(connection, _statement(query), progress):
        lines.row(_on_one_line(block))
        rows += 1
    lines.end()
    return rows


def _statement(query: str) -> sql.Composed:
    return sql.SQL(
        "COPY (SELECT row_to_json(landfall_row) FROM (\n{}\n) AS landfall_row) TO STDOUT"
        " (FORMAT csv, QUOTE {}, DELIMITER {})"
    ).format(sql.SQL(query), QUOTE.decode(), DELIMITER.decode())


def _on_one_line(block: bytes) -> bytes:
    if not block.startswith(QUOTE):
        return block
    text = block.removesuffix(b"\n").strip(QUOTE)
    return text.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"
