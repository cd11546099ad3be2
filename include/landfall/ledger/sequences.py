"""The sequences of the ledger's tables, which must be ahead of the ids that are given out.

A database that was copied by logical replication, or restored without its sequences, gives ids out
again: loads would fail at the ledger's key, or take rows of a load that is forgotten for their own.
"""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.postgres.statements import statement

IDS = {
    "ledger": "load_id",
    "rejects": "reject_id",
    "replays": "replay_id",
    "changes": "change_id",
    "replaced": "replaced_id",
}


def advance_sequences(connection: Connection) -> None:
    """Sets the sequences behind the last ids, where the ledger's is not there.

    Raises: psycopg.Error when the role may not.
    """
    row = connection.execute(statement("ledger/sequence_is_behind")).fetchone()
    if not row or not row[0]:
        return
    for name, column in IDS.items():
        connection.execute(
            sql.SQL(
                "SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {}"
                " HAVING max({}) IS NOT NULL"
            ).format(
                sql.Literal(f"landfall.{name}"), sql.Literal(column), sql.Identifier(column),
                sql.Identifier("landfall", name), sql.Identifier(column),
            )
        )  # fmt: skip
