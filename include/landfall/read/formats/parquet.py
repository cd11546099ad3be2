"""Parquet: rows in the file's own types, which must fit the feed's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from include.landfall.job import Job
from include.landfall.read.formats.own_batches import (
    Source,
    functions_of,
    no_rows,
    plain_types,
    whole_file,
)
from include.landfall.read.formats.parquet_batches import read_batches

RANDOM_ACCESS = True


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the names of the file's columns, and of those that paths lead to.

    Raises: TruncatedFile.
    """
    with whole_file("Parquet", stream):
        return _source(pq.ParquetFile(pa.PythonFile(stream, "r")), job).names


def _batches(stream: BinaryIO, job: Job) -> Iterator[pa.RecordBatch]:
    def read(names: list[str]) -> Iterator[pa.RecordBatch]:
        enums = _enums(file)
        yield plain_types(no_rows(file.schema_arrow, names), enums)
        for batch in read_batches(file, stream, names, job.bounds.extra_memory):
            yield plain_types(batch, enums)

    with whole_file("Parquet", stream):
        file = pq.ParquetFile(pa.PythonFile(stream, "r"))
        yield from _source(file, job).batches(job, read)


rows, origins_of = functions_of(_batches)


def _source(file: pq.ParquetFile, job: Job) -> Source:
    return Source.of(file.schema_arrow.names, job)


def _enums(file: pq.ParquetFile) -> set[str]:
    """Names the columns of the logical type ENUM, or lists of it: texts that Arrow calls binary."""
    leaves = [file.schema.column(i) for i in range(len(file.schema.names))]
    return {leaf.path.split(".")[0] for leaf in leaves if leaf.logical_type.type == "ENUM"}
