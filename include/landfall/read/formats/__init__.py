"""The file formats: a module for each, all with the protocol of `Format`.

A feed's format makes a dialect, and the dialect names the module that reads such files.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import BinaryIO, Protocol, cast

from include.landfall.errors import LandfallError
from include.landfall.job import Job
from include.landfall.read.rows import Rows


class Format(Protocol):
    """What the module of a format has."""

    @property
    def RANDOM_ACCESS(self) -> bool:  # noqa: N802  a constant of the module
        """Whether the file is read at any offset. If not, it is a stream that was unpacked."""

    def rows(self, stream: BinaryIO, job: Job) -> Iterator[Rows]:
        """Yields the file's rows, columns in the feed's order, in the file's own types or as text.

        Raises: HeaderMismatch when the columns or their types are not the feed's; FastPathFailed
        when `find_fault` must say what is wrong; FastPathUnsure after the last row, when
        `find_fault` must decide; TruncatedFile.
        """

    def find_fault(self, stream: BinaryIO, job: Job, count: int | None) -> LandfallError | None:
        """Returns the first fault of the file with its line, or None when it has none.

        With `count`, the number of rows that were read, another number of rows is a fault too.
        """

    def line_of(self, stream: BinaryIO, job: Job, number: int) -> int | None:
        """Returns the line on which the row begins, or None where rows have no line."""


def format_of(job: Job) -> Format:
    """Returns the module that reads the job's file. It is imported when it is first needed."""
    return cast(Format, import_module(job.dialect.reader))
