"""Deferred constraints of the target: checked early, so that the row which breaks one is known."""

from __future__ import annotations

import psycopg
from psycopg import Connection, sql

from include.landfall.postgres.errors import refuses_rows
from include.landfall.postgres.statements import statement


def check_own_at_once(
    connection: Connection, target: sql.Identifier, *, with_self_references: bool = False
) -> None:
    """Lets each statement to come check the target's own deferred constraints.

    Those of other tables wait for the end: rows to which they refer may be deleted and not back
    yet, and so may rows to which rows of the target refer. What does not hold now waits, too.
    """
    parameters = {
        "target": target.as_string(connection),
        "with_self_references": with_self_references,
    }
    names = connection.execute(statement("write/deferrable"), parameters).fetchall()
    for schema, name in names:
        _check_at_once(connection, sql.Identifier(schema, name))


def check_all_at_once(connection: Connection, target: sql.Identifier) -> None:
    """Lets each statement to come check every deferred constraint, or else the target's own."""
    if not _check_at_once(connection, sql.SQL("ALL")):
        check_own_at_once(connection, target, with_self_references=True)


def _check_at_once(connection: Connection, which: sql.Composable) -> bool:
    """Makes constraints immediate. Returns False where rows break one now: it stays as it was."""
    try:
        with connection.transaction():
            connection.execute(sql.SQL("SET CONSTRAINTS {} IMMEDIATE").format(which))
    except psycopg.Error as error:
        if not refuses_rows(error):
            raise
        return False
    return True
