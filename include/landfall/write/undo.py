"""What a merge replaced: the rows of each key before a load, kept so that `forget` can undo it.

Rows are kept as JSON. Of the rows after the load a digest is kept, so that a change that came later
is noticed, whoever made it.
"""

from __future__ import annotations

import json
import shlex
from typing import NamedTuple

from psycopg import Connection, errors, sql
from psycopg.rows import class_row

from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.feed.target import OF_SCD2
from include.landfall.job import LOAD_ID
from include.landfall.ledger.forgetting import changed_keys
from include.landfall.postgres.catalog import lock_writers_out
from include.landfall.postgres.statements import identifiers, statement, table, value
from include.landfall.write.dependents import check_dependents_where, keep_dependents_away
from include.landfall.write.kept_rows import (
    KeptColumn,
    kept_columns,
    key_as_json,
    row_as_json,
    types_of,
    value_of,
)
from include.landfall.write.merge_parts import Merge, of, same
from include.landfall.write.operators import see_types
from include.landfall.write.replaced import check_visible

BEFORE = sql.Identifier("pg_temp", "landfall_before")
UNDO = sql.Identifier("pg_temp", "landfall_undo")


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
    columns = kept_columns(merge.connection, merge.target)
    merge.execute(
        statement("write/keep_replaced"),
        load_id=sql.Literal(merge.load_id),
        name=sql.Literal(target.table),
        key_as_json=key_as_json(columns, merge.key),
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
        row=row_as_json(kept_columns(merge.connection, merge.target)),
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
    see_types(connection, locked)
    changed, key = _collect(connection, feed, load_ids)
    if changed:
        raise FeedError(
            f"rows of {changed:,} keys were changed after they were loaded",
            found=f"for instance {_shown_key(feed, key)}",
            do=_advice(connection, feed, load_ids),
        )
    keep_dependents_away(connection, locked)
    _update(connection, feed)
    check_dependents_where(connection, feed.target.table, lambda alias: _is_deleted(feed, alias))
    _undo(connection, feed)
    return [changed_keys(connection, of_one) for of_one in objects]


def _update(connection: Connection, feed: Feed) -> None:
    """Gives rows their earlier values. Where rows have exchanged unique ones, all are deleted."""
    try:
        with connection.transaction():
            connection.execute(_statement(connection, feed, "undo_updates"))
    except (errors.UniqueViolation, errors.ExclusionViolation):
        connection.execute(sql.SQL("UPDATE {} SET _load_is_single = false").format(UNDO))


def _undo(connection: Connection, feed: Feed) -> None:
    connection.execute(_statement(connection, feed, "undo_deletes"))
    _check_undone(connection, feed, _statement(connection, feed, "not_deleted"))
    connection.execute(_statement(connection, feed, "undo_inserts"))
    loaded = sql.Literal([*feed.table_columns, LOAD_ID, *OF_SCD2])
    _check_undone(connection, feed, _statement(connection, feed, "not_undone", loaded=loaded))


def _check_undone(connection: Connection, feed: Feed, query: sql.Composed) -> None:
    """Checks that no key has other rows than the undo leaves; `query` counts them, and has one."""
    count, key = connection.execute(query).fetchone() or (0, {})
    if count:
        raise FeedError(
            f"rows of {count:,} keys in {feed.target.table} are not as they were before the load",
            found=f"for instance {_shown_key(feed, key)}",
            expected="rows that the undo changes (a trigger or a rule may keep them)",
            do="let the trigger or rule of the table change the rows of the role that forgets",
        )


def _collect(
    connection: Connection, feed: Feed, load_ids: list[int]
) -> tuple[int, dict[str, object]]:
    """Leaves UNDO, and returns how many keys somebody changed since, and one of them."""
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(UNDO))
    connection.execute(_statement(connection, feed, "collect_undo", load_ids=sql.Literal(load_ids)))
    changed = connection.execute(_statement(connection, feed, "changed_since")).fetchone()
    return changed or (0, {})


def _advice(connection: Connection, feed: Feed, load_ids: list[int]) -> str:
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
    if _collect(connection, feed, together)[0]:
        return "correct the rows with another file: no load of this feed has changed them"
    options = " ".join(f"--object {shlex.quote(each.key)}" for each in objects)
    return f"undo all files together that had these keys: landfall forget --feed ... {options}"


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
        query = _statement(connection, feed, "undone_together", load_ids=sql.Literal(load_ids))
        with connection.cursor(row_factory=class_row(_Loaded)) as cursor:
            objects = cursor.execute(query).fetchall()
        together = sorted(load_id for each in objects for load_id in each.load_ids)
        if together == sorted(load_ids):
            return objects
        load_ids = together


def _is_deleted(feed: Feed, alias: str) -> sql.Composed:
    """Returns the condition by which the undo deletes a row. Others are updated in place."""
    condition = "EXISTS (SELECT 1 FROM {} AS u WHERE {} AND NOT u._load_is_single)"
    return sql.SQL(condition).format(UNDO, same(alias, "u", feed.target.key))


def _shown_key(feed: Feed, key: dict[str, object]) -> str:
    """Returns a key as JSON; the cells of secret columns stay out of messages.

    The feed may have had another key when the row was kept.
    """
    secret = {name for name, column in feed.columns.items() if column.secret}
    shown = {name: "secret" if name in secret else cell for name, cell in key.items()}
    return json.dumps(shown, ensure_ascii=False, default=str)


def _check_kept(connection: Connection, load_ids: list[int]) -> None:
    load_id = value(connection, statement("ledger/not_kept"), {"load_ids": load_ids})
    if load_id is not None:
        raise FeedError(
            "what this file or a later one replaced was not kept, or is not kept any more",
            found=f"load {load_id}",
            do="correct the rows with another file; for later files write target.keep_replaced,"
            " the number of days, in the feed",
        )


def _statement(
    connection: Connection, feed: Feed, name: str, **more: sql.Composable
) -> sql.Composed:
    key, target = feed.target.key, table(feed.target.table)
    columns = kept_columns(connection, target)
    own = [each for each in columns if each.name in key]
    return statement(f"write/{name}").format(
        undo=UNDO,
        target=target,
        name=sql.Literal(feed.target.table),
        key=of("k", key),
        names=identifiers(key),
        key_types=types_of(own),
        row_types=types_of(each for each in columns if not each.is_json),
        later=_later(own),
        same_key=same("t", "u", key),
        first=sql.Identifier("t", key[0]),
        row=row_as_json(columns),
        columns=identifiers([each.name for each in columns]),
        values=sql.SQL(", ").join(map(value_of, columns)),
        changes=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(each.name), value_of(each))
            for each in columns
            if not each.is_always
        ),
        is_scd2=sql.Literal(feed.target.is_scd2),
        **more,
    )


def _later(own: list[KeptColumn]) -> sql.Composable:
    """Returns the SQL that joins kept rows, called `later`, of the key of a row `own`.

    Where a key has several spellings, all kept rows are read, because no index has them.
    """
    if all(each.is_exact for each in own):
        return sql.SQL("INNER JOIN landfall.replaced AS later ON own.key = later.key")
    return sql.SQL(
        "CROSS JOIN LATERAL jsonb_to_record(own.key) AS o ({types})"
        " INNER JOIN (landfall.replaced AS later"
        " CROSS JOIN LATERAL jsonb_to_record(later.key) AS l ({types})) ON {same_key}"
    ).format(types=types_of(own), same_key=same("o", "l", [each.name for each in own]))
