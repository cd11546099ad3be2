"""INCOMING: the temporary table where the rows of a file wait until they are merged."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection, sql

from include.landfall.feed.model import Feed
from include.landfall.feed.target import Target
from include.landfall.job import ROW_NUMBER
from include.landfall.postgres.statements import identifiers, statement
from include.landfall.write.target import TargetColumn

INCOMING = sql.Identifier("pg_temp", "landfall_incoming")


def create_incoming(
    connection: Connection, target: sql.Identifier, columns: Sequence[TargetColumn], feed: Feed
) -> None:
    """Creates INCOMING with the feed's columns as the target has them, and the row's number.

    It has the target's NOT NULL and CHECK constraints on these columns too, so that a row which
    they refuse is refused before rows of one key are compared. Rows that delete their key need no
    more than that: no constraint but those of the key holds for them.
    """
    names = [column.name for column in columns]
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE landfall_incoming ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
        ).format(identifiers(names), target)
    )
    changes = [sql.SQL("ADD {} bigint").format(sql.Identifier(ROW_NUMBER))]
    changes += _constraints(connection, target, columns, feed.target)
    connection.execute(sql.SQL("ALTER TABLE {} {}").format(INCOMING, sql.SQL(", ").join(changes)))


def deletes_key(target: Target, cell: sql.Composable) -> sql.Composable:
    """Returns the SQL of whether a row deletes its key, by its cell in the column that says so."""
    if target.deleted is None:
        return sql.SQL("false")
    texts = sql.Literal(target.deleted.texts)
    return sql.SQL("coalesce({}::text = ANY({}::text[]), false)").format(cell, texts)


def _constraints(
    connection: Connection, target: sql.Identifier, columns: Sequence[TargetColumn], to: Target
) -> list[sql.Composed]:
    names = [column.name for column in columns]
    rows = connection.execute(
        statement("write/constraints"),
        {"target": target.as_string(connection), "names": names},
    ).fetchall()
    required = {name for name, expression in rows if not expression}
    required |= {column.name for column in columns if not column.planned.nullable}
    if to.deleted:  # the NULLs of other columns are judged with the cells
        required &= to.required
    deletes = deletes_key(to, sql.Identifier(to.deleted.column) if to.deleted else sql.NULL)
    return [
        *(
            sql.SQL("ALTER {} SET NOT NULL").format(sql.Identifier(name))
            for name in sorted(required)
        ),
        *(
            # The server wrote the expression itself.
            sql.SQL("ADD CONSTRAINT {} CHECK ({} OR ({}))").format(
                sql.Identifier(name), deletes, sql.SQL(expression)
            )
            for name, expression in rows
            if expression
        ),
    ]
