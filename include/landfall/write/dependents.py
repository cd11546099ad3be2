"""Rows of other tables that would be deleted or changed with those that a load replaces.

Postgres does so without a message: by ON DELETE CASCADE, SET NULL or SET DEFAULT of a foreign key,
and in the children of a table that others inherit from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import namedtuple_row

from include.landfall.errors import FeedError
from include.landfall.job import LOAD_ID
from include.landfall.postgres.statements import statement, table, value
from include.landfall.write.operators import see_types

# The condition by which a row of the table with this alias is deleted.
IsDeleted = Callable[[str], sql.Composable]


def check_dependents(connection: Connection, target: str, load_ids: list[int] | None) -> None:
    """Checks that no other table loses rows when rows of the target are deleted.

    `load_ids` are the loads that brought those rows; None means all rows of the table.

    Raises: FeedError.
    """
    if load_ids is None:
        check_dependents_where(connection, target, None)
    elif load_ids:
        condition = "{}.{} = ANY({}::bigint[])"
        check_dependents_where(
            connection,
            target,
            lambda alias: sql.SQL(condition).format(
                sql.Identifier(alias), sql.Identifier(LOAD_ID), sql.Literal(load_ids)
            ),
        )


def check_dependents_where(
    connection: Connection, target: str, is_deleted: IsDeleted | None
) -> None:
    """Does so for the rows that a condition names; None means all rows of the table."""
    name = table(target)
    dependents = _dependents(connection, name)
    if dependents:
        see_types(connection, name)
    for dependent in dependents:
        if _has_rows(connection, name, dependent, is_deleted):
            raise FeedError(
                f"{dependent.name} would lose rows, or their values, with those that are replaced"
                f" in {target}",
                found=f"{dependent.rule}, and rows in {dependent.name}",
                expected="a load that changes its own table alone",
                do=f"drop that rule of {dependent.name}, or take its rows away first",
            )


def keep_dependents_away(connection: Connection, target: sql.Identifier) -> None:
    """Lets no other table get rows that a DELETE from the target would take away.

    A row that comes between a check and the DELETE would be lost. It waits until the load ends, and
    is then refused where the row to which it refers is gone.
    """
    if _dependents(connection, target):
        connection.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(target))


def _dependents(connection: Connection, target: sql.Identifier) -> list[Any]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(
            statement("write/dependents"), {"target": target.as_string(connection)}
        ).fetchall()


def _has_rows(
    connection: Connection, target: sql.Identifier, dependent: Any, is_deleted: IsDeleted | None
) -> bool:
    if is_deleted is None and dependent.is_target:
        return False  # it is replaced as a whole
    if dependent.pairs is None and is_deleted is not None:
        return False  # rows of a child are not those that the condition names
    if not dependent.is_readable:
        return True
    # The server has quoted these names. No parameter: a % in a name would be taken for one.
    query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {} AS child").format(sql.SQL(dependent.quoted))
    if dependent.pairs:
        pairs = sql.SQL(dependent.pairs)
        query += sql.SQL(" JOIN {} AS target ON {}").format(target, pairs)
    if is_deleted is not None:
        query += sql.SQL(" WHERE ") + is_deleted("target")
    if is_deleted is not None and dependent.is_target:
        query += sql.SQL(" AND NOT coalesce({}, false)").format(is_deleted("child"))
    return bool(value(connection, query + sql.SQL(")")))
