"""INCOMING: the temporary table where the rows of a file wait until they are merged."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection, sql

from include.landfall.job import ROW_NUMBER
from include.landfall.postgres.statements import identifiers, statement
from include.landfall.write.target import TargetColumn

INCOMING = sql.Identifier("pg_temp", "landfall_incoming")


def create_incoming(
    connection: Connection, target: sql.Identifier, columns: Sequence[TargetColumn]
) -> None:
    """Creates INCOMING with the feed's columns as the target has them, and the row's number.

    It has the target's NOT NULL and CHECK constraints on these columns too, so that a row which
    they refuse is refused before rows of one key are compared.
    """
    names = [column.name for column in columns]
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE landfall_incoming ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
        ).format(identifiers(names), target)
    )
    changes = [sql.SQL("ADD {} bigint").format(sql.Identifier(ROW_NUMBER))]
    changes += _constraints(connection, target, columns)
    connection.execute(sql.SQL("ALTER TABLE {} {}").format(INCOMING, sql.SQL(", ").join(changes)))


def _constraints(
    connection: Connection, target: sql.Identifier, columns: Sequence[TargetColumn]
) -> list[sql.Composed]:
    names = [column.name for column in columns]
    rows = connection.execute(
        statement("write/constraints"),
        {"target": target.as_string(connection), "names": names},
    ).fetchall()
    required = {name for name, definition in rows if not definition}
    required |= {column.name for column in columns if not column.planned.nullable}
    return [
        *(
            sql.SQL("ALTER {} SET NOT NULL").format(sql.Identifier(name))
            for name in sorted(required)
        ),
        *(
            # The server wrote the definition itself.
            sql.SQL("ADD CONSTRAINT {} {}").format(sql.Identifier(name), sql.SQL(definition))
            for name, definition in rows
            if definition
        ),
    ]
