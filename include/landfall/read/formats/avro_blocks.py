"""Avro: rows in the file's own types, which must fit the feed's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import fastavro
import pyarrow as pa
from fastavro.schema import SchemaParseException, UnknownType

from include.landfall.errors import DataError
from include.landfall.job import BLOCK_BYTES, Job
from include.landfall.read.formats.avro_container import Container, corrupt
from include.landfall.read.formats.avro_types import ArrowTypes, as_read, column_of
from include.landfall.read.formats.own_batches import Source, functions_of
from include.landfall.read.local_faults import local_fault

RANDOM_ACCESS = False
BATCH_ROWS = 4096


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the names of the record's fields, and of the columns that paths lead to.

    Raises: TruncatedFile, DataError.
    """
    return _Rows(stream).source(job).names


def _batches(stream: BinaryIO, job: Job) -> Iterator[pa.RecordBatch]:
    file = _Rows(stream)
    yield from file.source(job).batches(job, file.batches)


rows, origins_of = functions_of(_batches)


def _fields(schema: Any) -> list[dict[str, Any]]:
    """Returns the fields of the record that each row is.

    Raises: DataError when the rows are no records, and so have no columns.
    """
    own_type = schema.get("type") if isinstance(schema, dict) else schema
    if own_type in ("record", "error"):
        fields: list[dict[str, Any]] = schema["fields"]
        return fields
    raise DataError(
        "the rows of the Avro file have no columns",
        found="a union" if isinstance(own_type, list) else f"values of the type {own_type}",
        expected="records: a schema whose type is record",
        do="ask the sender for a record a row, with the value in one of its fields",
    )


class _Rows:
    """The rows of one Avro file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._container = Container(stream)
        try:
            parsed: Any = fastavro.parse_schema(self._container.schema)
            fields = _fields(parsed)
            types = ArrowTypes()
            self._types = {field["name"]: types.of_field(field) for field in fields}
        except (SchemaParseException, UnknownType, LookupError, TypeError) as error:
            raise corrupt(f"no schema of a record: {error}") from error
        except RecursionError as error:
            raise DataError("the Avro schema is nested too deep") from error

    def source(self, job: Job) -> Source:
        """Returns the columns of the file."""
        return Source.of(list(self._types), job)

    def batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """Yields the rows in batches of about 1 MiB, with these columns."""
        for records in self._stretches():
            yield pa.record_batch([self._column(name, records) for name in names], names=names)

    def _column(self, name: str, records: list[dict[str, Any]]) -> pa.Array:
        try:
            return column_of([record[name] for record in records], self._types[name])
        except (pa.ArrowException, UnicodeError) as error:
            raise local_fault(error) or corrupt(str(error)).at(column=name) from error

    def _stretches(self) -> Iterator[list[dict[str, Any]]]:
        records: list[dict[str, Any]] = []
        size = 0
        for record, length in self._records():
            records.append(record)
            size += length
            if size >= BLOCK_BYTES or len(records) == BATCH_ROWS:
                yield records
                records, size = [], 0
        yield records  # none too: the columns of a file without rows have types

    def _records(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Yields each row, and how many bytes it has in the file."""
        schema = fastavro.parse_schema(as_read(self._container.schema))
        for count, data in self._container.blocks():
            block, before = io.BytesIO(data), 0
            for _ in range(count):
                record = _record(block, schema)
                yield record, block.tell() - before
                before = block.tell()
            if before != len(data):
                raise corrupt(f"a block of {len(data)} bytes whose rows have {before}")


def _record(block: io.BytesIO, schema: Any) -> dict[str, Any]:
    try:
        return cast(
            dict[str, Any],
            fastavro.schemaless_reader(
                block, schema, None, handle_unicode_errors="surrogateescape"
            ),
        )
    except (EOFError, ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
        raise corrupt(f"a row that cannot be read: {error!r}") from error
