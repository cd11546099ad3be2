"""Decode: a stream of bytes to Arrow batches, each with the number of its first row.

CSV comes as text cells; Parquet as the file's own types. Columns are matched by name.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa


class Suspicious(Exception):
    """The fast reader refused the file, or cannot vouch for it: the slow scan must judge."""


class Unvouched(Suspicious):
    """Every row was read, but not surely as it was meant: an odd quote, a last row of many lines.

    Most such files are well: the slow scan decides.
    """


@dataclass(frozen=True)
class Rows:
    """A batch, its columns in the feed's order. `first` is the number of its first row."""

    first: int
    batch: pa.RecordBatch
