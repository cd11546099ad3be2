"""replace: the newest file is the whole table."""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.postgres.catalog import lock_writers_out
from include.landfall.write.dispositions import Disposition


class Replace(Disposition):
    """The newest file is the whole table. A load replaces all rows, whoever brought them."""

    replaces_feed = True
    needs_load_id = False
    rows_stay = True
    rights = ("DELETE",)

    def remove_replaced(
        self, connection: Connection, target: sql.Identifier, load_ids: list[int]
    ) -> None:
        """Removes all rows. Other writers wait, so that the rows of two loads never both stay."""
        lock_writers_out(connection, target)
        connection.execute(sql.SQL("DELETE FROM {}").format(target))


DISPOSITION = Replace()
