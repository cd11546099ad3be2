"""The error budget: whether a file is loaded without its rejected rows, and the error if not."""

from __future__ import annotations

from dataclasses import dataclass

from include.landfall.errors import DataError, MisshapenRow, RefusedCell, shorten
from include.landfall.feed.model import Feed
from include.landfall.ledger.rejects import RejectedRow
from include.landfall.write.rejected import ENOUGH, RejectedRows

# What a person can do about a row that is refused for a reason.
WHAT_TO_DO = {
    "fields": "quote a field that holds the delimiter, or correct the row",
    "quote": "close the quote, or double it where it belongs to the text",
    "carriage_return": "quote the field, or write line ends as LF",
    "encoding": "convert the file, for instance: iconv -f LATIN1 -t UTF-8",
    "zero_byte": "write the file again without it (UTF-16 files are full of them)",
    "too_long": "close the quote that may be open, or keep such large texts elsewhere",
    "cell": "ask the sender to correct the cell, or declare a type that takes it",
    "null": "ask the sender, or let the column be nullable in the feed",
    "json": "ask the sender for the row as one JSON object; where an object has several lines, or a"
    " line several objects, write objects: concatenated under format:; where an array under a key"
    " has the rows, write rows: under format:",
    "duplicate_key": "ask the sender for objects that have each key once",
    "other_key": "name the column in the feed, or write other_keys: ignore under format:; where"
    " the key holds all rows, write rows: under format:, and where it is a row's id, ids:",
    "path": "correct format.paths in the feed, or ask the sender for the object at that key",
    "no_value": "correct the cell in the workbook, and save it so that formulas are calculated",
    "short": "correct the line, or write ragged: pad under format:",
    "rest": "correct the line, or write rest: ignore under format:",
}
# What Postgres refuses. For every other reason the row is refused while the file is read.
BY_POSTGRES = {"cell", "null", "check", "unique", "foreign_key", "exclusion", "row"}
CORRECT = "correct the row, or the table's constraint"
CORRECT_ROW = "correct the row, or ask the sender"


@dataclass(frozen=True)
class Rejection:
    """The rejected rows of a load: how many for which reason, and some of them."""

    counts: dict[str, int]
    samples: list[RejectedRow]

    @property
    def rows(self) -> int:
        """How many rows are rejected."""
        return sum(self.counts.values())


def rejection_of(error: BaseException) -> Rejection | None:
    """Returns the rejected rows that are the reason of an error, if they are."""
    rejection = error.rejection if isinstance(error, DataError) else None
    return rejection if isinstance(rejection, Rejection) else None


def check_budget(feed: Feed, rejected: RejectedRows, read: int) -> dict[str, int]:
    """Returns how many rows are rejected for which reason, when the feed takes so many.

    Raises: DataError about the first of them, which carries the counts and samples as `rejection`.
    """
    counts = rejected.counts()
    budget = feed.rejects.budget
    if counts and budget.is_exceeded(sum(counts.values()), read):
        samples = rejected.samples(budget.samples)
        raise _over_budget(feed, Rejection(counts, samples), read)
    return counts


def _over_budget(feed: Feed, rejection: Rejection, read: int) -> DataError:
    first, *others = rejection.samples
    error = _error_of(feed, first)
    if rejection.rows > 1:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in rejection.counts.items())
        enough = feed.rejects.budget.rows
        at_least = "at least " if enough is not None and rejection.rows > enough + ENOUGH else ""
        error.more.append(("rejected", f"{at_least}{rejection.rows:,} of {read:,} rows: {counts}"))
        error.more += [("also", _in_short(row)) for row in _first_of_reasons(first, others)]
    if feed.rejects.at_most != 0:
        error.more.append(("error budget", str(feed.rejects.budget)))
    error.rejection = rejection
    return error


def _first_of_reasons(first: RejectedRow, others: list[RejectedRow]) -> list[RejectedRow]:
    firsts: dict[str, RejectedRow] = {first.reason: first}
    for row in others:
        firsts.setdefault(row.reason, row)
    return list(firsts.values())[1:]


def _in_short(row: RejectedRow) -> str:
    where = f"row {row.number}" if row.line is None else f"line {row.line}"
    column = f", column {row.column_name}" if row.column_name else ""
    part = f"{row.part}, " if row.part else ""
    return f"{part}{where}{column}: {row.message}"


def _error_of(feed: Feed, row: RejectedRow) -> DataError:
    error = _refused(feed, row) if row.reason in BY_POSTGRES else _misshapen(row)
    part = f"s3://{feed.source.bucket}/{row.key}" if row.key else None
    return error.at(
        member=row.member, line=row.line, row=row.number, column=row.column_name, object=part
    )


def _misshapen(row: RejectedRow) -> DataError:
    return MisshapenRow(row.message, found=row.raw, do=WHAT_TO_DO.get(row.reason, CORRECT_ROW))


def _refused(feed: Feed, row: RejectedRow) -> DataError:
    column = row.column_name
    cell = (row.cells or {}).get(column) if column else None
    expected = f"a value of type {feed.columns[column].type}" if column in feed.columns else None
    if row.reason == "null":
        return RefusedCell(row.message, expected=expected, do=WHAT_TO_DO["null"])
    what = "a cell" if row.reason == "cell" else "a row"
    return RefusedCell(
        f"Postgres refuses {what}: {row.message} (SQLSTATE {row.sqlstate})",
        found=shorten(cell) if cell is not None else row.raw,
        expected=expected,
        do=WHAT_TO_DO.get(row.reason, CORRECT),
    )
