"""Export: a query's result from Postgres as one S3 object, in constant memory.

A result of any size streams through: the server sends rows, they are written as CSV or Parquet,
and leave as parts of a multipart upload. The object appears only when it is complete.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import psycopg
import zstandard

from include.landfall.connections import Store, Warehouse
from include.landfall.errors import ConnectionUnusable, TerminalError
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import refusal
from include.landfall.s3.client import make_client
from include.landfall.s3.upload import Upload

Format = Literal["csv", "parquet"]


Compression = Literal["gzip", "zstd"]


Parameters = Sequence[Any] | Mapping[str, Any]


# Called with the number of rows so far; what it raises ends the export, and nothing is written.
Progress = Callable[[int], None]


ROWS_A_CALL = 1_000


CONTENT_TYPES = {
    ("csv", None): "text/csv; charset=utf-8",
    ("csv", "gzip"): "application/gzip",
    ("csv", "zstd"): "application/zstd",
    ("parquet", None): "application/vnd.apache.parquet",
    ("parquet", "gzip"): "application/vnd.apache.parquet",
    ("parquet", "zstd"): "application/vnd.apache.parquet",
}


@dataclass(frozen=True)
class Exported:
    """What was written: rows without the header, bytes as stored, and the object's ETag."""

    rows: int
    bytes: int
    uri: str
    etag: str

    def as_dict(self) -> dict[str, Any]:
        """The same in values that JSON, and so XCom, can carry."""
        return dict(self.__dict__)


def export(
    query: str,
    parameters: Parameters | None = None,
    *,
    warehouse: Warehouse,
    store: Store,
    bucket: str,
    key: str,
    format: Format = "csv",  # noqa: A002  the word that people know
    compression: Compression | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Writes the result of `query` to s3://bucket/key, whole or not at all.

    It replaces what is there. `parameters` fill the query's %s or %(name)s. CSV has a header, NULL
    is nothing between the commas and an empty string is "". Parquet keeps types as `arrow_rows`
    says; its compression is of the pages inside (snappy when None). The query runs read-only, in
    UTC; a result of any size takes the same memory, 130 to 300 MB with Python and its libraries.
    `progress` is told how many rows have been read, every thousand or so.
    Raises TransientError when a retry can help, TerminalError when it cannot.
    """
    content_type = _content_type(format, compression)
    query = query.strip().rstrip(";")
    with (
        connect(warehouse, "landfall export") as connection,
        _as_read_only(connection),
        Upload(make_client(store), bucket, key, content_type) as upload,
    ):
        write = _write_parquet if format == "parquet" else _write_csv
        rows = write(connection, query, parameters, upload, compression, progress or _tell_nobody)
    return Exported(rows, upload.bytes, f"s3://{bucket}/{key}", upload.etag)


def _content_type(kind: str, compression: str | None) -> str:
    try:
        return CONTENT_TYPES[kind, compression]
    except KeyError:
        raise TerminalError(
            "a result is not exported this way",
            found=f"format {kind!r}, compression {compression!r}",
            expected="format csv or parquet, compression gzip, zstd or None",
        ) from None


@contextmanager
def _as_read_only(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction that reads; a query that would write is refused in the server's words."""
    connection.read_only = True
    try:
        with connection.transaction():
            yield
    except psycopg.Error as error:
        known = refusal(error)
        # A query that writes is refused by this transaction, not by a server that is a standby.
        writes = isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
        if not writes and (known.retryable or isinstance(known, ConnectionUnusable)):
            raise known from error
        raise TerminalError("the database refused the query", found=known.found) from error


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
    # 31: a gzip header and trailer around the deflated bytes; it holds no time, so the same
    # rows are the same object.
    "gzip": lambda: zlib.compressobj(6, zlib.DEFLATED, 31),
    "zstd": lambda: zstandard.ZstdCompressor(level=3).compressobj(),
}


def _tell_nobody(rows: int) -> None:
    pass


def _write_parquet(*arguments: Any) -> int:
    # Imported here: pyarrow is half of the memory of an export, and CSV needs none of it.
    from include.landfall.export.parquet import write_parquet

    return write_parquet(*arguments)


def _write_csv(
    connection: psycopg.Connection[Any],
    query: str,
    parameters: Parameters | None,
    upload: Upload,
    compression: Compression | None,
    progress: Progress,
) -> int:
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
