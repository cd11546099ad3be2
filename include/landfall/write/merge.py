"""Merges the rows of a file into the target, once all of them are in INCOMING.

Everything is set by set. Only a set that the target refuses is taken apart, until the rows that it
refuses are alone: those are rejects.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from include.landfall.errors import FeedError
from include.landfall.job import ROW_NUMBER
from include.landfall.postgres.errors import refusal, refuses_rows
from include.landfall.write.incoming import INCOMING
from include.landfall.write.merge_parts import Merge
from include.landfall.write.merging import EVERY_ROW, Merging
from include.landfall.write.rejected import REJECTED
from include.landfall.write.replaced import keep_after, keep_before
from include.landfall.write.staging import TEXTS, Staging

# The classes of SQLSTATE that are about a row's data, and what they are called among the rejects,
# as in sql/write/judge_rows.sql.
OF_DATA = {"22", "23", "44", "54"}
REASONS = {
    "23502": "null", "23514": "check", "23505": "unique", "23503": "foreign_key",
    "23P01": "exclusion",
}  # fmt: skip
REASONS_WITH_DETAIL = {"23505", "23503", "23P01"}


def merge(staging: Staging, staged: int, is_whole_file: bool = True) -> int:
    """Merges the rows of INCOMING, and returns how many of them the target took.

    `staged` is how many there are. Where the feed does not merge, they are in the target already.
    The other rows are rejects afterwards, or counted in `staging.deduplicated`.

    Raises: FeedError when the load cannot see all rows of the target.
    """
    disposition = staging.disposition
    if not isinstance(disposition, Merging):
        return staged
    _lock(staging)
    what = _merge_of(staging, is_whole_file)
    staging.connection.execute(sql.SQL("ANALYZE {}").format(INCOMING))
    if staging.keeps_replaced:
        keep_before(what)
    staging.deduplicated = disposition.deduplicate(what)
    merged = _apply_all(staging, disposition, what)
    if what.is_whole_file and not staging.rejected.count():
        disposition.finish(what)
    if staging.keeps_replaced:
        keep_after(what)
    return merged


def _lock(staging: Staging) -> None:
    """Makes other writers of the target wait until the load commits. Readers never wait."""
    connection, target = staging.connection, staging.target
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(target))
    row = connection.execute("SELECT row_security_active(%s)", [target.as_string(connection)])
    if (row.fetchone() or (False,))[0]:
        raise FeedError(
            f"row level security may hide rows of {staging.feed.target.table} that this load"
            " changes",
            do="give the loading role BYPASSRLS, or let it own the table without FORCE",
        )


def _merge_of(staging: Staging, is_whole_file: bool) -> Merge:
    connection = staging.connection
    # The clock, and not the transaction's time: of two loads the later one has the later time.
    (moment,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
    return Merge(
        connection,
        staging.feed,
        staging.target,
        staging.columns,
        staging.load_id,
        moment,
        is_whole_file,
    )


def _apply_all(staging: Staging, disposition: Merging, what: Merge) -> int:
    merged = _apply(disposition, what, EVERY_ROW)
    if isinstance(merged, int):
        return merged
    rejected = staging.rejected.count()
    staging.rejected.create()
    staging.create_texts()  # so that a row of it can be named
    what.execute("CREATE INDEX ON {incoming} ({number})")
    first, last = _bounds(what)
    by_halves = _apply_half(staging, disposition, what, first, last)
    if staging.rejected.count() == rejected:
        raise refusal(merged)  # no single row: a trigger that looks at all of them, for instance
    return by_halves


def _bounds(what: Merge) -> tuple[int, int]:
    first = what.value("SELECT min({number}) FROM {incoming}")
    last = what.value("SELECT max({number}) FROM {incoming}")
    return (1, 0) if first is None else (first, last)


def _apply_half(staging: Staging, disposition: Merging, what: Merge, first: int, last: int) -> int:
    """Merges a range of rows, by halves where it is refused. Earlier rows go first."""
    if first > last or staging.rejected.are_enough():
        return 0
    number = sql.Identifier("i", ROW_NUMBER)
    rows = sql.SQL("{} BETWEEN {} AND {}").format(number, sql.Literal(first), sql.Literal(last))
    merged = _apply(disposition, what, rows)
    if isinstance(merged, int):
        return merged
    if first == last:
        _reject(staging, what, first, merged)
        return 0
    middle = (first + last) // 2
    return _apply_half(staging, disposition, what, first, middle) + _apply_half(
        staging, disposition, what, middle + 1, last
    )


def _apply(disposition: Merging, what: Merge, rows: sql.Composable) -> int | psycopg.Error:
    """Merges rows in a savepoint. Returns how many, or why the target refuses them."""
    try:
        with what.connection.transaction():
            what.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return disposition.apply(what, rows)
    except psycopg.Error as error:
        if not refuses_rows(error):
            raise
        return error


def _reject(staging: Staging, what: Merge, number: int, error: psycopg.Error) -> None:
    """Keeps a row that the target refuses.

    Raises: LandfallError when it is not the row's data: what a trigger raises ends the whole load.
    """
    state = error.sqlstate or ""
    if state[:2] not in OF_DATA:
        raise refusal(error).at(row=number) from error
    detail = error.diag.message_detail if state in REASONS_WITH_DETAIL else None
    message = "; ".join(part for part in (error.diag.message_primary, detail) if part)
    what.execute(
        "INSERT INTO {rejected} (number, column_name, reason, sqlstate, message, line, raw, cells)"
        " SELECT {row}, {column}, {reason}, {state}, {message}, t.line, t.raw, t.cells"
        " FROM (SELECT) AS one LEFT JOIN {texts} AS t ON t.number = {row}",
        rejected=REJECTED,
        texts=TEXTS,
        row=sql.Literal(number),
        column=sql.Literal(error.diag.column_name),
        reason=sql.Literal(REASONS.get(state, "row")),
        state=sql.Literal(state),
        message=sql.Literal(message),
    )
