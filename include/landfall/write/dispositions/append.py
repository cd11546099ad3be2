"""append: rows are added, and a changed file replaces its own."""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.job import LOAD_ID
from include.landfall.write.dispositions import Disposition


class Append(Disposition):
    """Rows are added. A load replaces the rows of earlier versions of its object."""

    rows_stay = True

    def remove_replaced(
        self, connection: Connection, target: sql.Identifier, load_ids: list[int]
    ) -> None:
        """Removes the rows that carry the load ids."""
        if not load_ids:
            return
        connection.execute(
            # No parameter: a % in the table's name would be taken for one.
            sql.SQL("DELETE FROM {} WHERE {} = ANY({}::bigint[])").format(
                target, sql.Identifier(LOAD_ID), sql.Literal(load_ids)
            )
        )


DISPOSITION = Append()
