"""A format of one module: a row a line, as `id=1 name=a`. The engine does not know it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal

import pyarrow as pa

from include.landfall.contract import check_header
from include.landfall.feed.dialect import Dialect
from include.landfall.feed.formats import FileFormat, register
from include.landfall.job import Job
from include.landfall.read.rows import Fault, Misshapen, Origin, Rows, numbers_without

RANDOM_ACCESS = False
BATCH_LINES = 1000
NOT_PAIRS = Fault("fields", "22P04", "a line is not key and value")


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


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Names the columns of the first line."""
    parts = stream.readline().decode().split()
    return [part.partition("=")[0] for part in parts]


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows, every cell as text."""
    lines = stream.read().decode().splitlines()
    for start in range(0, len(lines), BATCH_LINES):
        yield _rows(start + 1, lines[start : start + BATCH_LINES], job)


def origins_of(
    stream: BinaryIO, job: Job, numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, list[str | None] | None]]:
    """Yields the rows with these numbers: each is a line."""
    lines = stream.read().decode().splitlines()
    for number in numbers:
        cells = _cells(lines[number - 1], job)
        yield number, Origin(number, lines[number - 1]), list(cells.values()) if cells else None


def _rows(first: int, lines: list[str], job: Job) -> Rows:
    cells = {number: _cells(line, job) for number, line in enumerate(lines, first)}
    bad = [number for number, row in cells.items() if row is None]
    columns = {
        name: pa.array([row[name] for row in cells.values() if row is not None], pa.string())
        for name in job.names
    }
    numbers = numbers_without(first, len(lines), bad)
    return Rows(
        first,
        pa.record_batch(columns),
        lambda positions: [Origin(numbers[p], lines[numbers[p] - first]) for p in positions],
        numbers if bad else None,
        [Misshapen(number, number, *NOT_PAIRS, lines[number - first]) for number in bad],
    )


def _cells(line: str, job: Job) -> dict[str, str] | None:
    """The row, in the feed's order, or None where a part of it is not key and value."""
    assert isinstance(job.dialect, KeyValueDialect)
    parts = [part.partition(job.dialect.separator) for part in line.split(" ")]
    if not all(separator for _, separator, _ in parts):
        return None
    row = {key: value for key, _, value in parts}
    check_header(list(row), job.names)
    return {name: row[name] for name in job.names}
