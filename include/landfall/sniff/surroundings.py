"""Rows that have a table's width and are none of its rows: titles before it, totals behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from include.landfall.feed.formats.csv import BLANKS
from include.landfall.read.formats.csv_records import Record
from include.landfall.sniff.findings import Finding
from include.landfall.sniff.header import is_typed
from include.landfall.sniff.spelling import Marks
from include.landfall.sniff.trials import Trial

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
    is_data = bool(titles) and is_typed(titles[0], marks)
    return at if is_plain and not is_data else 0


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


def footer_of(trial: Trial, rows: int) -> tuple[str, Finding]:
    """Returns the option of the feed that leaves out the lines behind the table, and its value."""
    text = trial.records[-1].raw.decode("utf-8", "replace")
    by_blanks = trial.options["delimiter"] == BLANKS
    delimiter = " " if by_blanks else str(trial.options["delimiter"])
    text = " ".join(text.split()) if by_blanks else text
    fields = [each.strip(' "') for each in text.split(delimiter)]
    counts = [at for at, each in enumerate(fields, 1) if each.isdigit() and int(each) == rows]
    if trial.behind == 1 and counts and len(fields) > 1 and counts[0] > 1:
        start = re.escape(text.split(delimiter)[0] + delimiter)
        start = rf"\s*{start}" if by_blanks else start
        value = {"pattern": f"{start}.*", "count_column": counts[0]}
        return "footer", Finding(value, f"the last line counts the {rows} rows: {text[:60]}")
    doubt = f"the last line is no row of {trial.width} cells: {text[:60]}"
    return "skip_footer", Finding(trial.behind, "other lines at the end", [doubt])
