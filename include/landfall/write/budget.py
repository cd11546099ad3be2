"""The error budget: whether a file is loaded without its rejected rows, and the error if not."""

from __future__ import annotations

from dataclasses import dataclass

from include.landfall.errors import DataError, MisshapenRow, RefusedCell, shorten
from include.landfall.feed.model import Feed
from include.landfall.ledger.reasons import BY_POSTGRES, WHAT_TO_DO
from include.landfall.ledger.rejects import RejectedRow
from include.landfall.write.rejected import ENOUGH, RejectedRows

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
    error.more.append(("error budget", f"{feed.rejects.budget} (rejects.at_most in the feed)"))
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


def advice_on(row: RejectedRow) -> str:
    """Returns what to do about a rejected row."""
    return WHAT_TO_DO.get(row.reason, CORRECT if row.reason in BY_POSTGRES else CORRECT_ROW)


def _misshapen(row: RejectedRow) -> DataError:
    return MisshapenRow(row.message, found=row.raw, do=advice_on(row))


def _refused(feed: Feed, row: RejectedRow) -> DataError:
    column = row.column_name
    cell = (row.cells or {}).get(column) if column else None
    expected = f"a value of type {feed.columns[column].type}" if column in feed.columns else None
    if row.reason == "null":
        return RefusedCell(row.message, expected=expected, do=advice_on(row))
    what = "a cell" if row.reason == "cell" else "a row"
    return RefusedCell(
        f"Postgres refuses {what}: {row.message} (SQLSTATE {row.sqlstate})",
        found=shorten(cell) if cell is not None else row.raw,
        expected=expected,
        do=advice_on(row),
    )
