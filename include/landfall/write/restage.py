"""Rejects once more: from the ledger into the staging of texts, and back with what became of them.

In the staging a row's number is the id of its reject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection, sql

from include.landfall.errors import DataError
from include.landfall.job import ROW_NUMBER
from include.landfall.postgres.statements import statement
from include.landfall.write.deferred import check_all_at_once
from include.landfall.write.incoming import INCOMING
from include.landfall.write.judge import judge
from include.landfall.write.merge import merge
from include.landfall.write.staging import Staging

Cells = Sequence[str | None]


def stage_rejects(
    staging: Staging,
    load_id: int,
    reason: str | None,
    edited: Mapping[int, Cells] | None,
    edited_names: list[str],
) -> int:
    """Locks open rejects of a load, puts their cells into TEXTS, and returns how many there are.

    `edited` are cells by the rejects' ids, in the order of `edited_names`; then no other reject is
    taken.
    """
    connection = staging.connection
    staging.begin()
    staging.create_texts()
    staging.rejected.create()
    staging.rejected.enough = None  # there is no error budget: every row is judged
    _create_edited(connection, edited or {})
    parameters: dict[str, Any] = {
        "load_id": load_id,
        "reason": reason,
        "is_edited": edited is not None,
        "names": staging.names,
        "edited_names": edited_names,
    }
    return connection.execute(statement("write/stage_rejects"), parameters).rowcount


def _create_edited(connection: Connection, edited: Mapping[int, Cells]) -> None:
    connection.execute(
        "CREATE TEMP TABLE landfall_edited (reject_id bigint, cells text[]) ON COMMIT DROP"
    )
    if not edited:
        return
    query = "COPY pg_temp.landfall_edited (reject_id, cells) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        copy.set_types(["int8", "text[]"])
        for reject_id, cells in edited.items():
            copy.write_row((reject_id, list(cells)))


def judge_rejects(staging: Staging, staged: int, by: str) -> tuple[int, dict[str, int]]:
    """Puts what Postgres takes into the target, and settles those rejects.

    Returns how many rows went in, and how many were refused again for which reason. The latter stay
    open, with their new reasons. A row that lost to a newer row of its key is superseded.

    Raises: DataError when a row is lost, LandfallError when a trigger or a policy refuses one.
    """
    connection = staging.connection
    if not staging.disposition.is_merged:  # a merge may delete rows before they are back
        check_all_at_once(connection, staging.target)
    inserted = merge(staging, judge(staging), is_whole_file=False)
    refused = staging.rejected.counts()
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    settled = connection.execute(
        statement("write/settle_replayed").format(is_lost=_is_lost(staging), by=sql.Literal(by))
    ).rowcount
    accepted = inserted + staging.deduplicated
    if not accepted == settled == staged - sum(refused.values()):
        raise DataError(
            "rows were lost on the way to the table",
            found=f"{accepted} rows loaded, {sum(refused.values())} refused, {settled} settled",
            expected=f"the {staged} rows replayed (a rule or trigger may drop rows)",
        )
    staging.rejected.conceal()
    connection.execute(statement("write/refuse_again"), {"names": staging.names})
    return inserted, refused


def _is_lost(staging: Staging) -> sql.Composable:
    """Returns the condition by which a staged row lost to another one: it is not in INCOMING."""
    if not staging.disposition.is_merged:
        return sql.SQL("false")
    query = "NOT EXISTS (SELECT 1 FROM {} AS i WHERE i.{} = staged.number)"
    return sql.SQL(query).format(INCOMING, sql.Identifier(ROW_NUMBER))
