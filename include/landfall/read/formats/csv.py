"""CSV, read fast: blocks of whole records are cut, and Arrow parses each into cells of text.

What the database could not take, or would take in another way than Arrow, never comes so far: the
cutter (`csv_blocks`) keeps it apart, record by record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.csv as csv

from include.landfall.contract import Match
from include.landfall.errors import MisshapenRow
from include.landfall.feed.dialect import CsvDialect
from include.landfall.job import BLOCK_BYTES, LONGEST_ROW, Job
from include.landfall.read.formats.csv_blocks import ZERO, Block, Cutter
from include.landfall.read.formats.csv_exact import BOM, Grammar, header_of
from include.landfall.read.formats.csv_quotes import Layout
from include.landfall.read.rows import Misshapen, Origin, Rows, numbers_without, wrong_width

RANDOM_ACCESS = False
LONGEST_HEADER = 1 << 20  # of 1,599 names of 63 bytes


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the names in the header.

    Raises: MisshapenRow when the header cannot be read.
    """
    beginning, _ = _beginning(stream)
    return _header(beginning, job)[0] if beginning else []


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows, every cell as text.

    Raises: HeaderMismatch, and MisshapenRow when the header cannot be read.
    """
    opened = _open(stream, job)
    if opened is None:
        return
    parser, cutter = opened
    first = 1
    for block in cutter.blocks():
        part = _rows_of(block, first, parser)
        first += part.count
        if part.count:
            yield part
        del part, block  # a row may be large, and the next block needs the room


def origins_of(
    stream: BinaryIO, job: Job, numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, list[str | None] | None]]:
    """Yields number, origin and cells, in the feed's order, of the records with these numbers."""
    opened = _open(stream, job)
    if opened is None:
        return
    parser, cutter = opened
    first, wanted = 1, iter(numbers)
    number = next(wanted, None)
    for block in cutter.blocks():
        behind = first + len(block.records)
        while number is not None and number < behind:
            line, raw = block.records[number - first]
            yield number, _origin(line, raw), parser.cells(raw)
            number = next(wanted, None)
        if number is None:
            return
        first = behind


# ---- the beginning of the file -------------------------------------------------------------------


def _open(stream: BinaryIO, job: Job) -> tuple[_Parser, Cutter] | None:
    """Reads and checks the header. Returns the parser and the cutter of the rest, or None without.

    Raises: HeaderMismatch, MisshapenRow.
    """
    dialect = cast(CsvDialect, job.dialect)
    beginning, blank_lines = _beginning(stream)
    if not beginning:
        return None  # a file without a byte: no rows
    names, size = _header(beginning, job)
    match = job.match_columns(names)
    cutter = Cutter(
        stream,
        Layout.of(dialect, len(names)),
        ahead=beginning[size:],
        line=1 + blank_lines + beginning.count(b"\n", 0, size),
        encoding=job.encoding,
        longest=LONGEST_ROW,
        window=BLOCK_BYTES,
    )
    return _Parser(len(names), match, job), cutter


def _header(beginning: bytes, job: Job) -> tuple[list[str], int]:
    """Returns the names in the header, and how many bytes it takes."""
    names, size = header_of(beginning, cast(CsvDialect, job.dialect))
    if size == len(beginning) and size > LONGEST_HEADER:
        raise MisshapenRow("the header is longer than 1 MiB", do="check the feed's format").at(
            line=1
        )
    return names, size


def _beginning(stream: BinaryIO) -> tuple[bytes, int]:
    """Returns bytes that hold the header, and how many blank lines stand before them."""
    data, blank_lines = b"", 0
    while len(data) <= LONGEST_HEADER and (chunk := stream.read(BLOCK_BYTES)):
        at_start = not data and not blank_lines
        data = (data + chunk).removeprefix(BOM) if at_start else data + chunk
        shorter = data.lstrip(b"\r\n")
        blank_lines += data.count(b"\n", 0, len(data) - len(shorter))
        data = shorter
    return data, blank_lines


# ---- blocks --------------------------------------------------------------------------------------


def _syntax(
    dialect: CsvDialect, width: int, leave_out: Callable[[csv.InvalidRow], str]
) -> tuple[csv.ReadOptions, csv.ParseOptions]:
    """Returns how Arrow cuts a block into cells, whose columns it names by their places."""
    read = csv.ReadOptions(
        column_names=list(map(str, range(width))), use_threads=False, block_size=2 * LONGEST_ROW
    )
    parse = csv.ParseOptions(
        delimiter=dialect.delimiter,
        quote_char=dialect.quote,
        newlines_in_values=True,
        # To Postgres a blank line is a NULL where there is one column.
        ignore_empty_lines=width > 1,
        invalid_row_handler=leave_out,
    )
    return read, parse


