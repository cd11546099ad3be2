"""The replays: rejects that are loaded once more, and what that changes in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from psycopg import Connection, sql
from psycopg.rows import class_row, dict_row

from include.landfall.errors import DataError
from include.landfall.ledger.entries import Entry
from include.landfall.ledger.kept_rejects import SELECTED, Selection, rejects_exist
from include.landfall.ledger.queries import select_entries
from include.landfall.postgres.statements import value


class Named(NamedTuple):
    """A reject that is named by its id. `raw` is its text where it could not be cut into cells."""

    reject_id: int
    load_id: int
    state: str
    raw: str | None
    key: str
    member: str | None
    row_number: int


def loads_with_rejects(connection: Connection, selection: Selection) -> list[Entry]:
    """Returns the loads, oldest first, that have such rejects and whose rows are in the target."""
    if not rejects_exist(connection):
        return []
    rule = sql.SQL(
        "status = 'loaded' AND load_id IN (SELECT load_id FROM landfall.rejects WHERE {})"
        " ORDER BY load_id"
    ).format(SELECTED)
    return select_entries(connection, rule, selection.parameters)


def named_rejects(connection: Connection, feed: str, reject_ids: Iterable[int]) -> list[Named]:
    """Returns the feed's rejects with these ids."""
    if not rejects_exist(connection):
        return []
    query = (
        "SELECT reject_id, load_id, state, CASE WHEN cells IS NULL THEN raw END AS raw,"
        " key, member, row_number FROM landfall.rejects WHERE feed = %s AND reject_id = ANY(%s)"
    )
    with connection.cursor(row_factory=class_row(Named)) as cursor:
        return cursor.execute(query, [feed, list(reject_ids)]).fetchall()


def loaded_entry(connection: Connection, load_id: int) -> Entry | None:
    """Returns the load's row and locks it, or None when its rows are no longer in the target."""
    rule = sql.SQL("load_id = %(load_id)s AND status = 'loaded' FOR UPDATE")
    entries = select_entries(connection, rule, {"load_id": load_id})
    return entries[0] if entries else None


def left_out(connection: Connection, load_id: int, reason: str | None) -> int:
    """Returns how many open rejects of the load have no cells, so that none can be replayed."""
    query = (
        "SELECT count(*) FROM landfall.rejects WHERE load_id = %s AND state = 'open'"
        " AND (%s::text IS NULL OR reason = %s) AND cells IS NULL"
    )
    return int(value(connection, query, [load_id, reason, reason]))


def columns_beside(
    connection: Connection, load_id: int, reason: str | None, names: Sequence[str]
) -> list[str]:
    """Returns the columns of open rejects that are none of these."""
    query = (
        "SELECT DISTINCT name FROM landfall.rejects CROSS JOIN jsonb_object_keys(cells) AS name"
        " WHERE load_id = %s AND state = 'open' AND (%s::text IS NULL OR reason = %s)"
        " AND name <> ALL(%s) ORDER BY name"
    )
    rows = connection.execute(query, [load_id, reason, reason, list(names)])
    return [name for (name,) in rows.fetchall()]


def cell_names(connection: Connection, load_id: int) -> set[str]:
    """Returns the columns of which the load's rejects have cells."""
    query = (
        "SELECT DISTINCT jsonb_object_keys(cells) FROM landfall.rejects"
        " WHERE load_id = %s AND state = 'open'"
    )
    return {name for (name,) in connection.execute(query, [load_id])}


def place_of(connection: Connection, reject_id: int) -> dict[str, Any]:
    """Returns where a reject is, as an error names it."""
    query = (
        "SELECT 's3://' || bucket || '/' || key AS object, member, line, row_number AS row"
        " FROM landfall.rejects WHERE reject_id = %s"
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, [reject_id]).fetchone() or {"line": None, "row": None}


def keep_replay(
    connection: Connection, load_id: int, rows: int, refused: int, by: str, deduplicated: int = 0
) -> None:
    """Moves rows from rejected to loaded, or to deduplicated, and keeps the replay in its history.

    Raises: DataError when the ledger has fewer rejected rows than are in the target now.
    """
    query = (
        "UPDATE landfall.ledger SET rows = rows + %(rows)s,"
        " rejected = rejected - %(rows)s - %(deduplicated)s,"
        " deduplicated = coalesce(deduplicated, 0) + %(deduplicated)s"
        " WHERE load_id = %(load_id)s AND rejected >= %(rows)s + %(deduplicated)s"
    )
    parameters = {
        "load_id": load_id, "rows": rows, "refused": refused, "by": by,
        "deduplicated": deduplicated,
    }  # fmt: skip
    if connection.execute(query, parameters).rowcount != 1:
        raise DataError(
            "the ledger does not have as many rejected rows as were replayed",
            found=f"{rows} rows, load {load_id}",
            do="compare landfall.ledger with landfall.rejects: somebody has changed one of them",
        )
    connection.execute(
        "INSERT INTO landfall.replays (load_id, rows, refused, replayed_by)"
        " VALUES (%(load_id)s, %(rows)s, %(refused)s, %(by)s)",
        parameters,
    )
