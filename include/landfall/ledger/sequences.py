"""The sequences of the ledger's tables, which must be ahead of the ids that are given out.

A database that was copied by logical replication, or restored without its sequences, gives ids out
again: loads would fail at the ledger's key, or take rows of a load that is forgotten for their own.
"""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.postgres.catalog import lock_name
from include.landfall.postgres.statements import statement, value

IDS = {
    "ledger": "load_id",
    "rejects": "reject_id",
    "replays": "replay_id",
    "changes": "change_id",
    "replaced": "replaced_id",
}


def advance_sequences(connection: Connection) -> None:
    """Sets the sequences behind the last ids, where the ledger's is not there. None goes back.

    Raises: psycopg.Error when the role may not.
    """
    if not value(connection, statement("ledger/sequence_is_behind")):
        return
    # Rolled back, so that no other load waits for this one. What setval() has done stays.
    with connection.transaction(force_rollback=True):
        lock_name(connection, "advance the sequences of landfall")
        for name, column in IDS.items():
            connection.execute(
                sql.SQL(
                    "SELECT setval(own.sequence, own.last) FROM (SELECT max({0}) AS last,"
                    " pg_get_serial_sequence({1}, {2})::regclass AS sequence FROM {3}) AS own"
                    " WHERE own.last > coalesce(pg_sequence_last_value(own.sequence), 0)"
                ).format(
                    sql.Identifier(column), sql.Literal(f"landfall.{name}"), sql.Literal(column),
                    sql.Identifier("landfall", name),
                )
            )  # fmt: skip
