"""Decode: a stream of bytes to Arrow batches, each with the number of its first row.

CSV comes as text cells; Parquet as the file's own types. Columns are matched by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from include.landfall.contract import check_header
from include.landfall.errors import TruncatedFile
from include.landfall.job import PARQUET_ROWS, Job


def _parquet(stream: BinaryIO, job: Job) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq  # only here: it costs 20 MB that a CSV load need not pay

    try:
        file = pq.ParquetFile(pa.PythonFile(stream, "r"), buffer_size=1 << 20, pre_buffer=False)
        check_header(file.schema_arrow.names, job.names)
        for batch in file.iter_batches(PARQUET_ROWS, columns=job.names, use_threads=False):
            yield batch.select(job.names)
    except pa.ArrowInvalid as error:
        raise TruncatedFile(
            "the file is not whole Parquet",
            found=str(error),
            expected="a Parquet file",
            do="check the feed's format, or ask the sender for the file again",
        ) from error
