"""Proposes a feed for workbooks of Excel: the sheet, the row with the names, and the columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

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


def propose(name: str, arrival: Arrival, sample: Sample) -> Proposal:
    """Returns the sheet, the header and the columns of a workbook.

    Raises: DataError when it has no rows, or a part is too large; TruncatedFile.
    """
    with sample.open() as stream:
        book = Workbook.open(stream)
        sheet = next(iter(book.sheets), None)
        rows = _rows(book, sheet, arrival.size)
    if not rows or sheet is None:
        raise DataError("the workbook has no row in its first sheet", expected="a sheet with rows")
    header, names, body = _header(rows)
    proposal = proposal_of(name, names, _columns(names, body), sample)
    if len(book.sheets) > 1:
        doubt = f"its first sheet; the others are {', '.join(list(book.sheets)[1:])}"
        proposal.options["sheet"] = Finding(sheet, "", [doubt])
    if header.value is not None:
        proposal.options["header"] = header
    return proposal


def _rows(book: Workbook, sheet: str | None, size: int) -> list[Row]:
    """Returns the first rows of the sheet that are not empty."""
    if sheet is None:
        return []
    cells, rows, number = Cells(book, book.texts()), [], 0
    for row in islice(book.rows(book.sheets[sheet], size, RATIO), MOST_ROWS):
        number = int(row.get("r", number + 1))
        values = {at: "" if isinstance(v, NoValue) else v for at, v in cells.of(row)}
        if values:
            rows.append((number, values))
    return rows


def _header(rows: Sequence[Row]) -> tuple[Finding, list[str], list[dict[int, str]]]:
    """Returns how a feed names the header's row (None: by default), the names, and the rows."""
    width = Counter(len(values) for _, values in rows).most_common(1)[0][0]
    start = next(at for at, (_, values) in enumerate(rows) if len(values) >= width)
    table = rows[start:]
    left = min(min(values) for _, values in table)
    right = max(max(values) for _, values in table)
    grid = [[values.get(at) for at in range(left, right + 1)] for _, values in table]
    judged = header_of(grid)
    body = [{at - left: text for at, text in values.items()} for _, values in table]
    if not judged.value:
        names, _ = names_of([], right - left + 1)
        return Finding(False, judged.evidence, judged.doubts), names, body
    number, first = table[0]
    names = [first.get(at, "") for at in range(min(first), max(first) + 1)]
    shift = min(first) - left
    body = [{at - shift: text for at, text in values.items()} for values in body[1:]]
    if start == 0 and not judged.doubts:
        return Finding(None), names, body
    evidence = f"the table begins in row {number}" if start else judged.evidence
    return Finding(number, evidence, judged.doubts), names, body


def _columns(names: Sequence[str], body: Sequence[dict[int, str]]) -> list[Finding]:
    columns = [[text for row in body if (text := row.get(at))] for at in range(len(names))]
    return [type_of(values, PLAIN) for values in columns]
