"""A ledger that is behind its table: lost, or brought back from an older copy without the table.

It takes loaded files for new ones, and gives out load ids that rows in the table have already.
"""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID
from include.landfall.ledger.claims import last_with_rows
from include.landfall.postgres.statements import statement, table

PAGES = 16  # at the end of the table, where the latest rows are


def check_ledger(connection: Connection, feed: Feed) -> None:
    """Checks that the latest rows of the table are of no load after the last one of the ledger.

    Only the last pages of the table are read: an index on the load id would cost every load some
    5% of the server's CPU. Of a partitioned table, and before PostgreSQL 14, none can be read.

    Raises: FeedError when the ledger is behind.
    """
    latest = _latest_in_table(connection, feed)
    if latest is None:
        return
    # Read after the table: a load that committed in between is in the ledger by now.
    last = last_with_rows(connection)
    if latest > last:
        raise FeedError(
            f"the ledger is behind the table {feed.target.table}: it was lost, or an older one was"
            " brought back",
            found=f"rows of load {latest}",
            expected=f"no rows of a load after {last}, the last one in landfall.ledger",
            do="bring back the ledger and the table of one moment. Where that cannot be, delete the"
            f" rows with {LOAD_ID} > {last}: the next run loads their files again. Rows whose files"
            f" never come again may stay without a load: set their {LOAD_ID} to NULL",
        )


def _latest_in_table(connection: Connection, feed: Feed) -> int | None:
    """Returns the latest load of the table's last rows; None where there is none, or no look."""
    target = table(feed.target.table)
    name = {"target": target.as_string(connection)}
    (pages,) = connection.execute(statement("write/pages"), name).fetchone() or (None,)
    if not pages:
        return None
    query = statement("write/last_load").format(
        target=target,
        load_id=sql.Identifier(LOAD_ID),
        first_page=sql.Literal(f"({max(0, pages - PAGES)},0)"),
    )
    # Rolled back, so that the look keeps no lock: a merge needs a stronger one later, and a REINDEX
    # that waits for this one would meet it.
    with connection.transaction(force_rollback=True):
        row = connection.execute(query).fetchone()
    return row[0] if row else None
