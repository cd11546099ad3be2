"""Joins the files of an arrival: their frames become those of one file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from include.landfall.arrival import PartStart
from include.landfall.errors import HeaderMismatch
from include.landfall.frames import Ending, Frame, PartBegins, RowSet, Shape
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.rows import Rows


class Joined:
    """The files of an arrival so far: the shape of their rows, and how many rows they have."""

    def __init__(self, job: Job) -> None:
        self.count = 0
        self._is_folder = job.snapshot is not None
        self._padded = RowSet()
        self._shape: Shape | None = None
        self._shape_of_empty: Shape | None = None
        self._hashes: list[bytes] = []

    def widened(self, job: Job) -> Job:
        """Returns the job with the columns that the first file brings and the table lacks."""
        added = self._shape.added if self._shape else ()
        new = (PlannedColumn(column.name, column.parsed) for column in added)
        return replace(job, columns=(*job.columns, *new))

    def begin(self, shape: Shape, key: str, member: str) -> Iterator[Frame]:
        """Yields the frames that begin a file: its shape, where it is the first one, and its part.

        Raises: HeaderMismatch when the file brings the table other columns than the first one.
        """
        if self._shape is None:
            self._shape = shape
            yield shape.frame()
        _check_same_columns(shape, self._shape)
        if member or self._is_folder:
            start = PartStart(key, member or None, self.count + 1)
            yield PartBegins(start, shape.changes).frame()

    def begin_empty(self, shape: Shape) -> None:
        """Takes note of a file without a byte: others say which columns the rows have."""
        self._shape_of_empty = shape

    def add(self, rows: Rows) -> None:
        """Counts rows of the file, and those of them that were padded."""
        self._padded.add(rows.padded)
        self.count += rows.count

    def add_hash(self, content_hash: bytes) -> None:
        """Takes the hash of an object that has rows; it is empty where it is not taken."""
        self._hashes.append(content_hash)

    def end(self) -> Iterator[Frame]:
        """Yields the frames that end the arrival."""
        if self._shape is None and self._shape_of_empty:
            yield self._shape_of_empty.frame()
        yield Ending(self._content_hash(), self._padded.bits).frame(self.count)

    def _content_hash(self) -> bytes:
        """Returns the hash of the object; of a folder that of the hashes of its objects."""
        if not self._hashes or not all(self._hashes):
            return b""
        if not self._is_folder:
            return self._hashes[0]
        return hashlib.sha256(b"".join(self._hashes), usedforsecurity=False).digest()


def _check_same_columns(shape: Shape, first: Shape) -> None:
    if shape.columns != first.columns:
        raise HeaderMismatch(
            "the file brings the table other columns than the first file of its arrival",
            found=", ".join(shape.columns),
            expected=", ".join(first.columns),
            do="ask the sender for the same columns in each file; members of a zip file can also"
            " have a feed of their own, by source: {member: …}",
        )
