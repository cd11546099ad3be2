"""Counts the rows of each load in a table, and compares them with the ledger.

The ledger and the table commit together. What happens to the table alone, nobody tells the ledger:
a TRUNCATE, an older backup that is brought back, a crash that empties an UNLOGGED table, a
partition that is detached or attached again. Counting reads the whole table, so no load does it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row

from include.landfall.connections import Warehouse
from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID
from include.landfall.ledger import arrivals, queries
from include.landfall.ledger.entries import ledger_exists
from include.landfall.postgres.catalog import has_column, has_relation
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.postgres.statements import statement, table
from include.landfall.write.dispositions import disposition_of


@dataclass(frozen=True)
class Difference:
    """A load of which the table has other rows than the ledger says.

    `what`: missing (rows are gone), too many, replaced (rows of a load that another one replaced,
    or that failed), unknown (the ledger has no such load in this table; then there is no key).
    """

    load_id: int
    key: str | None
    what: str
    loaded: int
    counted: int

    def as_dict(self) -> dict[str, Any]:
        """Returns the difference in values that JSON can carry."""
        return asdict(self)


@dataclass(frozen=True)
class Audit:
    """What was compared: how many files, how many rows of them the ledger counts, and the rest."""

    files: int
    rows: int
    differences: list[Difference]


def audit(feed: Feed, *, warehouse: Warehouse) -> Audit:
    """Compares the feed's table with the ledger. It changes nothing, and keeps nobody waiting.

    In a merge a row belongs to the last file that changed it, so an earlier file may have fewer
    rows than it loaded. That is a difference only where the last load of all feeds has no row at
    all: then the table is older than the ledger. Where files delete rows, or where a file without
    a change adds none (scd2), even that proves nothing.

    Raises: FeedError when there is no ledger, and when the table is gone, is not the one of the
    ledger, or has no load ids.
    """
    with (
        connect(warehouse, f"landfall audit {feed.name}", feed.limits) as connection,
        postgres_errors(),
        connection.transaction(),
    ):
        _check_ledger(connection, feed)
        files = queries.loaded_files(connection, feed.name).get(feed.target.table, 0)
        rows = queries.loaded_rows(connection, feed.name, feed.target.table)
        if not has_relation(connection, feed.target.schema_name, feed.target.table_name):
            return Audit(files, rows, [])  # nothing is loaded yet
        _check_load_ids(connection, feed)
        return Audit(files, rows, _differences(connection, feed))


def _check_ledger(connection: Connection, feed: Feed) -> None:
    if not ledger_exists(connection):
        raise FeedError(
            "there is no ledger in the database of the feed",
            do="load a file first. Where the table has rows of files, bring the ledger back",
        ).at(feed=feed.name)
    arrivals.check_target(connection, feed)


def _check_load_ids(connection: Connection, feed: Feed) -> None:
    if not has_column(connection, table(feed.target.table), LOAD_ID):
        raise FeedError(
            f"the rows of {feed.target.table} do not tell which file brought them",
            found=f"no column {LOAD_ID}",
            do="compare the rows with the files in another way",
        ).at(feed=feed.name)


def _differences(connection: Connection, feed: Feed) -> list[Difference]:
    target = feed.target
    # No parameters: a % in the table's name would be taken for one.
    query = statement("ledger/audit").format(
        target=table(target.table),
        name=sql.Literal(target.table),
        feed=sql.Literal(feed.name),
        load_id=sql.Identifier(LOAD_ID),
        are_exact=sql.Literal(disposition_of(feed).rows_stay),
        last_stays=sql.Literal(not (target.deleted or target.is_scd2)),
    )
    with connection.cursor(row_factory=class_row(Difference)) as cursor:
        return cursor.execute(query).fetchall()
