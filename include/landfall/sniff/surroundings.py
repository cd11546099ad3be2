"""Rows that have a table's width and are none of its rows: titles before it, totals behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from include.landfall.read.formats.csv_records import Record
from include.landfall.sniff.header import is_typed
from include.landfall.sniff.spelling import Marks

Row = Sequence[str | None]
# The line by which Excel gets the delimiter of a file.
SEP_LINE = re.compile(rb'"?sep=([^\r\n"])"?\r?(?:\n|\Z)', re.IGNORECASE)
TOTAL = re.compile(
    r"(grand |sub)?totals?|sum|summe|gesamt\w*|insgesamt|totaal|somme|suma|totale|soma", re.I
)
FEWEST_CELLS = 3  # of a row of the table, beside which a title in one cell is told
FEWEST_LINES = 3  # by which fixed width is told
MOST_TITLES = 20


def sep_of(text: bytes) -> str | None:
    """Returns the delimiter that the first line gives to Excel."""
    match = SEP_LINE.match(text)
    return match[1].decode("utf-8", "replace") if match else None


def titles_before(records: Sequence[Record], marks: Marks) -> int:
    """Returns how many records before the header are titles, padded with delimiters."""
    counts = [len(_values(record.cells or ())) for record in records]
    if len(counts) < 2 or median(counts[:: max(1, len(counts) // 100)]) < FEWEST_CELLS:
        return 0
    least = max(counts[: MOST_TITLES + 1]) // 2 + 1
    at = next((at for at, count in enumerate(counts) if count >= least), 0)
    titles = [value for record in records[:at] for value in _values(record.cells or ())]
    is_plain = at <= MOST_TITLES and max(counts[:at], default=0) <= 1
    return at if is_plain and not any(is_typed(title, marks) for title in titles) else 0


def totals_behind(rows: Sequence[Row], marks: Marks) -> int:
    """Returns how many of the last rows are totals, or empty rows beside them."""
    end = len(rows)
    while end and not _values(rows[end - 1]):
        end -= 1
    if end < 2 or not _is_total(rows[end - 1], rows[: end - 1], marks):
        return 0
    end -= 1
    while end and not _values(rows[end - 1]):
        end -= 1
    return len(rows) - end


def _is_total(row: Row, others: Sequence[Row], marks: Marks) -> bool:
    values = _values(row)
    if not any(is_typed(value, marks) for value in values):
        return False
    if TOTAL.fullmatch(values[0].strip(" :.")):
        return not any(other and TOTAL.fullmatch((other[0] or "").strip(" :.")) for other in others)
    filled = [other for other in others if _values(other)]
    return (
        not row[0]
        and len(filled) > 1
        and all(other[0] for other in filled)
        and all(is_typed(value, marks) for value in values)
        and len(values) < len(row)
    )


def _values(row: Row) -> list[str]:
    return [cell for cell in row if cell and cell.strip()]


def is_fixed_width(text: str) -> bool:
    """Returns whether lines are of one length and have columns of blanks, or of like letters."""
    lines = [line.rstrip("\r") for line in text.split("\n")[:100] if line.strip()]
    if len(lines) < FEWEST_LINES or len({len(line) for line in lines}) > 1:
        return False
    columns = ["".join(column) for column in zip(*lines, strict=True)]
    blanks = [column.isspace() for column in columns]
    inner = "".join("b" if blank else "x" for blank in blanks).strip("b")
    return "b" in inner
