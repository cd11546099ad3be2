"""Reads the ledger."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row

from include.landfall.feed.model import Feed
from include.landfall.ledger.entries import NAME, SCHEMA, Entry, ledger_exists
from include.landfall.postgres.statements import identifiers


def entries_of(connection: Connection, feed: str) -> list[Entry]:
    """Returns the feed's rows of the ledger, oldest first; none when there is no ledger yet."""
    if not ledger_exists(connection):
        return []
    rule = sql.SQL("feed = %(feed)s ORDER BY load_id")
    return select_entries(connection, rule, {"feed": feed})


def loaded_by_others(connection: Connection, feed: Feed) -> list[Entry]:
    """Returns what other feeds loaded from the same bucket into the same table."""
    if not ledger_exists(connection):
        return []
    rule = sql.SQL(
        "target = %(target)s AND bucket = %(bucket)s AND feed <> %(feed)s AND status = 'loaded'"
    )
    parameters = {
        "target": feed.target.table, "bucket": feed.source.bucket, "feed": feed.name,
    }  # fmt: skip
    return select_entries(connection, rule, parameters)


def select_entries(
    connection: Connection, rule: sql.SQL, parameters: dict[str, Any]
) -> list[Entry]:
    """Returns the rows of the ledger that keep the rule, which follows WHERE."""
    query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
        identifiers(list(Entry.__dataclass_fields__)), sql.Identifier(SCHEMA, NAME), rule
    )
    # A transaction of the engine has settings in which psycopg can read the times.
    with connection.transaction(), connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(query, parameters).fetchall()
