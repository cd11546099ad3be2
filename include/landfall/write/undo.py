"""What a merge replaced: the rows of each key before a load, kept so that `forget` can undo it.

Rows are kept as JSON. Of the rows after the load a digest is kept, so that a change that came later
is noticed, whoever made it.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple

from psycopg import Connection, sql
from psycopg.rows import class_row

from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.ledger.forgetting import changed_keys
from include.landfall.postgres.catalog import has_column, lock_writers_out
from include.landfall.postgres.statements import statement, table, value
from include.landfall.write.dependents import keep_dependents_away
from include.landfall.write.kept_rows import key_as_json
from include.landfall.write.kept_shape import KeptShape
from include.landfall.write.merge_parts import Merge, of, same
from include.landfall.write.operators import see_types
from include.landfall.write.replaced import check_visible
from include.landfall.write.undo_part import ChangedSince, parts_of, shown_key

BEFORE = sql.Identifier("pg_temp", "landfall_before")


def keep_before(merge: Merge) -> None:
    """Keeps the target's rows of every key that the merge may change, until it is done."""
    keys = merge.fill("SELECT DISTINCT {key} FROM {incoming}")
    if merge.takes_absent:
        keys = sql.SQL("{} UNION {}").format(keys, merge.absent_keys)
    merge.execute(
        "CREATE TEMP TABLE landfall_before ON COMMIT DROP AS {rows}", rows=_rows_of(merge, keys)
    )
    # Else the planner takes it for small, and joins it row by row: 90,000 keys took minutes.
    merge.execute("ANALYZE {before} ({key})", before=BEFORE)


def keep_after(merge: Merge) -> None:
    """Keeps what the rows of each key were, in the load's transaction."""
    target = merge.feed.target
    keys = merge.fill("SELECT {key} FROM {before}", before=BEFORE)
    shape = KeptShape.of(merge.connection, merge.target)
    merge.execute(
        statement("write/keep_replaced"),
        load_id=sql.Literal(merge.load_id),
        name=sql.Literal(target.table),
        key_as_json=key_as_json(shape.columns, merge.key),
        columns=sql.Literal(shape.as_json),
        before=BEFORE,
        rows=_rows_of(merge, keys),
        same=same("a", "b", merge.key),
    )
    merge.connection.execute(
        statement("ledger/keep_replaced"),
        {"load_id": merge.load_id, "days": target.keep_replaced, "feed": merge.feed.name},
    )


def _rows_of(merge: Merge, keys: sql.Composable) -> sql.Composed:
    return merge.fill(
        statement("write/rows_of_keys"),
        keys=keys,
        key_of_i=of("i", merge.key),
        first_of_t=sql.Identifier("t", merge.key[0]),
        row=KeptShape.of(merge.connection, merge.target).row,
    )


def undo(connection: Connection, feed: Feed, objects: list[list[int]]) -> list[int]:
    """Brings back the rows that the loads of objects replaced, as if no object had ever come.

    `objects` are the ids of each object's loads. Returns how many keys each object changed.

    Raises: FeedError when the rows were not kept, when somebody changed them since, or when they
    do not become what they were.
    """
    load_ids = [load_id for of_one in objects for load_id in of_one]
    _check_kept(connection, load_ids)
    locked = table(feed.target.table)
    lock_writers_out(connection, locked)
    check_visible(connection, feed)
    _check_key(connection, feed, load_ids)
    see_types(connection, locked)
    keep_dependents_away(connection, locked)
    try:
        _undo_parts(connection, feed, load_ids)
    except ChangedSince as changed:
        raise _refused(connection, feed, load_ids, changed) from None
    return [changed_keys(connection, of_one) for of_one in objects]


def _undo_parts(connection: Connection, feed: Feed, load_ids: list[int]) -> None:
    """Undoes all parts, or none.

    Raises: ChangedSince, FeedError.
    """
    with connection.transaction():
        for part in parts_of(connection, feed, load_ids):
            part.undo()


