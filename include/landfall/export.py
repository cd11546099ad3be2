"""Export: a query's result from Postgres as one S3 object, in constant memory.

A result of any size streams through: the server sends rows, they are written as CSV or Parquet,
and leave as parts of a multipart upload. The object appears only when it is complete.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import psycopg
import zstandard

from .arrow_rows import write_parquet
from .connections import Store, Warehouse
from .errors import TerminalError
from .postgres import clear_errors, connect
from .s3 import make_client
from .upload import Upload

Format = Literal["csv", "parquet"]
Compression = Literal["gzip", "zstd"]
Parameters = Sequence[Any] | Mapping[str, Any]

CONTENT_TYPES = {
    ("csv", None): "text/csv; charset=utf-8",
    ("csv", "gzip"): "application/gzip",
    ("csv", "zstd"): "application/zstd",
    ("parquet", None): "application/vnd.apache.parquet",
    ("parquet", "gzip"): "application/vnd.apache.parquet",
    ("parquet", "zstd"): "application/vnd.apache.parquet",
}
# One spelling of every value, whatever the role or the database has set.
SESSION = """
SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, YMD', false),
       set_config('IntervalStyle', 'postgres', false), set_config('bytea_output', 'hex', false),
       set_config('extra_float_digits', '1', false)
"""


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
    format: Format = "csv",
    compression: Compression | None = None,
) -> Exported:
    """Writes the result of `query` to s3://bucket/key, replacing what is there, whole or not at all.

    `parameters` fill the query's %s or %(name)s. CSV has a header, NULL is nothing between the
    commas and an empty string is "". Parquet keeps types as `arrow_rows` says; its compression is
    of the pages inside (snappy when None). The query runs read-only, in UTC. Raises TransientError
    when a retry can help, TerminalError when it cannot.
    """
    content_type = _content_type(format, compression)
    query = query.strip().rstrip(";")
    with clear_errors(warehouse), connect(warehouse) as connection:
        _prepare(connection)
        with Upload(make_client(store), bucket, key, content_type) as upload:
            if format == "parquet":
                rows = write_parquet(
                    connection, query, parameters, upload, compression or "snappy"
                )
            else:
                rows = _write_csv(connection, query, parameters, upload, compression)
    return Exported(rows, upload.bytes, f"s3://{bucket}/{key}", upload.etag)


def _content_type(format: str, compression: str | None) -> str:
    try:
        return CONTENT_TYPES[format, compression]
    except KeyError:
        raise TerminalError(
            "a result is not exported this way",
            found=f"format {format!r}, compression {compression!r}",
            expected="format csv or parquet, compression gzip, zstd or None",
        ) from None


def _prepare(connection: psycopg.Connection[Any]) -> None:
    # An export reads. A query that would write is refused by the server, in its own words.
    connection.read_only = True
    connection.execute(SESSION)


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


def _write_csv(
    connection: psycopg.Connection[Any],
    query: str,
    parameters: Parameters | None,
    upload: Upload,
    compression: str | None,
) -> int:
    packer = PACKERS[compression]()
    # The closing parenthesis has its own line: the query may end in a comment.
    statement = f"COPY (\n{query}\n) TO STDOUT (FORMAT csv, HEADER)".encode()
    with connection.cursor() as cursor:
        with cursor.copy(statement, parameters) as copy:
            for block in copy:
                upload.write(packer.compress(block))
        upload.write(packer.flush())
        return cursor.rowcount
