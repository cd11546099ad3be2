"""ORC: rows in the file's own types, which must fit the feed's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.orc as orc

from include.landfall.job import Job
from include.landfall.read.formats.orc_tail import stripe_sizes
from include.landfall.read.formats.own_batches import Source, functions_of, whole_file
from include.landfall.read.formats.parquet_batches import BATCH_BYTES, BATCH_ROWS, pieces

RANDOM_ACCESS = True
# Of a batch; half of that of Parquet, because ORC's statistics do not count what holds the values.
ORC_BATCH_BYTES = BATCH_BYTES // 2
ROWS_UNSEEN = 256  # in a batch of a file without statistics, whose rows may have any length


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the names of the file's columns, and of those that paths lead to.

    Raises: TruncatedFile.
    """
    with whole_file("ORC", stream):
        return _source(stream, job).names


def _batches(stream: BinaryIO, job: Job) -> Iterator[pa.RecordBatch]:
    def read(names: list[str]) -> Iterator[pa.RecordBatch]:
        # A stripe as a whole may be hundreds of megabytes; so it is read a few rows at a time.
        fragment = ds.OrcFileFormat().make_fragment(pa.PythonFile(stream, "r"))
        for batch in fragment.to_batches(
            columns={name: pc.field(name) for name in names},
            batch_size=_rows_at_once(stream, names),
            batch_readahead=0,
            fragment_readahead=0,
            use_threads=False,
        ):
            yield from pieces(batch)

    with whole_file("ORC", stream):
        yield from _source(stream, job).batches(job, read)


rows, origins_of = functions_of(_batches)


def _rows_at_once(stream: BinaryIO, names: Sequence[str]) -> int:
    """Returns how many rows a batch may have, by the stripe with the longest rows."""
    stripes = stripe_sizes(stream, frozenset(names))
    if stripes is None:
        return ROWS_UNSEEN
    large = [stripe.size / max(stripe.rows, 1) for stripe in stripes if stripe.size > BATCH_BYTES]
    return max(1, min(BATCH_ROWS, int(ORC_BATCH_BYTES / max(large, default=1))))


def _source(stream: BinaryIO, job: Job) -> Source:
    names = orc.ORCFile(pa.PythonFile(stream, "r")).schema.names
    return Source.of(names, job)
