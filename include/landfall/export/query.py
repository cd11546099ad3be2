"""Exports a query's result from Postgres as one S3 object, in constant memory.

A result of any size streams through: the server sends rows, they are written as CSV or Parquet,
and leave as parts of a multipart upload. The object appears only when it is complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import psycopg

from include.landfall.connections import Store, Warehouse
from include.landfall.errors import ConnectionUnusable, TerminalError
from include.landfall.export.types import Compression, Format, Parameters, Progress
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import refusal
from include.landfall.s3.client import make_client
from include.landfall.s3.upload import Upload

# Each writer is imported when it is used: pyarrow is half of the memory of an export, and CSV needs
# none of it.
WRITERS = {
    "csv": "include.landfall.export.csv",
    "parquet": "include.landfall.export.parquet",
}
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
        """Returns the same in values that JSON, and so XCom, can carry."""
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
    condition: Mapping[str, str] | None = None,
) -> Exported:
    """Writes the result of `query` to s3://bucket/key, whole or not at all.

    It replaces what is there. `parameters` fill the query's %s or %(name)s. CSV has a header, NULL
    is nothing between the commas and an empty string is "". Parquet keeps types as its module
    says; its compression is of the pages inside (snappy when None). The query runs read-only, in
    UTC. A result of any size takes the same memory, 130 to 300 MB with Python and its libraries.
    `progress` hears how many rows have been read, every thousand or so. With a `condition` (see
    `s3.upload.unchanged`) only an object that fulfils it is replaced.

    Raises: TransientError when a retry can help (ObjectChanged when the condition is not
    fulfilled), TerminalError when it cannot.
    """
    content_type = _content_type(format, compression)
    write = import_module(WRITERS[format]).write
    query = query.strip().rstrip(";")
    with (
        connect(warehouse, "landfall export") as connection,
        _as_read_only(connection),
        closing(make_client(store)) as client,
        Upload(client, bucket, key, content_type, condition) as upload,
    ):
        rows = cast(
            int, write(connection, query, parameters, upload, compression, progress or _ignore)
        )
    return Exported(rows, upload.bytes, f"s3://{bucket}/{key}", upload.etag)


def _ignore(rows: int) -> None:
    pass


def _content_type(format_name: str, compression: str | None) -> str:
    try:
        return CONTENT_TYPES[format_name, compression]
    except KeyError:
        raise TerminalError(
            "a result is not exported this way",
            found=f"format {format_name!r}, compression {compression!r}",
            expected="format csv or parquet, compression gzip, zstd or None",
        ) from None


@contextmanager
def _as_read_only(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Runs a transaction that reads. A query that would write is refused in the server's words."""
    connection.read_only = True
    try:
        with connection.transaction():
            yield
    except psycopg.Error as error:
        refused = refusal(error)
        # A query that writes is refused by this transaction, not by a server that is a standby.
        writes = isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
        if not writes and (refused.retryable or isinstance(refused, ConnectionUnusable)):
            raise refused from error
        raise TerminalError("the database refused the query", found=refused.found) from error
