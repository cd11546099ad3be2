"""The ledger's table and its rows. A row commits with the data of its load."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, errors

from include.landfall.ledger.sequences import IDS
from include.landfall.postgres.catalog import create_schema, has_relation, lock_name
from include.landfall.postgres.statements import statement, value

SCHEMA, NAME = "landfall", "ledger"
# The columns that came last in their tables: where they are, all other columns are.
NEWEST = [f"{NAME}.failed_at", "replaced.columns"]


@dataclass(frozen=True)
class Entry:
    """A row of the ledger. `seconds` is how long the load took; times have a zone.

    `rejected` is how many rows of the file are rejects, `reasons` how many for which reason;
    `deduplicated` how many lost to a newer row of their key.
    `error` is why the last try failed, at `failed_at`; of a loaded or superseded one it was a try
    to load it again. `retry_after`: it is not handed on by the sensor before. `duplicate_of` is the
    load that brought the same content from an object of another key.
    """

    load_id: int
    feed: str
    bucket: str
    key: str
    etag: str
    size: int
    last_modified: datetime
    target: str
    rows: int | None
    started: datetime
    seconds: float | None
    status: str
    error: str | None
    loaded_by: str
    rejected: int | None = None
    reasons: dict[str, int] | None = None
    retry_after: datetime | None = None
    deduplicated: int | None = None
    duplicate_of: int | None = None
    failed_at: datetime | None = None

    @property
    def version(self) -> str:
        """What tells this version from the others of the same object, together with `size`."""
        return self.etag


def create_ledger(connection: Connection) -> None:
    """Creates the ledger where it is missing, also when two first loads do so at once.

    A ledger of an earlier version gets the columns and tables that came later, and one that was
    restored without its other tables gets them empty.
    """
    if _is_whole(connection):
        return
    with connection.transaction():
        lock_name(connection, "create landfall.ledger")
        create_schema(connection, SCHEMA)
        connection.execute(statement("ledger/create"))


def _is_whole(connection: Connection) -> bool:
    query = (
        "SELECT count(DISTINCT c.oid) = %(tables)s AND count(a.attname) = %(columns)s"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " LEFT JOIN pg_attribute AS a"
        " ON a.attrelid = c.oid AND c.relname || '.' || a.attname = ANY(%(newest)s)"
        " WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s)"
    )
    counts = {"tables": len(IDS), "columns": len(NEWEST)}
    return bool(
        value(connection, query, {"schema": SCHEMA, "newest": NEWEST, "names": list(IDS), **counts})
    )


def can_record(connection: Connection) -> bool:
    """Creates the ledger where it is missing. Returns whether the role may write into it."""
    try:
        create_ledger(connection)
    except errors.InsufficientPrivilege:
        return False
    query = (
        "SELECT has_schema_privilege(%(schema)s, 'USAGE')"
        " AND bool_and(has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')"
        " AND has_table_privilege(oid, 'UPDATE')) FROM pg_class"
        " WHERE relnamespace = to_regnamespace(%(schema)s)"
        " AND relname IN ('ledger', 'rejects', 'changes')"
    )
    return bool(value(connection, query, {"schema": SCHEMA}))


def ledger_exists(connection: Connection) -> bool:
    """Returns whether there is a ledger yet."""
    return has_relation(connection, SCHEMA, NAME)
