"""Proposes a feed for workbooks of Excel: the sheet, the row with the names, and the columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from openpyxl.utils import get_column_letter

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError
from include.landfall.read.formats.excel_cells import Cells, NoValue
from include.landfall.read.formats.excel_workbook import Workbook
from include.landfall.sniff.described import proposal_of
from include.landfall.sniff.findings import Finding, Proposal
from include.landfall.sniff.header import header_of, names_of
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.spelling import PLAIN
from include.landfall.sniff.types import type_of

MOST_ROWS = 20_000
RATIO = 1000
Row = tuple[int, dict[int, str]]  # its number, and its cells by column


@dataclass(frozen=True)
class _Table:
    """The table of a sheet: the options that lead to it, its names, and its rows by place."""

    options: dict[str, Finding]
    names: list[str]
    body: list[dict[int, str]]


def propose(name: str, arrival: Arrival, sample: Sample) -> Proposal:
    """Returns the sheet, the header and the columns of a workbook.

    Raises: DataError when it has no rows, or a part is too large; TruncatedFile.
    """
    with sample.open() as stream:
        book = Workbook.open(stream)
        sheet, rows = _first_with_rows(book, arrival.size)
    table = _table(rows)
    proposal = proposal_of(name, table.names, _columns(table.names, table.body), sample)
    if others := [other for other in book.sheets if other != sheet]:
        doubt = f"its first sheet with rows; the others are {', '.join(others)}"
        proposal.options["sheet"] = Finding(sheet, "", [doubt])
    proposal.options |= table.options
    return proposal


def _first_with_rows(book: Workbook, size: int) -> tuple[str, list[Row]]:
    for sheet in book.sheets:
        if rows := _rows(book, sheet, size):
            return sheet, rows
    raise DataError("the workbook has no row", expected="a sheet with rows")


def _rows(book: Workbook, sheet: str, size: int) -> list[Row]:
    """Returns the first rows of the sheet that are not empty."""
    cells, rows, number = Cells(book, book.texts()), [], 0
    for row in islice(book.rows(book.sheets[sheet], size, RATIO), MOST_ROWS):
        number = int(row.get("r", number + 1))
        values = {at: "" if isinstance(v, NoValue) else v for at, v in cells.of(row)}
        if values:
            rows.append((number, values))
    return rows


def _table(rows: Sequence[Row]) -> _Table:
    """Returns the table of a sheet, without titles before it."""
    width = Counter(len(values) for _, values in rows).most_common(1)[0][0]
    start = next(at for at, (_, values) in enumerate(rows) if len(values) >= width)
    if start and _lacks_a_name(rows[start - 1], rows[start]):
        start -= 1
    rows, is_below = rows[start:], start > 0
    left = min(min(values) for _, values in rows)
    right = max(max(values) for _, values in rows)
    judged = header_of([[values.get(at) for at in range(left, right + 1)] for _, values in rows])
    if not judged.value:
        names, _ = names_of([], right - left + 1)
        cells = {"range": _range(left, rows[0][0], right)} if left > 1 or is_below else {}
        return _Table({**cells, "header": judged}, names, _from(left, rows))
    number, first = rows[0]
    used = {at for _, values in rows[1:] for at in values}
    # A load leaves out the columns that have neither a name nor a value.
    places = [at for at in range(left, right + 1) if first.get(at, "").strip() or at in used]
    names = [first.get(at, "").strip() for at in places]
    if len({*names}) < len(names) or not min(first) <= min(places) <= max(places) <= max(first):
        return _by_position(rows, judged, left, right)
    place_of = {at: place for place, at in enumerate(places)}
    body = [{place_of[at]: text for at, text in values.items()} for _, values in rows[1:]]
    if not is_below and not judged.doubts:
        return _Table({}, names, body)
    evidence = f"the table begins in row {number}" if is_below else judged.evidence
    return _Table({"header": Finding(number, evidence, judged.doubts)}, names, body)


def _lacks_a_name(above: Row, first: Row) -> bool:
    """Returns whether a row has the names of all columns of the next but the first: an index."""
    return above[0] == first[0] - 1 and {*above[1]} == {*first[1]} - {min(first[1])}


def _by_position(rows: Sequence[Row], judged: Finding, left: int, right: int) -> _Table:
    """Returns a table whose names a load would refuse: it is read as cells without a header."""
    number, first = rows[0]
    own = [first.get(at, "").strip() for at in range(left, right + 1)]
    names, why = names_of([own], len(own))
    doubts = [f"the columns' names are made, since {why}", *judged.doubts]
    header = Finding(False, f"row {number} has the names, and is left out", doubts)
    options = {"range": _range(left, number + 1, right), "header": header}
    return _Table(options, names, _from(left, rows[1:]))


def _from(left: int, rows: Sequence[Row]) -> list[dict[int, str]]:
    return [{at - left: text for at, text in values.items()} for _, values in rows]


def _range(left: int, top: int, right: int) -> Finding:
    cells = f"{get_column_letter(left)}{top}:{get_column_letter(right)}"
    return Finding(cells, "the cells of the rows")


def _columns(names: Sequence[str], body: Sequence[dict[int, str]]) -> list[Finding]:
    columns = [[text for row in body if (text := row.get(at))] for at in range(len(names))]
    return [type_of(values, PLAIN) for values in columns]
