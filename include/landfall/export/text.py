"""Writes a query's result as lines of text, which the server itself makes."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import psycopg
import zstandard
from psycopg import sql

from include.landfall.errors import TerminalError
from include.landfall.export.output import Output
from include.landfall.export.types import Compression, Progress

ROWS_A_CALL = 1_000  # rows between two calls of `progress`
Block = bytes | bytearray | memoryview


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


PACKERS: dict[str | None, Callable[[], _Packer]] = {
    None: _Plain,
    # 31: a gzip header and trailer around the deflated bytes. It holds no time, so the same rows
    # make the same object.
    "gzip": lambda: zlib.compressobj(6, zlib.DEFLATED, 31),
    "zstd": lambda: zstandard.ZstdCompressor(level=3).compressobj(),
}


class Lines:
    """Writes rows, each a line, into the parts of an output. Each part begins with the header.

    The rows come as UTF-8, and leave in `encoding`.
    """

    def __init__(self, output: Output, compression: Compression | None, encoding: str) -> None:
        self._output, self._compression, self._encoding = output, compression, encoding
        self._header = b""
        self._begin()

    def _begin(self) -> None:
        self._packer = PACKERS[self._compression]()
        is_utf8 = self._encoding == "utf-8"
        self._encoder = None if is_utf8 else codecs.getincrementalencoder(self._encoding)()
        self._is_empty = True
        if self._header:
            self._put(self._header)

    def header(self, line: bytes) -> None:
        """Writes the line with the names, here and at the beginning of each later part."""
        self._header = line
        self._put(line)

    def row(self, line: bytes) -> None:
        """Writes a row, into another part when this one is full."""
        if self._output.is_full and not self._is_empty:  # a header alone is no part
            self.end()
            self._output.begin()
            self._begin()
        self._put(line)
        self._is_empty = False

    def end(self) -> None:
        """Ends the part."""
        self._output.upload.write(self._packer.flush())

    def _put(self, line: bytes) -> None:
        if self._encoder:
            try:
                line = self._encoder.encode(line.decode())
            except UnicodeEncodeError as error:
                raise TerminalError(
                    f"the result has a letter that {self._encoding} lacks",
                    found=repr(error.object[error.start]),
                    expected=f"letters of {self._encoding}, by format.encoding",
                    do="choose utf-8, or replace the letter in the query",
                ) from None
        self._output.upload.write(self._packer.compress(line))


def columns_of(connection: psycopg.Connection, query: str) -> list[psycopg.Column]:
    """Returns the columns of a query's result, without running it."""
    with connection.cursor() as cursor:
        no_row = sql.SQL("SELECT * FROM (\n{}\n) AS landfall_row LIMIT 0")
        cursor.execute(no_row.format(sql.SQL(query)))
        return cursor.description or []


def copied(
    connection: psycopg.Connection, statement: sql.Composed, progress: Progress
) -> Iterator[bytes]:
    """Yields what the server's COPY sends: the header where it has one, then a row at a time."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for rows, block in enumerate(copy):
            yield bytes(block)
            if rows % ROWS_A_CALL == 0:
                progress(rows)
