"""Arrow's own files (Feather 2) and streams: rows in the file's types, which must fit."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from include.landfall.errors import DataError
from include.landfall.job import Job
from include.landfall.read.formats.own_batches import (
    Source,
    functions_of,
    no_rows,
    plain_types,
    whole_file,
)
from include.landfall.read.formats.parquet_batches import pieces

RANDOM_ACCESS = True
FILE, STREAM, FEATHER_1 = b"ARROW1", b"\xff" * 4, b"FEA1"
MOST_BATCH_BYTES = 64 << 20  # of a batch in the file, which is held as a whole


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the names of the file's columns, and of those that paths lead to.

    Raises: TruncatedFile.
    """
    with whole_file("Arrow", stream):
        return _source(_reader(stream), job).names


def _batches(stream: BinaryIO, job: Job) -> Iterator[pa.RecordBatch]:
    def read(names: list[str]) -> Iterator[pa.RecordBatch]:
        yield plain_types(no_rows(reader.schema, names))
        for batch in _own_batches(reader):
            batch.validate(full=True)  # offsets that lie would lead Arrow out of its memory
            for piece in pieces(batch.select(names)):
                yield plain_types(piece)

    with whole_file("Arrow", stream):
        reader = _reader(stream)
        yield from _source(reader, job).batches(job, read)


rows, origins_of = functions_of(_batches)


def _own_batches(reader: Any) -> Iterator[pa.RecordBatch]:
    if isinstance(reader, pa.ipc.RecordBatchFileReader):
        yield from map(reader.get_batch, range(reader.num_record_batches))
    else:
        yield from reader


def _source(reader: Any, job: Job) -> Source:
    return Source.of(reader.schema.names, job)


def _reader(stream: BinaryIO) -> Any:
    """Returns the reader of a file or of a stream, whichever it is."""
    stream.seek(0)
    head = stream.read(len(FILE))
    stream.seek(0)
    if head.startswith(FEATHER_1):
        raise DataError(
            "the file is Feather of version 1, which is not read",
            expected="Feather of version 2, or another file of Arrow",
            do="ask the sender for one, as pyarrow.feather writes it by default",
        )
    if head != FILE and not head.startswith(STREAM):
        raise pa.ArrowInvalid("another beginning than Arrow's")
    file = pa.PythonFile(_Bounded(stream), "r")
    return pa.ipc.open_file(file) if head == FILE else pa.ipc.open_stream(file)


class _Bounded(io.RawIOBase):
    """A file of which no more is read at once than a load has room for."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to an offset."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Returns the offset."""
        return self._stream.tell()

    def read(self, size: int = -1) -> bytes:
        """Reads so many bytes.

        Raises: DataError when they are too many.
        """
        if size > MOST_BATCH_BYTES:
            raise DataError(
                "the file has a batch of rows that is larger than what a load can read",
                found=f"{size} bytes",
                expected=f"at most {MOST_BATCH_BYTES >> 20} MiB",
                do="ask the sender for smaller batches (pyarrow: max_chunksize=10000)",
            )
        return self._stream.read(size)
