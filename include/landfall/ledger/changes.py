"""The changes: departures of files from their contract, and what was altered in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from include.landfall.contract import Change, What
from include.landfall.ledger.claims import Claimant
from include.landfall.ledger.entries import SCHEMA
from include.landfall.postgres.catalog import has_relation
from include.landfall.postgres.connection import server_encoding, storable
from include.landfall.postgres.statements import value

NAME = "changes"


@dataclass(frozen=True)
class KeptChange:
    """A row of `landfall.changes`. `what` is one of contract.What; the time has a zone."""

    load_id: int
    key: str
    what: str
    column_name: str | None
    before: str | None
    after: str | None
    changed_at: datetime

    @property
    def text(self) -> str:
        """The change on one line, for a person."""
        return text_of(Change(self.what, self.column_name, self.before, self.after))


def text_of(change: Change) -> str:
    """Returns a change on one line, for a person."""
    values = " -> ".join(value for value in (change.before, change.after) if value is not None)
    column = f" {change.column}" if change.column else ""
    return f"{change.what}{column}: {values}"


def keep(
    connection: Connection, claimant: Claimant, load_id: int, changes: Sequence[Change]
) -> list[Change]:
    """Writes the changes of a load, beside its data, and returns them.

    Another name that files of the feed have had before is no change.
    """
    if not changes:
        return []
    values, encoding = claimant.values(load_id=load_id), server_encoding(connection)
    if any(change.what == What.OTHER_NAME for change in changes):
        earlier = _other_names(connection, claimant.feed.name)
        changes = [change for change in changes if _storable(change, encoding) not in earlier]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO landfall.changes (load_id, feed, bucket, key, what, column_name, before,"
            " after) VALUES (%(load_id)s, %(feed)s, %(bucket)s, %(key)s, %(what)s, %(column)s,"
            " %(before)s, %(after)s)",
            [{**values, **_storable(change, encoding)} for change in changes],
        )
    return list(changes)


def _other_names(connection: Connection, feed: str) -> list[dict[str, str | None]]:
    """Returns the other names that files of the feed have had."""
    query = (
        "SELECT DISTINCT what, column_name, before, after FROM landfall.changes"
        " WHERE feed = %s AND what = %s"
    )
    return [Change(*row)._asdict() for row in connection.execute(query, [feed, What.OTHER_NAME])]


def _storable(change: Change, encoding: str | None) -> dict[str, str | None]:
    """Returns the change's texts: a column of the file may have letters that the database lacks."""
    return {name: text and storable(text, encoding) for name, text in change._asdict().items()}


def changes_of(connection: Connection, feed: str, newest: int | None = None) -> list[KeptChange]:
    """Returns the changes of the feed's loads, oldest first; none when there is no table yet.

    With `newest` it is so many of the latest ones.
    """
    if not has_relation(connection, SCHEMA, NAME):
        return []
    query = (
        "SELECT load_id, key, what, column_name, before, after, changed_at FROM landfall.changes"
        " WHERE feed = %s ORDER BY change_id DESC LIMIT %s"  # LIMIT NULL is none
    )
    with connection.transaction(), connection.cursor(row_factory=class_row(KeptChange)) as cursor:
        return cursor.execute(query, [feed, newest]).fetchall()[::-1]


def count_of(connection: Connection, feed: str) -> int:
    """Returns how many changes the feed's loads kept."""
    if not has_relation(connection, SCHEMA, NAME):
        return 0
    query = "SELECT count(*) FROM landfall.changes WHERE feed = %s"
    return int(value(connection, query, [feed]))


def of_load(connection: Connection, load_id: int) -> list[Change]:
    """Returns the changes that the load kept when it loaded its file last."""
    query = (
        "SELECT what, column_name, before, after FROM landfall.changes"
        " JOIN landfall.ledger USING (load_id)"
        " WHERE load_id = %s AND changed_at >= started ORDER BY change_id"
    )
    return [Change(*row) for row in connection.execute(query, [load_id])]


def missing_columns(connection: Connection, load_id: int, after: str) -> set[str]:
    """Returns the columns that the load's file lacked, and what became of them."""
    if not has_relation(connection, SCHEMA, NAME):
        return set()
    query = (
        "SELECT column_name FROM landfall.changes JOIN landfall.ledger USING (load_id)"
        " WHERE load_id = %s AND what = %s AND after = %s AND changed_at >= started"
    )
    return {name for (name,) in connection.execute(query, [load_id, What.MISSING_COLUMN, after])}
