"""The file formats: a module for each, all with the protocol of `Format`.

A feed's format makes a dialect, and the dialect names the module that reads such files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import BinaryIO, Protocol, TypeAlias, cast

from include.landfall.job import Job
from include.landfall.read.rows import Origin, Rows

OriginOf: TypeAlias = tuple[int, Origin, list[str | None] | None]  # number, origin, cells


class Format(Protocol):
    """What the module of a format has."""

    @property
    def RANDOM_ACCESS(self) -> bool:  # noqa: N802  a constant of the module
        """Whether the file is read at any offset. If not, it is a stream that was unpacked."""

    def names_of(self, stream: BinaryIO, job: Job) -> list[str]:
        """Returns the names of the file's columns; none of a file without a byte.

        Raises: DataError when they cannot be read.
        """

    def rows(self, stream: BinaryIO, job: Job) -> Iterator[Rows]:
        """Yields the file's rows, in the file's own types or as text.

        The columns are those of `job.match_columns(names)`, in its order, with its labels.

        Raises: HeaderMismatch when the columns or their types are not the feed's; TruncatedFile
        and other DataErrors when the whole file is wrong. A wrong record is no error.
        """

    def origins_of(self, stream: BinaryIO, job: Job, numbers: Sequence[int]) -> Iterator[OriginOf]:
        """Yields the records with these numbers, which ascend, from one pass over the file.

        The cells are texts in the order of the match, then those beyond the header; or None where
        the record cannot be cut.
        """


def format_of(job: Job) -> Format:
    """Returns the module that reads the job's file. It is imported when it is first needed."""
    return cast(Format, import_module(job.dialect.reader))
