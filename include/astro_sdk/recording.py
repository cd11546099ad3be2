"""Records in the ledger what a `replace` has loaded through another table."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import Connection

from include.airflow_bridge.task import loader
from include.landfall.arrival import Arrival
from include.landfall.errors import LandfallError
from include.landfall.ledger import claims
from include.landfall.ledger.claims import Claimant
from include.landfall.load import Receipt
from include.landfall.write import settle

from .plain_feed import Destination, feed_of
from .sources import S3Files

if TYPE_CHECKING:
    from .database import PostgresDatabase


def lock(connection: Connection, to: Destination, files: S3Files) -> None:
    """Waits until no other load replaces the table."""
    claims.lock(connection, _claimant(to, files, files.arrivals[0]))


def record(
    connection: Connection, to: Destination, files: S3Files, receipts: Sequence[Receipt]
) -> list[Receipt]:
    """Writes the loads into the ledger, in the transaction that replaces the table.

    Returns the receipts with the ids that the loads got.
    """
    recorded: list[Receipt] = []
    for arrival, receipt in zip(files.arrivals, receipts, strict=True):
        claimant = _claimant(to, files, arrival)
        claim = claims.claim(connection, claimant, force=True)
        assert claim is not None  # it is forced
        if not recorded:  # the first one replaces all of before, and none of the others
            claims.supersede(connection, claimant, claim.load_id)
        claims.close(connection, claim.load_id, "loaded", receipt.rows, {})
        recorded.append(replace(receipt, feed=claimant.feed.name, load_id=claim.load_id))
    return recorded


def keep_failure(
    database: PostgresDatabase, to: Destination, files: S3Files, arrival: Arrival, error: Exception
) -> None:
    """Writes the failure of one file into the ledger, if the database is there."""
    with suppress(LandfallError), database.connect() as connection:
        settle.keep_failure(connection, _claimant(to, files, arrival), error, 0, force=True)


def _claimant(to: Destination, files: S3Files, arrival: Arrival) -> Claimant:
    feed = feed_of(to, arrival, files.format)
    return Claimant.new(feed, arrival, loader(), replaces_feed=True)
