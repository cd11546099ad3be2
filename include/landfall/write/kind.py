"""What the target is: tables are loaded, and what would load otherwise than it says is refused.

A file's rows go in by COPY and by INSERT, so both must do the same. COPY follows no rule, fills no
view, and does not work under row level security. Rows of a foreign table would not commit together
with their row in the ledger.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import namedtuple_row

from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID
from include.landfall.postgres.catalog import has_column
from include.landfall.postgres.statements import statement, table


def check_kind(connection: Connection, feed: Feed) -> None:
    """Checks that the target is something that a load can fill.

    Raises: FeedError.
    """
    name = table(feed.target.table)
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        target: Any = cursor.execute(
            statement("write/kind"), {"target": name.as_string(connection)}
        ).fetchone()
    if target is None:
        return
    if target.kind != "a table" and not target.takes_rows:
        raise FeedError(
            f"{feed.target.table} is {target.kind}",
            expected="a table of this database, or a view with a trigger INSTEAD OF INSERT",
            do="name a table in the feed",
        )
    if target.partition_of and not has_column(connection, name, LOAD_ID):
        raise FeedError(
            f"{feed.target.table} is a partition, and has no column {LOAD_ID}",
            do=f"ALTER TABLE {target.partition_of} ADD COLUMN {LOAD_ID} bigint",
        )
    _check_rules(feed, target)


def _check_rules(feed: Feed, target: Any) -> None:
    """Refuses what COPY and INSERT treat differently."""
    if target.insert_rule:
        raise FeedError(
            f"a rule rewrites what is inserted into {feed.target.table}",
            found=f"the rule {target.insert_rule}",
            expected="none: COPY follows no rule, so a file's rows would go different ways",
            do="drop the rule; a trigger can do the same",
        )
    if target.is_secured:
        raise FeedError(
            f"row level security of {feed.target.table} applies to the loading role",
            expected="a role that sees every row: COPY does not work otherwise",
            do="give the loading role BYPASSRLS, or let it own the table without FORCE",
        )