def _check_key(connection: Connection, feed: Feed, load_ids: list[int]) -> None:
    """Checks that the rows are found by the key by which the loads have found them.

    Raises: FeedError.
    """
    target, key = table(feed.target.table), feed.target.key
    query = statement("write/other_key").format(
        load_ids=sql.Literal(load_ids), key=sql.Literal(key)
    )
    if other := value(connection, query):
        raise FeedError(
            "the file was merged by another key than the feed has now",
            found=f"target.key: [{', '.join(key)}]",
            expected=f"[{', '.join(other)}]",
            do="give the feed that key again, and forget the file then",
        )
    for name in key:
        if not has_column(connection, target, name):
            raise FeedError(
                f"the table {feed.target.table} has no column {name!r}",
                expected="the columns of the key, by which rows are found",
                do="give the column its name again, and forget the file then",
            )


def _refused(
    connection: Connection, feed: Feed, load_ids: list[int], changed: ChangedSince
) -> FeedError:
    error = FeedError(
        str(changed),
        found=f"for instance {shown_key(feed, changed.key)}",
        do=_advice(connection, feed, load_ids, changed),
    )
    return changed.shape.noted(error)


def _advice(connection: Connection, feed: Feed, load_ids: list[int], changed: ChangedSince) -> str:
    """Returns what to do when rows were changed since: which objects can be undone together.

    Raises: FeedError when what one of them replaced was not kept.
    """
    objects = _objects_together(connection, feed, load_ids)
    for each in objects:
        if (each.feed, each.bucket) != (feed.name, feed.source.bucket):
            return (
                f"forget first what the feed {each.feed} has loaded since from"
                f" s3://{each.bucket}/{each.key}: it has such a key too"
            )
    together = [load_id for each in objects for load_id in each.load_ids]
    _check_kept(connection, together)
    if not _can_be_undone(connection, feed, together):
        if changed.shape.alterations:
            return (
                "alter the table back where that has changed the rows, and forget the file then,"
                " or correct the rows with another file: no load of this feed has changed them"
            )
        return "correct the rows with another file: no load of this feed has changed them"
    options = " ".join(f"--object {shlex.quote(each.key)}" for each in objects)
    return f"undo all files together that had these keys: landfall forget --feed ... {options}"


def _can_be_undone(connection: Connection, feed: Feed, load_ids: list[int]) -> bool:
    """Returns whether the rows are what these loads left."""
    try:
        with connection.transaction(force_rollback=True):
            _undo_parts(connection, feed, load_ids)
    except ChangedSince:
        return False
    except FeedError:
        pass  # who undoes them all is told of it
    return True


class _Loaded(NamedTuple):
    """An object and all its loads."""

    feed: str
    bucket: str
    key: str
    load_ids: list[int]


def _objects_together(connection: Connection, feed: Feed, load_ids: list[int]) -> list[_Loaded]:
    """Returns the objects of these loads and those that must be undone with them.

    These are the objects that had one of the keys later, and those that had a key of them later.
    The latest object comes first.
    """
    while True:
        parts = parts_of(connection, feed, load_ids)
        query = min(parts, key=lambda part: part.has_exact_key).statement("undone_together")
        with connection.cursor(row_factory=class_row(_Loaded)) as cursor:
            objects = cursor.execute(query).fetchall()
        together = sorted(load_id for each in objects for load_id in each.load_ids)
        if together == sorted(load_ids):
            return objects
        load_ids = together


def _check_kept(connection: Connection, load_ids: list[int]) -> None:
    load_id = value(connection, statement("ledger/not_kept"), {"load_ids": load_ids})
    if load_id is not None:
        raise FeedError(
            "what this file or a later one replaced was not kept, or is not kept any more",
            found=f"load {load_id}",
            do="correct the rows with another file; for later files write target.keep_replaced,"
            " the number of days, in the feed",
        )
