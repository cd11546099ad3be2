"""CSV, read fast: blocks of whole records are cut, and Arrow parses each into cells of text.

What the database could not take, or would take in another way than Arrow, never comes so far: the
cutter (`csv_blocks`) keeps it apart, record by record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.csv as csv

from include.landfall.feed.dialect import CsvDialect
from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.job import BLOCK_BYTES, Job
from include.landfall.read.formats.csv_blocks import ZERO, Block, Cutter
from include.landfall.read.formats.csv_exact import Grammar
from include.landfall.read.formats.csv_footer import FooterCheck
from include.landfall.read.formats.csv_pad import LeftOut, Padded, pad
from include.landfall.read.formats.csv_quotes import Layout
from include.landfall.read.formats.csv_start import Start, header_at, names_in, start_of
from include.landfall.read.formats.csv_stream import Body
from include.landfall.read.lent import lend
from include.landfall.read.rows import (
    Misshapen,
    Origin,
    Rows,
    in_encoding,
    numbers_without,
    wrong_width,
)

RANDOM_ACCESS = False
SUBSTITUTE = ZERO.decode()


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the names in the header.

    Raises: MisshapenRow when the header cannot be read.
    """
    dialect = cast(CsvDialect, job.dialect)
    header = header_at(Body.of(stream, dialect), dialect)
    return names_in(header, job, dialect) if header else []


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows, every cell as text.

    Raises: HeaderMismatch, MisshapenRow when the header cannot be read or the footer has another
    count or sum, TruncatedFile when the footer is missing.
    """
    body, first = Body.of(stream, cast(CsvDialect, job.dialect)), 1
    footer = FooterCheck(body)
    if opened := _open(body, job):
        parser, cutter = opened
        for block in cutter.blocks():
            part = _rows_of(block, first, parser)
            first += part.count
            footer.add(part)
            if part.count:
                yield part
            del part, block  # a row may be large, and the next block needs the room
    footer.check()


def origins_of(
    stream: BinaryIO, job: Job, numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, list[str | None] | None]]:
    """Yields number, origin and cells, in the feed's order, of the records with these numbers."""
    opened = _open(Body.of(stream, cast(CsvDialect, job.dialect)), job)
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


def _open(body: Body, job: Job) -> tuple[_Parser, Cutter] | None:
    """Reads and checks the header. Returns the parser and the cutter of the rest, or None without.

    Raises: HeaderMismatch, MisshapenRow.
    """
    start = start_of(body, job, body.dialect)
    if start is None:
        return None
    cutter = Cutter(
        body.stream,
        Layout.of(body.dialect, start.width),
        ahead=start.ahead,
        line=start.line,
        encoding=job.encoding,
        longest=LONGEST_ROW,
        window=BLOCK_BYTES,
    )
    return _Parser(start, job, body.dialect), cutter


# ---- blocks --------------------------------------------------------------------------------------


def _syntax(
    dialect: CsvDialect, width: int, leave_out: Callable[[csv.InvalidRow], str]
) -> csv.ParseOptions:
    """Returns how Arrow cuts a block into cells."""
    return csv.ParseOptions(
        delimiter=dialect.delimiter,
        quote_char=dialect.quote or False,
        newlines_in_values=True,
        # To Postgres a blank line is a NULL where there is one column.
        ignore_empty_lines=width > 1,
        invalid_row_handler=leave_out,
    )


