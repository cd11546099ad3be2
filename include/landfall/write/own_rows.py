"""Checks that the rows of a load carry its load id, by which a changed file finds its old rows.

A trigger BEFORE INSERT may change a row in any way. Without the load id the rows of a file that
changes would stay beside its new ones, and nobody would notice. Of a merge they must have their
keys too.
"""

from __future__ import annotations

from typing import NamedTuple

from psycopg import Connection, sql
from psycopg.rows import class_row

from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID
from include.landfall.postgres.statements import statement, table, value
from include.landfall.write.dispositions import Disposition
from include.landfall.write.merge_parts import Merge
from include.landfall.write.rejected import REJECTED, RejectedRows


class RowChangers(NamedTuple):
    """The triggers that may change the rows of a load; `pages` is the target's size before it."""

    names: str
    pages: int


def row_changers(
    connection: Connection, feed: Feed, disposition: Disposition
) -> RowChangers | None:
    """Returns the triggers that may change a load id, where rows are found by it."""
    if not feed.target.load_id or disposition.keeps_rows:
        return None
    parameters = {"target": table(feed.target.table).as_string(connection)}
    with connection.cursor(row_factory=class_row(RowChangers)) as cursor:
        return cursor.execute(statement("write/row_changers"), parameters).fetchone()


def check_ids(
    connection: Connection, feed: Feed, load_id: int, rows: int, changers: RowChangers
) -> None:
    """Checks that so many rows of the target carry the load id.

    New rows are at the table's end as a rule, so that is where they are counted first.

    Raises: FeedError when they are fewer.
    """
    counted = 0
    for page in dict.fromkeys([max(0, changers.pages - 1), 0]):
        counted = _count(connection, feed, load_id, page)
        if counted >= rows:
            return
    raise FeedError(
        f"a trigger takes the load id from rows of {feed.target.table}: a file that changes could"
        " not replace them",
        found=f"{counted:,} rows with {LOAD_ID} = {load_id}, and the trigger {changers.names}",
        expected=f"{rows:,}, all rows of the file",
        do=f"let the trigger leave {LOAD_ID} as it is",
    )


def _count(connection: Connection, feed: Feed, load_id: int, first_page: int) -> int:
    # No parameters: a % in the table's name would be taken for one.
    query = sql.SQL("SELECT count(*) FROM {} WHERE ctid >= {}::tid AND {} = {}").format(
        table(feed.target.table),
        sql.Literal(f"({first_page},0)"),
        sql.Identifier(LOAD_ID),
        sql.Literal(load_id),
    )
    return int(value(connection, query))


def check_keys(merge: Merge, rejected: RejectedRows, merged: int) -> None:
    """Checks that the target has the key of each of the rows that it took.

    Raises: FeedError where it has another one: the next row of the key would not find its row.
    """
    rejected.create()
    query = statement("write/keys_missing")
    if merge.value(query, rejected=REJECTED, merged=sql.Literal(merged)):
        target = merge.feed.target
        raise FeedError(
            f"rows that were merged are not in {target.table} under their key: later files, and"
            " forget, could not find them",
            found=f"a trigger or a rule that changes {', '.join(merge.key)}, or takes rows away",
            do="let it leave these columns as they are. Where it is there because upper and lower"
            " case are the same, a column of the type citext does that",
        )
