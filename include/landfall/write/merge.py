"""Merges the rows of a file into the target, once all of them are in INCOMING.

Everything is set by set. Only a set that the target refuses is taken apart, until the rows that it
refuses are known: those are rejects.
"""

from __future__ import annotations

from dataclasses import replace

import psycopg
from psycopg import sql

from include.landfall.contract import Change, What
from include.landfall.errors import DataError, FeedError
from include.landfall.job import ROW_NUMBER
from include.landfall.postgres.catalog import lock_writers_out
from include.landfall.postgres.errors import refusal, refuses_rows
from include.landfall.postgres.statements import identifiers, statement, value
from include.landfall.write.deferred import check_own_at_once
from include.landfall.write.dependents import keep_dependents_away
from include.landfall.write.halving import THIS_ROW, Halving, rows_block, step_block
from include.landfall.write.judge import run_in_savepoint, run_rows
from include.landfall.write.merge_parts import Merge
from include.landfall.write.merging import EVERY_ROW, Merging
from include.landfall.write.operators import see_types
from include.landfall.write.own_rows import check_keys
from include.landfall.write.replaced import check_visible, rows_stay
from include.landfall.write.staging import TEXTS, Staging
from include.landfall.write.undo import keep_after, keep_before

# What refuses rows in one order that it takes in another, such as that of the file: a row takes the
# unique value of one that has given it up.
OF_ORDER = (psycopg.errors.UniqueViolation, psycopg.errors.ExclusionViolation)


def merge(staging: Staging, staged: int, is_whole_file: bool = True) -> int:
    """Merges the rows of INCOMING, and returns how many of them the target took.

    `staged` is how many there are. Where the feed does not merge, they are in the target already.
    The other rows are rejects afterwards, or counted in `staging.deduplicated`.

    Raises: FeedError when the load cannot see all rows of the target, or when rows stay that it
    deletes or changes.
    """
    disposition = staging.disposition
    if not isinstance(disposition, Merging):
        return staged
    _lock(staging, disposition)
    see_types(staging.connection, staging.target)
    check_own_at_once(staging.connection, staging.target)
    what = _merge_of(staging, is_whole_file)
    if staging.keeps_replaced:
        _analyze(what)
        keep_before(what)
    what = _take_absent_first(disposition, what)
    merged = _merge_at_once(staging, disposition, what, staged)
    if merged is None:
        merged = _merge_in_steps(staging, disposition, what)
    if staging.keeps_replaced:
        keep_after(what)
    return merged


def _merge_at_once(staging: Staging, disposition: Merging, what: Merge, staged: int) -> int | None:
    """Merges all rows with one statement, or returns None where that cannot be.

    A replay is merged in steps, because each of its rows is settled.
    """
    at_once = disposition.at_once(what) if what.is_whole_file else None
    if at_once is None:
        return None
    merged = run_in_savepoint(what.connection, at_once)
    if not isinstance(merged, int):  # some rows are refused
        return None
    staging.deduplicated = staged - merged
    _take_absent(disposition, what)
    return merged


def _merge_in_steps(staging: Staging, disposition: Merging, what: Merge) -> int:
    _analyze(what)
    what = replace(what, moment=disposition.moment(what))
    staging.deduplicated = disposition.deduplicate(what)
    disposition.begin(what)
    merged = _apply_all(staging, disposition, what)
    if what.may_keep_rows and disposition.looks_for_keys(what.feed):
        check_keys(what, staging.rejected, merged)
    _take_absent(disposition, what)
    return merged


def _take_absent_first(disposition: Merging, what: Merge) -> Merge:
    """Deletes what a snapshot does not have, before its rows take over unique values of it.

    Where that is refused, as when a row refers to it until the file changes the row, it is done
    after the merge. Returns the merge that remains.
    """
    if not (what.takes_absent and what.feed.target.deletes_absent):
        return what
    try:
        with what.connection.transaction():
            disposition.take_absent(what)
    except (FeedError, psycopg.Error) as error:
        if isinstance(error, psycopg.Error) and not refuses_rows(error):
            raise
        return what
    return replace(what, takes_absent=False)


def _take_absent(disposition: Merging, what: Merge) -> None:
    """Takes away what a snapshot does not have, where it is there still.

    Raises: FeedError, or DataError when the database does not let go of a key.
    """
    if not what.takes_absent:
        return
    try:
        disposition.take_absent(what)
    except psycopg.Error as error:
        if not refuses_rows(error):
            raise
        raise DataError(
            "the database keeps a key that the file does not have",
            found=refusal(error).found,
            expected=f"a key that target.absent: {what.feed.target.absent} can take away",
            do="take away what refers to its row first, or ask the sender for the key",
        ) from error


