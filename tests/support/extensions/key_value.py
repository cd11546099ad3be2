"""A format of one module: a row a line, as `id=1 name=a`. The engine does not know it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

import pyarrow as pa

from include.landfall.contract import check_header
from include.landfall.errors import LandfallError, MisshapenRow
from include.landfall.feed.dialect import Dialect
from include.landfall.feed.formats import FileFormat, register
from include.landfall.job import Job
from include.landfall.read.rows import FastPathFailed, Rows

RANDOM_ACCESS = False
BATCH_ROWS = 1000


@dataclass(frozen=True)
class KeyValueDialect(Dialect):
    """How the lines are written."""

    reader = __name__
    separator: str = "="


@register
class KeyValueFormat(FileFormat):
    """What a feed may say of it."""

    type: Literal["key_value"] = "key_value"
    separator: str = "="

    def dialect(self) -> KeyValueDialect:
        """Returns the dialect."""
        return KeyValueDialect(self.separator)


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows, every cell as text."""
    first, batch = 1, []
    for row in _parsed(stream, job):
        if row is None:
            raise FastPathFailed("a line is not key and value")
        check_header(list(row), job.names)
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield _rows(first, batch, job)
            first, batch = first + len(batch), []
    if batch:
        yield _rows(first, batch, job)


def find_fault(stream: BinaryIO, job: Job, count: int | None) -> LandfallError | None:
    """Returns the first line that is not key and value."""
    for line, row in enumerate(_parsed(stream, job), 1):
        if row is None:
            return MisshapenRow("a line is not key and value").at(line=line)
    return None


def line_of(stream: BinaryIO, job: Job, number: int) -> int | None:
    """Returns the line of a row: each row is a line."""
    return number


def _parsed(stream: BinaryIO, job: Job) -> Iterator[dict[str, str] | None]:
    assert isinstance(job.dialect, KeyValueDialect)
    for line in stream.read().decode().splitlines():
        parts = [part.partition(job.dialect.separator) for part in line.split(" ")]
        yield {key: value for key, _, value in parts} if all(p[1] for p in parts) else None


def _rows(first: int, batch: list[dict[str, str]], job: Job) -> Rows:
    columns = {name: pa.array([row[name] for row in batch], pa.string()) for name in job.names}
    return Rows(first, pa.record_batch(columns))
