"""Files with the content of another one that the same feed has loaded into the same table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from include.landfall.ledger.claims import Claimant
from include.landfall.postgres.statements import statement


class EarlierLoad(NamedTuple):
    """A load that brought the same content from an object of another key."""

    load_id: int
    key: str
    started: datetime

    @property
    def text(self) -> str:
        """The object, the load and its time, on one line."""
        return f"{self.key} (load {self.load_id}, {self.started.isoformat(' ', 'seconds')})"


def load_of(connection: Connection, load_id: int | None) -> EarlierLoad | None:
    """Returns the load with this id, if there is one."""
    query = "SELECT load_id, key, started FROM landfall.ledger WHERE load_id = %s"
    with connection.cursor(row_factory=class_row(EarlierLoad)) as cursor:
        return cursor.execute(query, [load_id]).fetchone()


def earlier_load(
    connection: Connection, claimant: Claimant, content_hash: bytes, replaced: Sequence[int]
) -> EarlierLoad | None:
    """Returns the first load of the same content whose rows are in the table.

    Those of `replaced` were there when this load began. It waits for a load of the same content
    that is under way, so that of two loads at once the second one sees the first.
    """
    scope = f"{claimant.feed.name}\n{content_hash.hex()}"
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [scope])
    parameters = claimant.values(content_hash=content_hash, replaced=list(replaced))
    with connection.cursor(row_factory=class_row(EarlierLoad)) as cursor:
        return cursor.execute(statement("ledger/same_content"), parameters).fetchone()
