"""Validates an arrival: reads and judges every row as a load would, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from psycopg import Connection, sql

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.feed.model import Feed
from include.landfall.feed.target import VALID_FROM
from include.landfall.ledger.arrivals import check_target
from include.landfall.ledger.changes import text_of
from include.landfall.ledger.claims import Claimant
from include.landfall.ledger.duplicates import EarlierLoad
from include.landfall.ledger.entries import ledger_exists
from include.landfall.ledger.rejects import RejectedRow
from include.landfall.postgres.catalog import has_column
from include.landfall.postgres.connection import connect, server_encoding
from include.landfall.postgres.errors import postgres_errors
from include.landfall.postgres.statements import table
from include.landfall.transfer import Progress, Transfer, hashed_for
from include.landfall.write.alter import fit
from include.landfall.write.dispositions import disposition_of
from include.landfall.write.duplicates import check_content
from include.landfall.write.settle import departures, write_rows
from include.landfall.write.staging import Staging
from include.landfall.write.target import TargetColumn, compare, create_missing

COPY = "landfall_copy_of_target"


@dataclass(frozen=True)
class Validated:
    """What a load of the arrival would do. `samples` are some of the rows that it would reject.

    `not_judged` names what only a real load meets: foreign keys, triggers, and keys of rows that
    are in the table already. `deduplicated` rows would lose to another row of their key in the
    file. `changes` are the file's departures from the contract, and what a load
    would alter in the table. `duplicate_of` is the loaded file that has the same content.
    """

    feed: str
    key: str
    read: int
    accepted: int
    reasons: dict[str, int]
    samples: list[RejectedRow]
    fits_budget: bool
    not_judged: list[str]
    changes: list[str]
    deduplicated: int = 0
    duplicate_of: str | None = None

    @property
    def rejected(self) -> int:
        """How many rows would be rejected."""
        return sum(self.reasons.values())


def validate(
    feed: Feed,
    arrival: Arrival,
    *,
    store: Store,
    warehouse: Warehouse,
    progress: Progress = lambda rows: None,
) -> Validated:
    """Reads an arrival into an empty temporary copy of the target, and rolls that back.

    Raises: LandfallError when the file as a whole is wrong, or a server is away; DuplicateContent
    when the feed refuses what a loaded file has brought already.
    """
    with (
        connect(warehouse, f"landfall validate {feed.name}", feed.limits) as connection,
        postgres_errors(),
        connection.transaction(force_rollback=True),
    ):
        _prepare(connection, feed)
        not_judged = _not_judged(connection, feed)
        copied = _copy_target(connection, feed)
        changes = fit(connection, feed, copied)
        staging_of = partial(_staging, connection, feed, copied, compare(connection, feed, copied))
        encoding = server_encoding(connection)
        transfer = Transfer(feed, arrival, store, encoding, progress, hashed_for(feed))
        staging, read, accepted = write_rows(staging_of, transfer.run, 0)
        earlier = _earlier(connection, feed, arrival, staging.ending.content_hash)
        reasons, budget = staging.rejected.counts(), feed.rejects.budget
        return Validated(
            feed.name, arrival.key, read, accepted, reasons,
            staging.rejected.samples(budget.samples),
            not budget.is_exceeded(sum(reasons.values()), read), not_judged,
            [text_of(change) for change in [*changes, *departures(staging)]], staging.deduplicated,
            earlier.text if earlier else None,
        )  # fmt: skip


def _prepare(connection: Connection, feed: Feed) -> None:
    """Makes the target where it is missing. Raises: FeedError when it does not fit, or is gone."""
    if ledger_exists(connection):
        check_target(connection, feed)
    create_missing(connection, feed)


def _earlier(
    connection: Connection, feed: Feed, arrival: Arrival, content_hash: bytes
) -> EarlierLoad | None:
    """Returns the load that brought the same content before, as the ledger has it.

    Raises: DuplicateContent when the feed refuses such a file.
    """
    if not has_column(connection, sql.Identifier("landfall", "ledger"), "content_hash"):
        return None  # no ledger, or one of an earlier version
    return check_content(connection, Claimant.new(feed, arrival), content_hash, [], force=False)


def _staging(
    connection: Connection, feed: Feed, copied: sql.Identifier, columns: list[TargetColumn]
) -> Staging:
    """Returns the staging of a load into the copy."""
    staging = Staging(connection, feed, disposition_of(feed), columns, 0)
    staging.target, staging.keeps_replaced = copied, False
    return staging


def _copy_target(connection: Connection, feed: Feed) -> sql.Identifier:
    """Makes an empty temporary table with the target's columns, constraints and indexes."""
    connection.execute(
        sql.SQL("CREATE TEMP TABLE {} (LIKE {} INCLUDING ALL) ON COMMIT DROP").format(
            sql.Identifier(COPY), table(feed.target.table)
        )
    )
    connection.execute(
        sql.SQL("ALTER TABLE pg_temp.{} ADD COLUMN IF NOT EXISTS _load_id bigint").format(
            sql.Identifier(COPY)
        )
    )
    return sql.Identifier("pg_temp", COPY)


def _merged(feed: Feed) -> list[str]:
    """Returns the columns in which a merge may meet the rows already there, sorted."""
    versions = [VALID_FROM] if feed.target.is_scd2 else []
    return sorted([*feed.target.key, *versions] if feed.target.key else [])


def _not_judged(connection: Connection, feed: Feed) -> list[str]:
    """Names what of the target only a real load meets."""
    rows = connection.execute(
        "SELECT 'foreign key ' || conname FROM pg_constraint"
        " WHERE conrelid = to_regclass(%(target)s) AND contype = 'f'"
        " UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger"
        " WHERE tgrelid = to_regclass(%(target)s) AND NOT tgisinternal"
        " UNION ALL SELECT 'unique index ' || relname || ' against the rows already there'"
        " FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE indrelid = to_regclass(%(target)s) AND indisunique AND NOT ("
        " cardinality(%(merged)s::text[]) > 0 AND %(merged)s::text[] = ARRAY("
        " SELECT attname::text FROM pg_attribute WHERE attrelid = indrelid"
        " AND attnum = ANY(indkey) ORDER BY 1))",
        {"target": table(feed.target.table).as_string(connection), "merged": _merged(feed)},
    )
    return sorted(name for (name,) in rows.fetchall())
