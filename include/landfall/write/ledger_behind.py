"""A ledger that is behind its table: lost, or brought back from an older copy without the table.

It takes loaded files for new ones, and gives out load ids that rows in the table have already.
"""

from __future__ import annotations

from psycopg import Connection, errors, sql

from include.landfall.contract import Change, What
from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID
from include.landfall.ledger.arrivals import lost_rows
from include.landfall.ledger.claims import last_with_rows
from include.landfall.postgres.statements import statement, table

PAGES = 16  # at the end of the table, where the latest rows are
PARTITIONS = 64  # the newest ones, at whose ends a look is taken


def check_ledger(connection: Connection, feed: Feed) -> None:
    """Checks that the table's latest rows are not from a load that the ledger does not have yet.

    Only the last pages of the table are read: an index on the load id would cost every load some
    5% of the server's CPU. Of a partitioned table those of its newest PARTITIONS are read. Before
    PostgreSQL 14 none can be read.

    Raises: FeedError when the ledger is behind.
    """
    latest = _latest_in_table(connection, feed)
    # Read after the table: a load that committed in between is in the ledger by now.
    while latest is not None and latest > (last := last_with_rows(connection)):
        again = _latest_in_table(connection, feed)
        if again == latest:
            raise _behind(feed, latest, last)
        latest = again  # the load was forgotten in between


def _behind(feed: Feed, latest: int, last: int) -> FeedError:
    return FeedError(
        f"the ledger is behind the table {feed.target.table}: it was lost, or an older one was"
        " brought back",
        found=f"rows of load {latest}",
        expected=f"no rows of a load after {last}, the last one in landfall.ledger",
        do="bring back the ledger and the table of one moment. Where that cannot be, delete the"
        f" rows with {LOAD_ID} > {last}: the next run loads their files again. Rows whose files"
        f" never come again may stay without a load: set their {LOAD_ID} to NULL",
    )


def rows_gone(connection: Connection, feed: Feed) -> list[Change]:
    """Returns the note that the table is empty, and the ledger counts rows of other files in it.

    The load goes on, because others may have emptied the table on purpose. Without the note nobody
    would ever hear of it: once this file is in the table, it is not empty any more.
    """
    if feed.target.takes_keys_away:  # a merge that deletes may have emptied it itself
        return []
    try:
        with connection.transaction(force_rollback=True):  # as below: it keeps no lock
            rows = lost_rows(connection, feed)
    except errors.InsufficientPrivilege:  # the role may only insert, and cannot look
        return []
    return [Change(What.ROWS_GONE, None, f"{rows:,}", "an empty table")] if rows else []


def _latest_in_table(connection: Connection, feed: Feed) -> int | None:
    """Returns the latest load of the table's last rows; None where there is none, or no look."""
    target = table(feed.target.table).as_string(connection)
    # The server has quoted the names already.
    parts = connection.execute(
        statement("write/pages"), {"target": target, "most": PARTITIONS}
    ).fetchall()
    if not parts:
        return None
    at_end = max(1, PAGES // len(parts))
    looks = [
        statement("write/last_load").format(
            target=sql.SQL(relation),
            load_id=sql.Identifier(LOAD_ID),
            first_page=sql.Literal(f"({max(0, pages - at_end)},0)"),
        )
        for relation, pages in parts
    ]
    # Rolled back, so that the look keeps no lock: a merge needs a stronger one later, and a REINDEX
    # that waits for this one would meet it.
    with connection.transaction(force_rollback=True):
        rows = connection.execute(sql.SQL(" UNION ALL ").join(looks)).fetchall()
    return max((latest for (latest,) in rows if latest), default=None)
