"""Writes a query's result as CSV, which the server itself makes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

import psycopg
import zstandard

from include.landfall.export.types import Compression, Parameters, Progress
from include.landfall.s3.upload import Upload

ROWS_A_CALL = 1_000  # rows between two calls of `progress`


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


def write(
    connection: psycopg.Connection,
    query: str,
    parameters: Parameters | None,
    upload: Upload,
    compression: Compression | None,
    progress: Progress,
) -> int:
    """Writes the query's result, and returns how many rows it has."""
    packer = PACKERS[compression]()
    # The closing parenthesis has its own line: the query may end in a comment.
    statement = f"COPY (\n{query}\n) TO STDOUT (FORMAT csv, HEADER)".encode()
    with connection.cursor() as cursor:
        with cursor.copy(statement, parameters) as copy:
            # The server sends a row a block, and the header before them.
            for rows, block in enumerate(copy):
                upload.write(packer.compress(bytes(block)))
                if rows % ROWS_A_CALL == 0:
                    progress(rows)
        upload.write(packer.flush())
        return cursor.rowcount