class _Parser:
    """Parses blocks of one file into text cells."""

    def __init__(self, start: Start, job: Job, dialect: CsvDialect) -> None:
        self._nulls = ["", *dialect.nulls]
        self._grammar, self.encoding, self.shape = Grammar(dialect), dialect.encoding, start.shape
        # What is beyond the columns is read too, where the feed pads.
        beyond = range(start.shape.columns, start.width)
        self._places = (*start.shape.match.places, *beyond)
        labels = (*start.shape.match.labels, *(f"\0{place}" for place in beyond))
        texts = pa.schema([(label, pa.string()) for label in labels])
        self._empty = pa.RecordBatch.from_pylist([], texts)
        self._left_out: list[LeftOut] = []
        self._dialect, self._width = dialect, start.width
        self._reading = csv.ReadOptions(
            column_names=list(map(str, range(start.width))),  # columns are named by their places
            use_threads=False,
            block_size=2 * LONGEST_ROW,
        )
        self._converting = self._conversion(start.width)

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
        self._left_out.append(LeftOut(row.number - 1, row.actual_columns, row.text))
        return "skip"

    def parse(self, block: Block) -> tuple[pa.RecordBatch, list[LeftOut]]:
        """Returns the rows, and those that are left out since their number of fields is wrong."""
        self._left_out = []
        try:
            batches = self._batches(memoryview(block.data))
        except pa.ArrowInvalid:
            return self._parse_exactly(block)
        named = [batch.rename_columns(self._empty.schema.names) for batch in batches]
        batch = named[0] if len(named) == 1 else pa.concat_batches([self._empty, *named])
        return batch, self._left_out

    def _batches(self, data: memoryview) -> list[pa.RecordBatch]:
        """Lets Arrow parse a block. Threads of Arrow may hold what it gets for a while after it."""
        leave_out = partial(self._leave_out)
        lend(data, leave_out)
        syntax = _syntax(self._dialect, self._width, leave_out)
        # A reader of one block takes less time than read_csv().
        source = pa.BufferReader(pa.py_buffer(data))
        return list(csv.open_csv(source, self._reading, syntax, self._converting))

    def pad(self, block: Block, batch: pa.RecordBatch, left_out: list[LeftOut]) -> Padded:
        """Returns the rows with those of another number of fields that can be padded."""

        def cells_of(index: int) -> list[str | None] | None:
            raw = block.records[index][1]
            return None if raw.startswith(ZERO) else self._fitted(raw)

        return pad(batch, left_out, self.shape, cells_of)

    def _parse_exactly(self, block: Block) -> tuple[pa.RecordBatch, list[LeftOut]]:
        """Parses record by record what Arrow refuses as a whole."""
        rows, left_out = [], []
        for index, (_, raw) in enumerate(block.records):
            cells = self._grammar.cells(_without_return(raw), self._nulls)
            if len(cells) == block.layout.width:
                rows.append([cells[place] for place in self._places])
            else:
                left_out.append(LeftOut(index, len(cells), _origin(0, raw).raw))
        cells_by_name = [dict(zip(self._empty.schema.names, row, strict=True)) for row in rows]
        return pa.RecordBatch.from_pylist(cells_by_name, self._empty.schema), left_out

    def cells(self, raw: bytes) -> list[str | None] | None:
        """Returns the cells of a record in the match's order, or None when it has no such cells."""
        cells = self._fitted(raw)
        return None if cells is None else self.shape.whole_row(cells)

    def _fitted(self, raw: bytes) -> list[str | None] | None:
        return self.shape.fitted(self._grammar.cells(_without_return(raw), self._nulls))


def _rows_of(block: Block, first: int, parser: _Parser) -> Rows:
    batch, left_out = parser.parse(block)
    block.count = count = batch.num_rows + len(left_out)
    rows = Padded(batch, left_out)
    if parser.shape.pads:
        rows = parser.pad(block, batch, left_out)
    padded = [first + index for index in rows.padded]
    if not rows.left_out:
        origins = partial(_origins, block)
        return Rows(first, rows.batch, origins, beyond=rows.beyond, padded=padded)
    numbers = numbers_without(first, count, [first + record.at for record in rows.left_out])
    return Rows(
        first,
        rows.batch,
        lambda positions: _origins(block, [numbers[position] - first for position in positions]),
        numbers,
        list(_misshapen(block, first, rows.left_out, parser)),
        rows.beyond,
        padded,
    )


def _origins(block: Block, indexes: Sequence[int]) -> list[Origin]:
    return [_origin(*block.records[index]) for index in indexes]


def _origin(line: int, raw: bytes) -> Origin:
    return Origin(line, _without_return(raw).decode())


def _without_return(raw: bytes) -> bytes:
    return raw.removesuffix(b"\r")


def _misshapen(
    block: Block, first: int, left_out: list[LeftOut], parser: _Parser
) -> Iterator[Misshapen]:
    """Yields the records that the parser left out, with their numbers."""
    before = iter(block.misshapen)
    for record in left_out:
        number = first + record.at
        if record.text is not None and record.text.startswith(SUBSTITUTE):
            yield in_encoding(next(before), parser.encoding)._replace(number=number)
        else:
            fault = wrong_width(record.fields, parser.shape.columns)
            line, text = block.line_of(record.at), record.text
            if text is None:
                text = _origin(*block.records[record.at]).raw
            yield Misshapen(number, line, *fault, text)