class _Parser:
    """Parses blocks of one file into text cells."""

    def __init__(self, width: int, match: Match, job: Job) -> None:
        dialect = cast(CsvDialect, job.dialect)
        self._nulls = ["", *dialect.nulls]
        self._grammar = Grammar(dialect)
        self._width, self._names, self._places = width, match.labels, match.places
        texts = pa.schema([(label, pa.string()) for label in match.labels])
        self._empty = pa.RecordBatch.from_pylist([], texts)
        self._left_out: list[LeftOut] = []
        self._options = (*_syntax(dialect, width, self._leave_out), self._conversion(width))

    def _conversion(self, width: int) -> csv.ConvertOptions:
        return csv.ConvertOptions(
            column_types={str(place): pa.string() for place in range(width)},
            include_columns=list(map(str, self._places)),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            check_utf8=False,  # the cutter does, by the block and not by the cell
            null_values=self._nulls,
        )

    def _leave_out(self, row: csv.InvalidRow) -> str:
        self._left_out.append(LeftOut(row.number - 1, row.actual_columns))
        return "skip"

    def parse(self, block: Block) -> tuple[pa.RecordBatch, list[LeftOut]]:
        """Returns the rows, and those that are left out since their number of fields is wrong."""
        self._left_out = []
        try:
            # A reader of one block takes less time than read_csv().
            batches = list(csv.open_csv(pa.BufferReader(block.data), *self._options))
        except pa.ArrowInvalid:
            return self._parse_exactly(block)
        named = [batch.rename_columns(self._names) for batch in batches]
        batch = named[0] if len(named) == 1 else pa.concat_batches([self._empty, *named])
        return batch, self._left_out

    def _parse_exactly(self, block: Block) -> tuple[pa.RecordBatch, list[LeftOut]]:
        """Parses record by record what Arrow refuses as a whole."""
        rows, left_out = [], []
        for index, (_, raw) in enumerate(block.records):
            cells = self._grammar.cells(_without_return(raw), self._nulls)
            if len(cells) == block.layout.width:
                rows.append([cells[place] for place in self._places])
            else:
                left_out.append(LeftOut(index, len(cells)))
        cells_by_name = [dict(zip(self._empty.schema.names, row, strict=True)) for row in rows]
        return pa.RecordBatch.from_pylist(cells_by_name, self._empty.schema), left_out

    def cells(self, raw: bytes) -> list[str | None] | None:
        """Returns the cells of a record in the match's order, or None when it has no such cells."""
        cells = self._grammar.cells(_without_return(raw), self._nulls)
        if len(cells) != self._width:
            return None
        return [cells[place] for place in self._places]


@dataclass(frozen=True)
class LeftOut:
    """A record of a wrong number of fields, by its index in the block."""

    index: int
    fields: int


def _rows_of(block: Block, first: int, parser: _Parser) -> Rows:
    batch, left_out = parser.parse(block)
    block.count = count = batch.num_rows + len(left_out)
    block.left_out = indexes = [record.index for record in left_out]
    if not left_out:
        return Rows(first, batch, lambda positions: _origins(block, positions))
    numbers = numbers_without(first, count, [first + index for index in indexes])
    return Rows(
        first,
        batch,
        lambda positions: _origins(block, [numbers[position] - first for position in positions]),
        numbers,
        list(_misshapen(block, first, left_out)),
    )


def _origins(block: Block, indexes: Sequence[int]) -> list[Origin]:
    return [_origin(*block.records[index]) for index in indexes]


def _origin(line: int, raw: bytes) -> Origin:
    return Origin(line, _without_return(raw).decode())


def _without_return(raw: bytes) -> bytes:
    return raw.removesuffix(b"\r")


def _misshapen(block: Block, first: int, left_out: list[LeftOut]) -> Iterator[Misshapen]:
    """Yields the records that the parser left out, with their numbers."""
    before = iter(block.misshapen)
    for record in left_out:
        line, raw = block.records[record.index]
        number = first + record.index
        if raw.startswith(ZERO):
            yield replace(next(before), number=number)
        else:
            fault = wrong_width(record.fields, block.layout.width)
            yield Misshapen(number, line, *fault, _origin(line, raw).raw)
