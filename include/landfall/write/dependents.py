"""Rows of other tables that would be deleted or changed with those that a load replaces.

Postgres does so without a message: by ON DELETE CASCADE, SET NULL or SET DEFAULT of a foreign key,
and in the children of a table that others inherit from.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql
from psycopg.rows import namedtuple_row

from include.landfall.errors import FeedError
from include.landfall.job import LOAD_ID
from include.landfall.postgres.statements import statement, table


def check_dependents(connection: Connection, target: str, load_ids: list[int] | None) -> None:
    """Checks that no other table loses rows when rows of the target are deleted.

    `load_ids` are the loads that brought those rows; None means all rows of the table.

    Raises: FeedError.
    """
    if load_ids == []:
        return
    name = table(target)
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        dependents: list[Any] = cursor.execute(
            statement("write/dependents"), {"target": name.as_string(connection)}
        ).fetchall()
    for dependent in dependents:
        if _has_rows(connection, name, dependent, load_ids):
            raise FeedError(
                f"{dependent.name} would lose rows, or their values, with those that are replaced"
                f" in {target}",
                found=f"{dependent.rule}, and rows in {dependent.name}",
                expected="a load that changes its own table alone",
                do=f"drop that rule of {dependent.name}, or take its rows away first",
            )


def _has_rows(
    connection: Connection, target: sql.Identifier, dependent: Any, load_ids: list[int] | None
) -> bool:
    if load_ids is None and dependent.is_target:
        return False  # it is replaced as a whole
    if dependent.pairs is None and load_ids is not None:
        return False  # rows of a child have no load id of this table's
    if not dependent.is_readable:
        return True
    query = "SELECT EXISTS (SELECT 1 FROM {child} AS child"
    if dependent.pairs:
        query += " JOIN {target} AS target ON {pairs}"
    if load_ids is not None:
        query += " WHERE target.{load_id} = ANY({load_ids}::bigint[])"
    if dependent.is_target:
        query += " AND child.{load_id} <> ALL({load_ids}::bigint[])"
    # The server has quoted these names. No parameter: a % in a name would be taken for one.
    row = connection.execute(
        sql.SQL(query + ")").format(
            child=sql.SQL(dependent.quoted),
            target=target,
            pairs=sql.SQL(dependent.pairs or ""),
            load_id=sql.Identifier(LOAD_ID),
            load_ids=sql.Literal(load_ids),
        )
    ).fetchone()
    return bool(row and row[0])
