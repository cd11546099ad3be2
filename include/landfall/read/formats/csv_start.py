"""The beginning of a CSV file: its header, and how many fields its rows have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from include.landfall.errors import HeaderMismatch, MisshapenRow, Place
from include.landfall.feed.dialect import CsvDialect
from include.landfall.job import BLOCK_BYTES, Job
from include.landfall.read.formats.csv_exact import BOM, header_of
from include.landfall.read.formats.csv_pad import Shape
from include.landfall.read.formats.csv_stream import Body
from include.landfall.read.packings import other_file_in

LONGEST_HEADER = 1 << 20  # of 1,599 names of 63 bytes


@dataclass(frozen=True)
class Start:
    """What shape the rows have, and where they begin.

    A row is parsed into `width` fields, which are more than its columns where the file's rows end
    with empty fields and the feed pads. `ahead` is what was read of the rows.
    """

    shape: Shape
    width: int
    ahead: bytes
    line: int


@dataclass(frozen=True)
class Header:
    """The records that hold names, and what was read behind them, which begins at `line`."""

    records: list[list[str]]
    ahead: bytes
    line: int


def start_of(body: Body, job: Job, dialect: CsvDialect) -> Start | None:
    """Reads and checks the header. Returns None where the file has none.

    Raises: HeaderMismatch, MisshapenRow.
    """
    header = header_at(body, dialect)
    if header is None:
        return None
    shape = shape_of(header, job, dialect)
    width = shape.columns
    if shape.pads:
        first = _fields_of_first(header.ahead, dialect)
        width = max([shape.columns, first, *map(len, header.records)])
    return Start(shape, width, header.ahead, header.line)


def header_at(body: Body, dialect: CsvDialect) -> Header | None:
    """Reads the header. Returns None where the file has none.

    Raises: MisshapenRow.
    """
    if not dialect.header:
        ahead = body.stream.read(BLOCK_BYTES).removeprefix(BOM)
        return Header([], ahead, body.line) if ahead else None
    ahead, blank_lines = _beginning(body)
    if not ahead:
        return None
    if other := other_file_in(ahead):
        raise MisshapenRow(
            f"the file is no CSV: it is {other}",
            do="correct the feed's format, or ask the sender for CSV, packed once at most",
        )
    records, line = [], body.line + blank_lines
    for _ in range(dialect.header):
        if not ahead.strip(b"\r\n"):
            raise MisshapenRow("the file ends within its header", place=Place(line=line))
        names, size = header_of(ahead, dialect, line)
        if size == len(ahead) and size > LONGEST_HEADER:
            do = "check the feed's format"
            raise MisshapenRow("the header is longer than 1 MiB", do=do, place=Place(line=line))
        records.append(names)
        # A header without a line end is a line too.
        line += ahead.count(b"\n", 0, size) + (not ahead[:size].endswith(b"\n"))
        ahead = ahead[size:]
    return Header(records, ahead, line)


def shape_of(header: Header, job: Job, dialect: CsvDialect) -> Shape:
    """Returns how the rows behind the header are shaped.

    Raises: HeaderMismatch with the line.
    """
    names = names_in(header, job, dialect)
    try:
        match = job.match_columns(names)
    except HeaderMismatch as error:
        error.place = replace(error.place, line=header.line - 1)
        raise
    pads = dialect.pad or job.rules.pads
    rescues = pads and job.rules.rescue is not None
    return Shape(match, len(names), pads, rescues, dialect.spelling)


def names_in(header: Header, job: Job, dialect: CsvDialect) -> list[str]:
    """Returns the names of the file's columns: those of the header, or by position the feed's.

    Raises: HeaderMismatch when the file has another number of columns than the feed.
    """
    records = header.records
    names = list(records[0]) if len(records) == 1 else _joined(records)
    if dialect.names:
        return names
    while (dialect.pad or job.rules.pads) and names and not names[-1].strip():
        names.pop()
    if not dialect.by_position:
        return names
    expected = list(job.order or (each.name for each in job.expected))
    if records and len(names) != len(expected):
        raise HeaderMismatch(
            "the file has another number of columns than the feed",
            found=f"{len(names)}: {', '.join(names)}",
            expected=f"{len(expected)}: {', '.join(expected)}",
            do="name every column of the file under columns:, in the file's order; one that the"
            " table does not need with ignore: true",
            place=Place(line=header.line - 1),
        )
    return expected


def _joined(headers: Sequence[Sequence[str]]) -> list[str]:
    """Joins the names of each column, from the top down, with a blank between them."""
    columns = zip_longest(*headers, fillvalue="")
    return [" ".join(part.strip() for part in column if part.strip()) for column in columns]


def _fields_of_first(ahead: bytes, dialect: CsvDialect) -> int:
    """Returns how many fields the first row has; none where it cannot be read."""
    if not ahead.strip(b"\r\n"):
        return 0
    try:
        return len(header_of(ahead, dialect)[0])
    except MisshapenRow:
        return 0


def _beginning(body: Body) -> tuple[bytes, int]:
    """Returns bytes that hold the header, and how many blank lines stand before them."""
    data, blank_lines = b"", 0
    while len(data) <= LONGEST_HEADER and (chunk := body.stream.read(BLOCK_BYTES)):
        at_start = not data and not blank_lines
        data = (data + chunk).removeprefix(BOM) if at_start else data + chunk
        shorter = data.lstrip(b"\r\n")
        blank_lines += data.count(b"\n", 0, len(data) - len(shorter))
        data = shorter
    return data, blank_lines
