"""Takes an object out of the ledger, with everything that hangs on its loads."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection, sql

from include.landfall.ledger.entries import Entry
from include.landfall.ledger.queries import select_entries
from include.landfall.postgres.statements import value

TABLES = ("rejects", "replays", "ledger")  # those that are counted


def _delete(connection: Connection, name: str, load_ids: Sequence[int]) -> int:
    return connection.execute(
        sql.SQL("DELETE FROM {} WHERE load_id = ANY(%s)").format(sql.Identifier("landfall", name)),
        [list(load_ids)],
    ).rowcount


def entries_of_object(connection: Connection, feed: str, bucket: str, key: str) -> list[Entry]:
    """Returns the rows of all versions of an object, oldest first."""
    rule = sql.SQL("feed = %(feed)s AND bucket = %(bucket)s AND key = %(key)s ORDER BY load_id")
    return select_entries(connection, rule, {"feed": feed, "bucket": bucket, "key": key})


def changed_keys(connection: Connection, load_ids: Sequence[int]) -> int:
    """Returns how many keys these loads of a merge have changed, as far as that is kept."""
    query = (
        "SELECT count(DISTINCT key) FROM landfall.replaced WHERE load_id = ANY(%s) AND is_changed"
    )
    return int(value(connection, query, [list(load_ids)]))


def keep_what_they_replaced(connection: Connection, load_ids: Sequence[int]) -> bool:
    """Returns whether one of these loads was a merge that kept what it replaced."""
    query = (
        "SELECT EXISTS (SELECT FROM landfall.ledger"
        " WHERE load_id = ANY(%s) AND rows > 0 AND kept_until IS NOT NULL)"
    )
    return bool(value(connection, query, [list(load_ids)]))


def delete_loads(connection: Connection, load_ids: Sequence[int]) -> list[int]:
    """Deletes the loads' rejects, replays and rows of the ledger, and returns how many of each.

    What is loaded with their content is then no duplicate any more.
    """
    _delete(connection, "replaced", load_ids)
    connection.execute(
        "UPDATE landfall.ledger SET duplicate_of = NULL"
        " WHERE status = 'loaded' AND duplicate_of = ANY(%s)",
        [list(load_ids)],
    )
    return [_delete(connection, name, load_ids) for name in TABLES]
