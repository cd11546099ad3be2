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
from include.landfall.read.formats.csv_footer import FooterCheck
from include.landfall.read.formats.csv_pad import Shape
from include.landfall.read.formats.csv_records import Record, Records
from include.landfall.read.formats.csv_start import Header, names_in, shape_of
from include.landfall.read.formats.csv_stream import Body
from include.landfall.read.rows import Misshapen, Origin, Rows, in_encoding, readable

RANDOM_ACCESS = False
BATCH_RECORDS = 8192


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the names of the file's columns.

    Raises: MisshapenRow when the header cannot be read.
    """
    body = Body.of(stream, cast(CsvDialect, job.dialect))
    header = _header(Records(body), body.dialect)
    return names_in(header, job, body.dialect) if header else []


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows, every cell as text.

    Raises: HeaderMismatch, MisshapenRow when the header cannot be read or the footer has another
    count or sum, TruncatedFile when the footer is missing.
    """
    body, first = Body.of(stream, cast(CsvDialect, job.dialect)), 1
    records, footer = Records(body, job.encoding), FooterCheck(body)
    if header := _header(records, body.dialect):
        records.shape = shape_of(header, job, body.dialect)
        for batch in _batches(records):
            part = _rows_of(batch, first, records.shape, job)
            footer.add(part)
            yield part
            first += len(batch)
    footer.check()


def origins_of(
    stream: BinaryIO, job: Job, numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, list[str | None] | None]]:
    """Yields number, origin and cells, in the feed's order, of the records with these numbers."""
    body = Body.of(stream, cast(CsvDialect, job.dialect))
    records = Records(body, job.encoding)
    header = _header(records, body.dialect)
    if header is None:
        return
    records.shape = shape = shape_of(header, job, body.dialect)
    wanted = iter(numbers)
    number = next(wanted, None)
    for at, record in enumerate(records, 1):
        if number is None:
            return
        if at == number:
            cells = None if record.cells is None else shape.whole_row(record.cells)
            yield number, _origin(record), cells
            number = next(wanted, None)


def _header(records: Records, dialect: CsvDialect) -> Header | None:
    """Reads the header. Returns None where the file has none.

    Raises: MisshapenRow.
    """
    names: list[list[str]] = []
    for _ in range(dialect.header):
        record = records.next_names()
        if record is None and not names:
            return None
        if record is None:
            raise MisshapenRow("the file ends within its header", place=Place(line=records.line))
        if record.cells is None:
            raise _unreadable(record)
        names.append([cell or "" for cell in record.cells])
    return Header(names, b"", records.line)


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


def _rows_of(batch: list[Record], first: int, shape: Shape, job: Job) -> Rows:
    good = [record for record in batch if record.cells is not None]
    cells = [record.cells or [] for record in good]
    rows = list(zip(*map(shape.row, cells), strict=True)) or [()] * len(shape.match.places)
    columns = [pa.array(column, pa.string()) for column in rows]
    misshapen = [
        _misshapen(number, record, job)
        for number, record in enumerate(batch, first)
        if record.cells is None
    ]
    numbers = array("q", (n for n, record in enumerate(batch, first) if record.cells is not None))
    return Rows(
        first,
        pa.record_batch(columns, list(shape.match.labels)),
        lambda positions: [_origin(good[position]) for position in positions],
        numbers if misshapen else None,
        misshapen,
        {at: spare for at, row in enumerate(cells) if (spare := row[shape.columns :])},
        [number for number, record in enumerate(batch, first) if record.is_padded],
    )


def _misshapen(number: int, record: Record, job: Job) -> Misshapen:
    assert record.fault is not None  # a record has cells or a fault
    raw = readable(record.raw, job.encoding)
    misshapen = Misshapen(number, record.line, *record.fault, raw)
    return in_encoding(misshapen, cast(CsvDialect, job.dialect).encoding)


def _origin(record: Record) -> Origin:
    return Origin(record.line, readable(record.raw))
