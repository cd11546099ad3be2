"""Exports a query's result from Postgres as S3 objects, in constant memory.

A result of any size streams through: the server sends rows, they are written as CSV, JSON or
Parquet, and leave as parts of a multipart upload. An object appears only when it is complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import psycopg
from pydantic import TypeAdapter, ValidationError

from include.landfall.connections import Store, Warehouse
from include.landfall.errors import (
    ConnectionUnusable,
    LandfallError,
    TerminalError,
    WrongUse,
    shorten,
)
from include.landfall.export.formats import content_type, export_format
from include.landfall.export.output import Output, Place
from include.landfall.export.types import Compression, Format, Parameters, Progress
from include.landfall.feed.limits import Size
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import refusal
from include.landfall.s3.client import make_client

# Each writer is imported when it is used: pyarrow is half of the memory of an export, and text
# needs none of it.
WRITERS = {
    "csv": "include.landfall.export.csv",
    "json": "include.landfall.export.json",
    "parquet": "include.landfall.export.parquet",
}
SIZE: TypeAdapter[int] = TypeAdapter(Size)
# Each run would write over the object of the run before.
RENDERED = (
    "the text itself: Airflow fills in templates in the arguments of operators alone; in a function"
    ' of @task write f"out/{ds}.csv", with ds as an argument of the function'
)
LINE = re.compile(r"^LINE (\d+): ", re.MULTILINE)  # in the server's words


@dataclass(frozen=True)
class Exported:
    """What was written: rows without the header, bytes as stored, and the object's ETag.

    With `part_size` there are `parts`, by their keys; then `uri` is a pattern, and `etag` empty.
    """

    rows: int
    bytes: int
    uri: str
    etag: str
    parts: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Returns the same in values that JSON, and so XCom, can carry."""
        return {**self.__dict__, "parts": list(self.parts)}


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
    part_size: int | str | None = None,
    manifest: bool = False,
) -> Exported:
    """Writes the result of `query` to s3://bucket/key, whole or not at all.

    It replaces what is there. `parameters` fill the query's %s or %(name)s. `format` is a name, or
    what a feed has under `format:` that reads the file back (`export.formats`). CSV has a header,
    NULL is nothing between the commas and an empty string is "". Parquet keeps types as its module
    says; its compression is of the pages inside (snappy when None). The query runs read-only, in
    UTC. A result of any size takes the same memory, 130 to 300 MB with Python and its libraries.
    With a `part_size`, as bytes or 128 MB, there are objects of about that size, `x-00000.csv` and
    so on for x.csv (`export.output` says how they appear), and with `manifest` x-manifest, which
    names them. `progress` hears how many rows have been read, every thousand or so. With a
    `condition` (see `s3.upload.unchanged`) only an object that fulfils it is replaced.

    Raises: TransientError when a retry can help (ObjectChanged when the condition is not
    fulfilled), TerminalError when it cannot.
    """
    _check_arguments(query, parameters, bucket, key)
    file_format = export_format(format, compression)
    write = import_module(WRITERS[file_format.type]).write
    place = Place(bucket, key, _size_of(part_size), manifest)
    # The transaction has ended before an object appears: the server keeps no old rows for it, and
    # no timeout of the server can fail an export that is there.
    with (
        connect(warehouse, "landfall export") as connection,
        closing(make_client(store)) as client,
        Output(client, place, content_type(file_format, compression), condition) as output,
        _as_read_only(connection),
    ):
        filled = _filled(connection, query, parameters)
        rows = write(connection, filled, output, file_format, compression, progress or _ignore)
    return _exported(rows, output)


def _check_arguments(query: object, parameters: object, bucket: object, key: object) -> None:
    """Checks what types cannot hold in a DAG: an argument may come from a template or XCom.

    Raises: WrongUse.
    """
    for name, value in {"query": query, "bucket": bucket, "key": key}.items():
        is_blank = isinstance(value, str) and name != "key" and not value.strip(" \n\t;")
        if is_blank or not isinstance(value, str):
            raise _wrong(name, value, "a text")
        if name != "query" and value.startswith("s3://"):
            raise _wrong(name, value, "the bucket and the key in two arguments, without s3://")
        if name != "query" and "{{" in value:
            raise _wrong(name, value, RENDERED)
    is_text = isinstance(parameters, str | bytes)
    if parameters is not None and (is_text or not isinstance(parameters, Sequence | Mapping)):
        raise _wrong("parameters", parameters, "a list for %s, or a dict for %(name)s")


def _wrong(argument: str, value: object, expected: str) -> WrongUse:
    return WrongUse(
        f"{argument} of an export is wrong", found=shorten(repr(value)), expected=expected
    )


def _exported(rows: int, output: Output) -> Exported:
    place = output.place
    if place.part_size is None:
        return Exported(rows, output.bytes, place.uri, output.upload.etag)
    parts = tuple(place.key_of(number) for number in range(len(output.uploads)))
    return Exported(rows, output.bytes, place.uri, "", parts)


def _filled(connection: psycopg.Connection, query: str, parameters: Parameters | None) -> str:
    """Returns the query with its parameters in it: COPY takes none. So all formats get the same."""
    query = query.strip().rstrip(";")
    if parameters is None:
        return query
    return psycopg.ClientCursor(connection).mogrify(query.encode(), parameters)


def _ignore(rows: int) -> None:
    pass


def _size_of(part_size: int | str | None) -> int | None:
    try:
        return None if part_size is None else SIZE.validate_python(part_size)
    except ValidationError as error:
        expected = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise _wrong("part_size", part_size, expected) from None


@contextmanager
def _as_read_only(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Runs a transaction that reads. A query that would write is refused in the server's words."""
    connection.read_only = True
    try:
        with connection.transaction():
            yield
    except psycopg.Error as error:
        refused = refusal(error, has_feed=False)
        # A query that writes is refused by this transaction, not by a server that is a standby.
        writes = isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
        if not writes and (refused.retryable or isinstance(refused, ConnectionUnusable)):
            raise refused from error
        raise _refused_query(error, refused) from error


def _refused_query(error: psycopg.Error, refused: LandfallError) -> TerminalError:
    """Returns the error with the line of the query and the hint that the server gives."""
    match = LINE.search(str(error))
    # Every statement has one line before the query.
    where = f", in line {int(match[1]) - 1} of the query" if match else ""
    hint = error.diag.message_hint
    return TerminalError(
        "the database refused the query",
        found=f"{refused.found}{where}",
        do=hint and hint.rstrip("."),
    )
