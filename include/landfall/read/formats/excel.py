"""Excel: the rows of one sheet, each cell as text.

A row's text, for rejects, is JSON of its cells; its line is its number in the sheet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, TypeAlias, cast

from include.landfall.contract import Match, unique_names
from include.landfall.errors import MisshapenRow
from include.landfall.feed.dialect import ExcelDialect
from include.landfall.job import BLOCK_BYTES, Job
from include.landfall.read.formats.excel_cells import Cells, NoValue
from include.landfall.read.formats.excel_workbook import Workbook
from include.landfall.read.formats.text_blocks import (
    Block,
    Unreadable,
    origins_in,
    rows_of,
    text_of,
)
from include.landfall.read.rows import Fault, Origin, Rows

RANDOM_ACCESS = True
_BAD_FILE = "22P04"
FAULT = "no value"  # the key of an object that stands for a cell without a value
Values: TypeAlias = dict[int, str | NoValue]


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the names in the header; those of the feed where the sheet has none.

    Raises: TruncatedFile and DataError, as `rows`.
    """
    return _Sheet(stream, job).names


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the sheet's rows, every cell as text. An empty row is none.

    Raises: HeaderMismatch; TruncatedFile when the file is no workbook; DataError when there is no
    such sheet, or when a part is too large.
    """
    sheet = _Sheet(stream, job)
    parse = sheet.parser()
    for block in sheet.blocks():
        yield rows_of(block, parse, job)


def origins_of(
    stream: BinaryIO, job: Job, numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, list[str | None] | None]]:
    """Yields number, origin and cells, in the match's order, of the rows with these numbers."""
    sheet = _Sheet(stream, job)
    parse = sheet.parser()
    yield from origins_in(sheet.blocks(), parse, numbers)


class _Sheet:
    """The sheet of a workbook that a job reads."""

    def __init__(self, stream: BinaryIO, job: Job) -> None:
        self._job, self._dialect = job, cast(ExcelDialect, job.dialect)
        self._book = Workbook.open(stream)
        self._part = self._book.part_of(self._dialect.sheet)
        self._cells = Cells(self._book, self._book.texts())
        self._rows = self._in_range()
        columns = self._header()
        self.names = list(columns.values())
        # The names of the columns in a row's JSON, and those of the places in the sheet.
        self._keys = unique_names(self.names)
        self._key_at = dict(zip(columns, self._keys, strict=True))

    def _in_range(self) -> Iterator[tuple[int, Values]]:
        """Yields number and cells of each row in the range that is not empty."""
        (left, top), (right, bottom) = self._dialect.first, self._dialect.last
        number = 0
        size, ratio = self._job.arrival.size, self._job.unpacking.ratio
        for row in self._book.rows(self._part, size, ratio):
            number = int(row.get("r", number + 1))
            if number > bottom:
                return
            if number >= top:
                values = {at: text for at, text in self._cells.of(row) if left <= at <= right}
                if values:
                    yield number, values

    def _header(self) -> dict[int, str]:
        """Returns the columns: their places in the sheet with their names."""
        if self._dialect.header == 0:
            return dict(enumerate((c.name for c in self._job.expected), self._dialect.first[0]))
        for number, values in self._rows:
            if self._dialect.header in {None, number}:
                places = range(min(values), max(values) + 1)
                names = {at: _name(values.get(at, "")) for at in places}
                return {at: name for at, name in names.items() if name or self._takes_nameless()}
            if self._dialect.header and number > self._dialect.header:
                break
        raise MisshapenRow(
            "the sheet has no header",
            found=f"no row {self._dialect.header}" if self._dialect.header else "no row",
            expected="a row with the names of the columns",
            do="write in the feed where it is, as in format: {type: excel, header: 3}",
        )

    def _takes_nameless(self) -> bool:
        """Returns whether a column without a name is one. Else it may have no values."""
        rules = self._job.rules
        declared = [*self._job.expected, *rules.ignored]
        has_one = any("" in (column.name, *column.other_names) for column in declared)
        return has_one or rules.new_columns != "refuse"

    def blocks(self) -> Iterator[Block]:
        """Yields the rows after the header in blocks of about 1 MiB, as JSON."""
        first, raws, lines, size = 1, [], [], 0
        for number, values in self._rows:
            raw = json.dumps(self._named(number, values), ensure_ascii=False)
            raws.append(raw.encode("utf-8", "surrogatepass"))
            lines.append(number)
            size += len(raws[-1])
            if size >= BLOCK_BYTES:
                yield Block(first, raws, lines)
                first, raws, lines, size = first + len(raws), [], [], 0
        if raws:
            yield Block(first, raws, lines)

    def _named(self, number: int, values: Values) -> dict[str, Any]:
        """Returns the cells by the names of their columns, those without by their places."""
        row: dict[str, Any] = {}
        for at, value in values.items():
            name = self._key_at.get(at, f"column {at} of row {number}")
            row[name] = {FAULT: str(value)} if isinstance(value, NoValue) else value
        return row

    def parser(self) -> Callable[[bytes], list[str | None]]:
        """Returns what gives the cells of a row in the match's order.

        Raises: HeaderMismatch.
        """
        match: Match = self._job.match_columns(self.names)
        read = [
            (label, self._keys[at]) for label, at in zip(match.labels, match.places, strict=True)
        ]

        def parse(raw: bytes) -> list[str | None]:
            values = json.loads(text_of(raw))
            for name in values.keys() - set(self._keys):
                message = f"the row has a value in {name}, and that column has no name"
                raise Unreadable(Fault("fields", _BAD_FILE, message))
            return [_value(label, values.get(name)) for label, name in read]

        return parse


def _name(value: str | NoValue) -> str:
    return str(value).strip()


def _value(label: str, value: Any) -> str | None:
    if isinstance(value, dict):
        raise Unreadable(Fault("no_value", _BAD_FILE, f"the cell holds {value[FAULT]}"), label)
    return cast("str | None", value)
