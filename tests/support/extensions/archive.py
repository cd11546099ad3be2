"""A disposition of one module: a changed file's old rows are kept beside the table."""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.feed.dispositions import DISPOSITIONS
from include.landfall.job import LOAD_ID
from include.landfall.write.dispositions import Disposition


class Archive(Disposition):
    """Rows are added. Those that a load replaces move to `raw.archive`."""

    def remove_replaced(
        self, connection: Connection, target: sql.Identifier, load_ids: list[int]
    ) -> None:
        """Moves the replaced rows, while no other load writes into the table."""
        if not load_ids:
            return
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(target))
        connection.execute(
            sql.SQL(
                "WITH replaced AS (DELETE FROM {} WHERE {} = ANY({}::bigint[]) RETURNING *)"
                " INSERT INTO raw.archive SELECT * FROM replaced"
            ).format(target, sql.Identifier(LOAD_ID), sql.Literal(load_ids))
        )


DISPOSITION = Archive()
DISPOSITIONS["archive"] = __name__
