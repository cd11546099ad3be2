"""From one table into another: astro's `merge` and `append`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from psycopg import Connection, errors, sql

from . import tables
from .quoting import quoted
from .strategies import check_if_conflicts
from .tables import Name

log = logging.getLogger(__name__)


def merge(
    connection: Connection,
    source: Name,
    target: Name,
    mapping: Mapping[str, str],
    keys: Sequence[str],
    strategy: str,
) -> str:
    """Merges a table's rows into another; returns the SQL for the log.

    `mapping` has the columns, source to target, and all of the target's when it is empty; `keys`
    are the columns that may conflict, `strategy` is `update`, `ignore` or `exception`.

    Raises: ValueError when the strategy is another one, or nothing keeps the keys unique.
    """
    check_if_conflicts(strategy)
    mapping = mapping or _all_columns(connection, target)
    conflict = on_conflict(strategy, keys, list(mapping.values()))
    try:
        return _insert(connection, source, target, mapping, conflict)
    except errors.InvalidColumnReference:
        columns = ", ".join(map(quoted, keys))
        raise ValueError(
            f"{target.quoted} has no unique index on exactly {columns}, so no row can be in"
            " conflict. Nothing has changed. What to do: CREATE UNIQUE INDEX ON"
            f" {target.quoted} ({columns}), or name the columns of its key"
        ) from None


def append(connection: Connection, source: Name, target: Name, mapping: Mapping[str, str]) -> str:
    """Appends a table's rows to another; returns the SQL for the log. `mapping` as in `merge`."""
    mapping = mapping or _all_columns(connection, target)
    return _insert(connection, source, target, mapping, None)


def on_conflict(
    strategy: str, keys: Sequence[str], columns: Sequence[str]
) -> sql.Composable | None:
    """Returns the ON CONFLICT clause of a merge; None for the strategy `exception`."""
    if strategy == "exception":
        return None
    changes = [
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(c)) for c in columns if c not in keys
    ]
    if strategy == "ignore" or not changes:
        return sql.SQL("ON CONFLICT ({}) DO NOTHING").format(tables.names(keys))
    return sql.SQL("ON CONFLICT ({}) DO UPDATE SET {}").format(
        tables.names(keys), sql.SQL(", ").join(changes)
    )


def _all_columns(connection: Connection, target: Name) -> dict[str, str]:
    """All columns of the target, as astro documents it, but not its load ids."""
    return {column: column for column in tables.data_columns_of(connection, target)}


def _insert(
    connection: Connection,
    source: Name,
    target: Name,
    mapping: Mapping[str, str],
    conflict: sql.Composable | None,
) -> str:
    rows = tables.insert(connection, source, target, mapping, conflict)
    into = f"{target.quoted} ({', '.join(mapping.values())})"
    # For the log and the lineage only: the statement that ran quotes its columns.
    text = f"INSERT INTO {into} SELECT {', '.join(mapping)} FROM {source.quoted}"  # noqa: S608
    log.info("%s rows: %s", rows, text)
    return text
