"""What the target is: a table is loaded; what COPY and INSERT would fill differently is refused.

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
from include.landfall.feed.target import OF_SCD2
from include.landfall.job import LOAD_ID
from include.landfall.postgres.statements import statement, table


def check_kind(connection: Connection, feed: Feed) -> None:
    """Checks that the target is something that a load can fill.

    Raises: FeedError.
    """
    name = table(feed.target.table)
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        target: Any = cursor.execute(
            statement("write/kind"), {"target": name.as_string(connection), "load_id": LOAD_ID}
        ).fetchone()
    if target is None:
        return
    if target.kind != "a table" and not target.takes_rows:
        raise FeedError(
            f"{feed.target.table} is {target.kind}",
            expected="a table of this database, or a view with a trigger INSTEAD OF INSERT",
            do="name a table in the feed",
        )
    if feed.target.load_id:
        _check_load_id(feed, target)
    _check_rules(feed, target)
    _check_filled(feed, target.required or [])


def _check_filled(feed: Feed, required: list[str]) -> None:
    """Refuses a table with a column that each row must have, and no row of a file would."""
    if feed.contract.new_columns == "evolve":  # a file may bring it
        return
    filled = {*feed.table_columns, LOAD_ID, *(OF_SCD2 if feed.target.is_scd2 else ())}
    for name in required:
        if name not in filled:
            raise FeedError(
                f"the table {feed.target.table} has a column that the feed lacks, and that may not"
                " be NULL",
                expected="a column of the feed, or a default in the table",
                do="add it to the feed, or let the table fill it or leave it out: ALTER TABLE"
                " … ALTER COLUMN … SET DEFAULT, or DROP NOT NULL",
            ).at(column=name)


def _check_load_id(feed: Feed, target: Any) -> None:
    """Refuses a table that cannot get the column of the load id, or has one of another type.

    The bytes of a bigint are another number to some types: a numeric takes load 7 for 0.
    """
    if target.load_id is None and target.partition_of:
        raise FeedError(
            f"{feed.target.table} is a partition, and has no column {LOAD_ID}",
            do=f"ALTER TABLE {target.partition_of} ADD COLUMN {LOAD_ID} bigint",
        )
    if target.load_id is None and target.table_of:
        raise FeedError(
            f"{feed.target.table} is a table of the type {target.table_of}, which has no {LOAD_ID}",
            do=f"ALTER TYPE {target.table_of} ADD ATTRIBUTE {LOAD_ID} bigint CASCADE",
        )
    if target.load_id not in {None, "bigint"}:
        raise FeedError(
            f"the column {LOAD_ID} of {feed.target.table} cannot take the id of a load",
            found=target.load_id,
            expected="bigint",
            do="alter the column's type; where it is not Landfall's, rename it,"
            " or write target.load_id: false in the feed",
        )


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
