"""Reads the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from psycopg import Connection, sql
from psycopg.rows import class_row

from include.landfall.feed.model import Feed
from include.landfall.ledger.entries import NAME, SCHEMA, Entry, ledger_exists
from include.landfall.postgres.statements import identifiers, statement, value

FIELDS = tuple(Entry.__dataclass_fields__)
FETCHED = 1_000  # rows that are in memory at a time


def entries_of(connection: Connection, feed: str) -> Iterator[Entry]:
    """Yields the feed's rows of the ledger, oldest first; none when there is no ledger yet."""
    if not ledger_exists(connection):
        return
    query = _select(sql.SQL("feed = %(feed)s ORDER BY load_id"), _columns(connection))
    with (
        connection.transaction(),
        connection.cursor("landfall_entries", row_factory=class_row(Entry)) as cursor,
    ):
        cursor.itersize = FETCHED
        yield from cursor.execute(query, {"feed": feed})


def refused_duplicates(connection: Connection, feed: str) -> set[tuple[str, str]]:
    """Returns keys and versions that the feed refused because a loaded file has their content."""
    loaded, refused = set(), {}
    for entry in entries_of(connection, feed):
        if entry.status == "loaded":
            loaded.add(entry.load_id)
        elif entry.status == "duplicate":
            refused[entry.key, entry.version] = entry.duplicate_of
    return {name for name, earlier in refused.items() if earlier in loaded}


def longest_key(connection: Connection, feed: str) -> int:
    """Returns how many characters the longest key among the feed's rows has."""
    if not ledger_exists(connection):
        return 0
    query = "SELECT coalesce(max(length(key)), 0) FROM landfall.ledger WHERE feed = %s"
    return int(value(connection, query, [feed]))


def targets(connection: Connection, feed: str) -> list[str]:
    """Returns the tables into which files of the feed are loaded, by name."""
    rows = connection.execute(statement("ledger/targets"), {"feed": feed}).fetchall()
    return [target for (target,) in rows]


def loaded_files(connection: Connection, feed: str) -> dict[str, int]:
    """Returns how many files of the feed are loaded into each table."""
    query = (
        "SELECT target, count(*) FROM landfall.ledger WHERE feed = %s AND status = 'loaded'"
        " GROUP BY target"
    )
    return dict(connection.execute(query, [feed]).fetchall())


def loaded_rows(connection: Connection, feed: str, target: str) -> int:
    """Returns how many rows the feed has loaded into the table, as the ledger counts them."""
    query = (
        "SELECT coalesce(sum(rows), 0)::bigint FROM landfall.ledger"
        " WHERE feed = %s AND target = %s AND status = 'loaded'"
    )
    return int(value(connection, query, [feed, target]))


def newest_loaded(connection: Connection, feed: str) -> tuple[datetime, str] | None:
    """Returns the time and the key of the newest object that the feed has loaded, if any."""
    query = (
        "SELECT last_modified, key FROM landfall.ledger WHERE feed = %s AND status = 'loaded'"
        ' ORDER BY last_modified DESC, key COLLATE "C" DESC LIMIT 1'
    )
    return connection.execute(query, [feed]).fetchone()


def newest_taken(connection: Connection, feed: str) -> tuple[datetime, str] | None:
    """Returns time and key of the newest object that the feed has loaded or refused, if any."""
    if not ledger_exists(connection):
        return None
    query = (
        "SELECT last_modified, key FROM landfall.ledger WHERE feed = %s"
        " ORDER BY last_modified DESC LIMIT 1"
    )
    return connection.execute(query, [feed]).fetchone()


def last_try(connection: Connection, feed: str) -> datetime | None:
    """Returns when a load of the feed was tried last, if ever."""
    if not ledger_exists(connection):
        return None
    query = "SELECT max(started) FROM landfall.ledger WHERE feed = %s"
    return cast("datetime | None", value(connection, query, [feed]))


def loads_fingerprint(connection: Connection, feed: str) -> str | None:
    """Returns a text that every load of the feed changes, or None when nothing is loaded."""
    if not ledger_exists(connection):
        return None
    query = (
        "SELECT count(*) || '-' ||"
        # Not the time as text, which depends on the session's time zone.
        " sum(hashtextextended(concat_ws(' ', load_id, extract(epoch FROM started), rows), 0))"
        " FROM landfall.ledger WHERE feed = %s AND status = 'loaded'"
    )
    return cast("str | None", value(connection, query, [feed]))


def has_other_feeds(connection: Connection, feed: Feed) -> bool:
    """Returns whether another feed loaded files into the same table."""
    query = (
        "SELECT EXISTS (SELECT 1 FROM landfall.ledger"
        " WHERE target = %s AND feed <> %s AND status = 'loaded')"
    )
    return bool(value(connection, query, [feed.target.table, feed.name]))


def select_entries(
    connection: Connection, rule: sql.Composable, parameters: dict[str, Any]
) -> list[Entry]:
    """Returns the rows of the ledger that keep the rule, which follows WHERE."""
    # A transaction of the engine has settings in which psycopg can read the times.
    with connection.transaction(), connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(_select(rule), parameters).fetchall()


def _columns(connection: Connection) -> set[str]:
    """Returns the columns of the ledger. One of an earlier version lacks some."""
    query = (
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = 'landfall.ledger'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    return {name for (name,) in connection.execute(query)}


def _select(rule: sql.Composable, columns: set[str] | None = None) -> sql.Composed:
    """Returns a query of the rows that keep the rule; `columns` are those that there are."""
    fields = [name for name in FIELDS if columns is None or name in columns]
    return sql.SQL("SELECT {} FROM {} WHERE {}").format(
        identifiers(fields), sql.Identifier(SCHEMA, NAME), rule
    )
