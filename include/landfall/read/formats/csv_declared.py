"""CSV of the dialects that the fast reader does not read, record by record.

A delimiter of several characters, quotes after a backslash, line ends of other kinds, comments, and
quotes that are repaired.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

import pyarrow as pa

from include.landfall.errors import MisshapenRow, Place
from include.landfall.feed.dialect import CsvDialect
from include.landfall.job import BLOCK_BYTES, Job
from include.landfall.read.formats.csv_records import Record, Records
from include.landfall.read.formats.csv_start import match_header
from include.landfall.read.formats.csv_stream import Body
from include.landfall.read.rows import Misshapen, Origin, Rows, in_encoding, readable

RANDOM_ACCESS = False
BATCH_RECORDS = 8192


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows, every cell as text.

    Raises: HeaderMismatch, MisshapenRow when the header cannot be read or the footer counts other
    rows, TruncatedFile when the footer is missing.
    """
    body, first = Body.of(stream, cast(CsvDialect, job.dialect)), 1
    records = Records(body, job.encoding)
    if places := _begin(records, job, body.dialect):
        for batch in _batches(records):
            yield _rows_of(batch, first, places, job)
            first += len(batch)
    body.check_footer(first - 1)


def origins_of(
    stream: BinaryIO, job: Job, numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, list[str | None] | None]]:
    """Yields number, origin and cells, in the feed's order, of the records with these numbers."""
    body = Body.of(stream, cast(CsvDialect, job.dialect))
    records = Records(body, job.encoding)
    places = _begin(records, job, body.dialect)
    wanted = iter(numbers)
    number = next(wanted, None)
    for at, record in enumerate(records if places else (), 1):
        if number is None:
            return
        if at == number:
            cells = None if record.cells is None else [record.cells[p] for p in places]
            yield number, _origin(record), cells
            number = next(wanted, None)


def _begin(records: Records, job: Job, dialect: CsvDialect) -> tuple[int, ...]:
    """Reads and checks the header. Returns where the feed's columns are; nowhere without a header.

    Raises: HeaderMismatch, MisshapenRow.
    """
    headers: list[list[str]] = []
    for _ in range(dialect.header):
        record = next(records, None)
        if record is None and not headers:
            return ()
        if record is None:
            raise MisshapenRow("the file ends within its header", place=Place(line=records.line))
        if record.cells is None:
            raise _unreadable(record)
        headers.append([cell or "" for cell in record.cells])
    match, records.columns = match_header(job, dialect, headers, records.line - 1)
    return match.places


def _unreadable(record: Record) -> MisshapenRow:
    assert record.fault is not None  # a record has cells or a fault
    place = Place(line=record.line)
    return MisshapenRow(
        f"the header cannot be read: {record.fault.message}",
        found=readable(record.raw),
        do="check the feed's format",
        place=place,
    )


def _batches(records: Records) -> Iterator[list[Record]]:
    """Yields records by the megabyte."""
    batch: list[Record] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.raw)
        if size >= BLOCK_BYTES or len(batch) == BATCH_RECORDS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _rows_of(batch: list[Record], first: int, places: Sequence[int], job: Job) -> Rows:
    good = [record for record in batch if record.cells is not None]
    columns = list(zip(*(record.cells or () for record in good), strict=True)) or [()] * (
        1 + max(places)
    )
    table = pa.record_batch([pa.array(columns[p], pa.string()) for p in places], job.names)
    misshapen = [
        _misshapen(number, record, job)
        for number, record in enumerate(batch, first)
        if record.cells is None
    ]
    numbers = array("q", (n for n, record in enumerate(batch, first) if record.cells is not None))
    return Rows(
        first,
        table,
        lambda positions: [_origin(good[position]) for position in positions],
        numbers if misshapen else None,
        misshapen,
    )


def _misshapen(number: int, record: Record, job: Job) -> Misshapen:
    assert record.fault is not None  # a record has cells or a fault
    raw = readable(record.raw, job.encoding)
    misshapen = Misshapen(number, record.line, *record.fault, raw)
    return in_encoding(misshapen, cast(CsvDialect, job.dialect).encoding)


def _origin(record: Record) -> Origin:
    return Origin(record.line, readable(record.raw))
