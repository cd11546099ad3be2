"""The beginning of a CSV file: its header, and how many fields its rows have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from include.landfall.contract import Match, match_columns
from include.landfall.errors import HeaderMismatch, MisshapenRow, Place
from include.landfall.feed.dialect import CsvDialect
from include.landfall.job import BLOCK_BYTES, Job
from include.landfall.read.formats.csv_exact import BOM, header_of
from include.landfall.read.formats.csv_stream import Body

LONGEST_HEADER = 1 << 20  # of 1,599 names of 63 bytes


@dataclass(frozen=True)
class Start:
    """Where the feed's columns are, and where the rows begin.

    A row should have `columns` fields. It is parsed into `width` of them, which are more where the
    file's rows end with empty fields and the feed pads. `ahead` is what was read of the rows.
    """

    match: Match
    columns: int
    width: int
    ahead: bytes
    line: int


def start_of(body: Body, job: Job, dialect: CsvDialect) -> Start | None:
    """Reads and checks the header. Returns None where the file has none.

    Raises: HeaderMismatch, MisshapenRow.
    """
    if not dialect.header:
        ahead = body.stream.read(BLOCK_BYTES).removeprefix(BOM)
        return _start(job, dialect, [], ahead, body.line)
    ahead, blank_lines = _beginning(body)
    if not ahead:
        return None
    headers, line = [], body.line + blank_lines
    for _ in range(dialect.header):
        if not ahead.strip(b"\r\n"):
            raise MisshapenRow("the file ends within its header", place=Place(line=line))
        names, size = header_of(ahead, dialect, line)
        if size == len(ahead) and size > LONGEST_HEADER:
            do = "check the feed's format"
            raise MisshapenRow("the header is longer than 1 MiB", do=do, place=Place(line=line))
        headers.append(names)
        line += ahead.count(b"\n", 0, size)
        ahead = ahead[size:]
    return _start(job, dialect, headers, ahead, line)


def _start(
    job: Job, dialect: CsvDialect, headers: list[list[str]], ahead: bytes, line: int
) -> Start:
    match, columns = match_header(job, dialect, headers, line - 1)
    width = columns
    if dialect.pad:
        width = max([columns, *map(len, headers), _fields_of_first(ahead, dialect)])
    return Start(match, columns, width, ahead, line)


def match_header(
    job: Job, dialect: CsvDialect, headers: Sequence[Sequence[str]], line: int
) -> tuple[Match, int]:
    """Returns where the feed's columns are, and how many columns the file has.

    Raises: HeaderMismatch with the line.
    """
    names = list(headers[0]) if len(headers) == 1 else _joined(headers)
    while dialect.pad and names and not names[-1].strip():
        names.pop()
    if not dialect.by_position:
        try:
            return match_columns(names, job.names), len(names)
        except HeaderMismatch as error:
            error.place = replace(error.place, line=line)
            raise
    columns = len(job.names)
    if headers and len(names) != columns:
        raise HeaderMismatch(
            "the file has another number of columns than the feed",
            found=f"{len(names)}: {', '.join(names)}",
            expected=f"{columns}: {', '.join(job.names)}",
            do="name every column of the file under columns:, in the file's order",
            place=Place(line=line),
        )
    return Match(tuple(range(columns))), columns


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