def _takes_absent(staging: Staging, what: Merge) -> bool:
    """Returns whether the keys go that the file does not have.

    Where rows are rejects, nobody knows their keys: then the load says how many keys stay.
    """
    if not (what.is_whole_file and what.feed.target.is_snapshot):
        return False
    rejected = staging.rejected.count()
    if rejected:
        keys = what.value("SELECT count(*) FROM ({absent}) AS absent", absent=what.absent_keys)
        why = f"rejects: {rejected:,}, whose keys may be these"
        staging.changes += [Change(What.ABSENT_KEPT, None, f"{keys:,}", why)] if keys else []
    return not rejected


def _analyze(what: Merge) -> None:
    """Tells the planner how many rows and keys there are. Other columns are not looked at."""
    names = sorted(what.feed.target.named_columns)
    what.execute("ANALYZE {incoming} ({names})", names=identifiers(names))


def _lock(staging: Staging, disposition: Merging) -> None:
    """Makes other writers of the target wait until the load commits. Readers never wait.

    What the load has checked when it began may have changed while the file was read.
    """
    connection, feed = staging.connection, staging.feed
    lock_writers_out(connection, staging.target)
    check_visible(connection, feed)
    if disposition.deletes_rows or feed.target.deletes_absent:
        keep_dependents_away(connection, staging.target)
    disposition.check_target(connection, feed)


def _merge_of(staging: Staging, is_whole_file: bool) -> Merge:
    connection = staging.connection
    # The clock, and not the transaction's time: of two loads the later one has the later time.
    moment = value(connection, "SELECT clock_timestamp()")
    name = {"target": staging.target.as_string(connection)}
    keeper = value(connection, statement("write/may_keep_rows"), name)
    what = Merge(
        connection,
        staging.feed,
        staging.target,
        staging.columns,
        staging.load_id,
        moment,
        is_whole_file,
        may_keep_rows=keeper is not None,
    )
    return replace(what, takes_absent=_takes_absent(staging, what))


def _apply_all(staging: Staging, disposition: Merging, what: Merge) -> int:
    merged = _apply(disposition, what, EVERY_ROW)
    if isinstance(merged, int):
        return merged
    staging.rejected.create()
    staging.create_texts()  # so that a row of it can be named
    what.execute("CREATE INDEX ON {incoming} ({number})")
    what.execute("CREATE INDEX ON {texts} (number)", texts=TEXTS)
    rejected = staging.rejected.count()
    halving = Halving(
        staging.rejected,
        lambda *bounds: _apply(disposition, what, _range(*bounds)),
        lambda *bounds: _one_by_one(disposition, what, _range(*bounds)),
    )
    by_halves = halving.apply(*_bounds(what))
    if staging.rejected.count() == rejected and not isinstance(merged, OF_ORDER):
        raise refusal(merged)  # no single row: a trigger that looks at all of them, for instance
    return by_halves


def _bounds(what: Merge) -> tuple[int, int]:
    first = what.value("SELECT min({number}) FROM {incoming}")
    last = what.value("SELECT max({number}) FROM {incoming}")
    return (1, 0) if first is None else (first, last)


def _range(first: int, last: int) -> sql.Composed:
    """Returns the condition of the rows of INCOMING with these numbers."""
    number = sql.Identifier("i", ROW_NUMBER)
    return sql.SQL("{} BETWEEN {} AND {}").format(number, sql.Literal(first), sql.Literal(last))


def _one_by_one(disposition: Merging, what: Merge, rows: sql.Composable) -> int:
    """Merges rows one by one, and returns how many. The others are rejects.

    Raises: FeedError when rows stay that a step deletes or changes.
    """
    this_row = sql.SQL("{} = {}").format(sql.Identifier("i", ROW_NUMBER), THIS_ROW)
    body = rows_block(
        what.fill("SELECT i.{number} FROM {incoming} AS i WHERE {rows} ORDER BY 1", rows=rows),
        [
            step_block(step.statement, step.remaining if what.may_keep_rows else None)
            for step in disposition.steps(what, this_row)
        ],
        what.fill("1 + _load_rows - {expected}", expected=disposition.expected(what, this_row)),
    )
    merged = run_rows(what.connection, body)
    if what.value("SELECT current_setting('landfall.remain')::boolean"):
        raise rows_stay(what.feed)
    return merged


def _apply(disposition: Merging, what: Merge, rows: sql.Composable) -> int | psycopg.Error:
    """Merges rows in a savepoint. Returns how many, or why the target refuses them."""
    try:
        with what.connection.transaction():
            for step in disposition.steps(what, rows):
                inserted = what.run(step)
            expected = what.value("SELECT {expected}", expected=disposition.expected(what, rows))
            staged = what.value("SELECT count(*) FROM {incoming} AS i WHERE {rows}", rows=rows)
            return int(staged - expected + inserted)
    except psycopg.Error as error:
        if not refuses_rows(error):
            raise
        return error
