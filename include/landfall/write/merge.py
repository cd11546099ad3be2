"""Merges the rows of a file into the target, once all of them are in INCOMING.

Everything is set by set. Only a set that the target refuses is taken apart, until the rows that it
refuses are known: those are rejects.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from include.landfall.job import ROW_NUMBER
from include.landfall.postgres.errors import refusal, refuses_rows
from include.landfall.postgres.statements import identifiers, statement
from include.landfall.write.deferred import check_own_at_once
from include.landfall.write.judge import ONE_BY_ONE, run_in_savepoint, run_rows
from include.landfall.write.merge_parts import Merge, Step
from include.landfall.write.merging import EVERY_ROW, Merging
from include.landfall.write.rejected import REJECTED
from include.landfall.write.replaced import check_visible, rows_stay
from include.landfall.write.staging import TEXTS, Staging
from include.landfall.write.undo import keep_after, keep_before


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
    _lock(staging)
    check_own_at_once(staging.connection, staging.target)
    what = _merge_of(staging, is_whole_file)
    if staging.keeps_replaced:
        _analyze(what)
        keep_before(what)
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
    return merged


def _merge_in_steps(staging: Staging, disposition: Merging, what: Merge) -> int:
    _analyze(what)
    staging.deduplicated = disposition.deduplicate(what)
    disposition.begin(what)
    merged = _apply_all(staging, disposition, what)
    if what.is_whole_file and not staging.rejected.count():
        disposition.finish(what)
    return merged


def _analyze(what: Merge) -> None:
    """Tells the planner how many rows and keys there are. Other columns are not looked at."""
    names = sorted(what.feed.target.named_columns)
    what.execute("ANALYZE {incoming} ({names})", names=identifiers(names))


def _lock(staging: Staging) -> None:
    """Makes other writers of the target wait until the load commits. Readers never wait."""
    connection, target = staging.connection, staging.target
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(target))
    check_visible(connection, staging.feed)


def _merge_of(staging: Staging, is_whole_file: bool) -> Merge:
    connection = staging.connection
    # The clock, and not the transaction's time: of two loads the later one has the later time.
    (moment,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
    name = {"target": staging.target.as_string(connection)}
    keeper = connection.execute(statement("write/may_keep_rows"), name).fetchone()
    return Merge(
        connection,
        staging.feed,
        staging.target,
        staging.columns,
        staging.load_id,
        moment,
        is_whole_file,
        may_keep_rows=keeper is not None,
    )


def _apply_all(staging: Staging, disposition: Merging, what: Merge) -> int:
    merged = _apply(disposition, what, EVERY_ROW)
    if isinstance(merged, int):
        return merged
    staging.rejected.create()
    staging.create_texts()  # so that a row of it can be named
    what.execute("CREATE INDEX ON {incoming} ({number})")
    what.execute("CREATE INDEX ON {texts} (number)", texts=TEXTS)
    rejected = staging.rejected.count()
    by_halves = _Halving(staging, disposition, what).apply(*_bounds(what))
    if staging.rejected.count() == rejected:
        raise refusal(merged)  # no single row: a trigger that looks at all of them, for instance
    return by_halves


def _bounds(what: Merge) -> tuple[int, int]:
    first = what.value("SELECT min({number}) FROM {incoming}")
    last = what.value("SELECT max({number}) FROM {incoming}")
    return (1, 0) if first is None else (first, last)


class _Halving:
    """Merges rows by halves until those that the target refuses are among few."""

    def __init__(self, staging: Staging, disposition: Merging, what: Merge) -> None:
        self._staging, self._disposition, self._what = staging, disposition, what

    def apply(self, first: int, last: int) -> int:
        """Merges a range of rows, and returns how many. Earlier rows go first."""
        number = sql.Identifier("i", ROW_NUMBER)
        rows = sql.SQL("{} BETWEEN {} AND {}").format(number, sql.Literal(first), sql.Literal(last))
        if last - first < ONE_BY_ONE:
            return self._one_by_one(rows)
        merged = _apply(self._disposition, self._what, rows)
        if isinstance(merged, int):
            return merged
        if self._staging.rejected.are_enough():
            return 0
        middle = (first + last) // 2
        return self.apply(first, middle) + self.apply(middle + 1, last)

    def _one_by_one(self, rows: sql.Composable) -> int:
        what = self._what
        this_row = sql.SQL("{} = _load_number").format(sql.Identifier("i", ROW_NUMBER))
        steps = self._disposition.steps(what, this_row)
        body = what.fill(
            statement("write/merge_rows"),
            rows=rows,
            steps=sql.SQL("\n").join(_in_block(what, step) for step in steps),
            expected=self._disposition.expected(what, this_row),
            rejected=REJECTED,
            texts=TEXTS,
        )
        merged = run_rows(what.connection, body)
        if what.value("SELECT current_setting('landfall.remain')::boolean"):
            raise rows_stay(what.feed)
        return merged


def _in_block(what: Merge, step: Step) -> sql.Composed:
    """Returns the PL/pgSQL that runs a step, as `Merge.run` does."""
    block = sql.SQL("{};\nGET DIAGNOSTICS _load_rows = ROW_COUNT;").format(step.statement)
    if not what.may_keep_rows or step.remaining is None:
        return block
    remain = sql.SQL("\n_load_remain := _load_remain OR EXISTS ({});").format(step.remaining)
    return block + remain


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
