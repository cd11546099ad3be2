"""Loads one arrival into its feed's target: read, write, settle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.errors import OF_ONE_FILE, LandfallError
from include.landfall.feed.model import Feed
from include.landfall.job import Hashed
from include.landfall.ledger.changes import text_of
from include.landfall.ledger.claims import Claimant
from include.landfall.ledger.entries import create_ledger
from include.landfall.postgres.connection import connect, server_encoding
from include.landfall.postgres.errors import postgres_errors
from include.landfall.postgres.locks import add_holder
from include.landfall.transfer import Progress, Transfer, hashed_for, reader_for
from include.landfall.write.dispositions import disposition_of
from include.landfall.write.settle import Settled, keep_failure, settle, settle_unrecorded
from include.landfall.write.target import add_load_id

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class Receipt:
    """What became of an arrival.

    `outcome`: loaded (by us, now), already_loaded (`by` says who), superseded (a newer version
    is in the table). `rows` are those in the target, `seconds` those of this call. `rejected` is
    how many rows of the file were refused, `reasons` how many for which reason; `deduplicated` how
    many lost to a newer row of their key. `changes` are the file's departures from the contract,
    and what was altered in the table. `duplicate_of` names the object of another key, and its load,
    that brought the same content before.
    """

    feed: str
    bucket: str
    key: str
    version: str
    load_id: int
    outcome: str
    rows: int
    seconds: float
    by: str
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    deduplicated: int = 0
    changes: list[str] = field(default_factory=list)
    duplicate_of: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns the receipt in values that JSON, and so XCom, can carry."""
        return asdict(self)


def load(
    feed: Feed,
    arrival: Arrival,
    *,
    store: Store,
    warehouse: Warehouse,
    force: bool = False,
    by: str = "",
    progress: Progress = lambda rows: None,
    recorded: bool = True,
    client: S3Client | None = None,
) -> Receipt:
    """Loads an arrival exactly once; `force` loads it again in place of its own rows.

    `by` is whom the ledger names; `progress` hears of the rows read so far, now and then. Without
    `recorded` there is no ledger, and each call loads (`write.settle.settle_unrecorded`). `client`
    is one for the store that the caller keeps, because making one is a third of a small load.

    Returns a receipt whether this call loaded the arrival or another one had.

    Raises: LandfallError that says what to do. Then nothing of the file is in the target, and the
    ledger keeps the error.
    """
    replaces_feed = disposition_of(feed).replaces_feed
    claimant = Claimant.new(feed, arrival, by, replaces_feed=replaces_feed)
    started = time.monotonic()
    settled = _Load(claimant, store, warehouse, force, progress, recorded, client).run()
    seconds = round(time.monotonic() - started, 3)
    became = {**settled.__dict__, "changes": [text_of(change) for change in settled.changes]}
    place = feed.name, arrival.bucket, arrival.key, arrival.version
    return Receipt(*place, seconds=seconds, **became)


def load_each(
    feed: Feed,
    arrivals: Sequence[Arrival],
    *,
    store: Store,
    warehouse: Warehouse,
    force: bool = False,
    by: str = "",
    progress_of: Callable[[Arrival], Progress] = lambda arrival: lambda rows: None,
) -> Iterator[tuple[Arrival, Receipt | LandfallError]]:
    """Loads arrivals in their order, each as `load` does.

    Yields each arrival with its receipt, or with the error that is its own and stops no other.

    Raises: LandfallError of another kind, which would meet the others too.
    """
    with _client_for(arrivals, store) as client:
        for arrival in arrivals:
            became: Receipt | LandfallError
            try:
                became = load(
                    feed, arrival, store=store, warehouse=warehouse, force=force, by=by,
                    progress=progress_of(arrival), client=client,
                )  # fmt: skip
            except OF_ONE_FILE as error:
                became = error
            yield arrival, became


def _client_for(
    arrivals: Sequence[Arrival], store: Store
) -> AbstractContextManager[S3Client | None]:
    if len(arrivals) < 2:
        return nullcontext()  # a large load needs none in this process
    from include.landfall.s3.client import make_client

    return closing(make_client(store))


@dataclass(frozen=True)
class _Load:
    """One load under way."""

    claimant: Claimant
    store: Store
    warehouse: Warehouse
    force: bool
    progress: Progress
    recorded: bool
    client: S3Client | None

    def run(self) -> Settled:
        """Loads the arrival, and keeps the failure in the ledger when that fails."""
        feed, arrival = self.claimant.feed, self.claimant.arrival
        started = time.monotonic()
        try:
            return self._load()
        except LandfallError as error:
            error.at(feed=feed.name, object=arrival.uri)
            if settled := self._keep(error, time.monotonic() - started):
                return settled
            raise
        except Exception as error:
            # Not foreseen, so it has no message for a person. The ledger keeps it all the same.
            self._keep(error, time.monotonic() - started)
            raise

    def _load(self) -> Settled:
        feed, arrival = self.claimant.feed, self.claimant.arrival
        name = f"landfall {feed.name} {arrival.key}"
        with (
            reader_for(arrival) as reader,  # it starts while the connection is made
            connect(self.warehouse, name, feed.limits) as connection,
        ):
            with postgres_errors():
                if self.recorded:
                    create_ledger(connection)
                add_load_id(connection, feed)
                encoding = server_encoding(connection)
            transfer = Transfer(
                feed, arrival, self.store, encoding, self.progress, self._hashed(), self.client,
                reader,
            )  # fmt: skip
            disposition = disposition_of(feed)
            if not self.recorded:
                return settle_unrecorded(connection, self.claimant, disposition, transfer.run)
            return settle(connection, self.claimant, disposition, transfer.run, force=self.force)

    def _hashed(self) -> Hashed:
        if not self.recorded:
            return Hashed.NONE
        return hashed_for(self.claimant.feed)

    def _keep(self, error: Exception, seconds: float) -> Settled | None:
        """Keeps the failure. Returns what became of the load if it had arrived after all."""
        if not self.recorded:
            return None
        try:
            with connect(self.warehouse) as connection:
                if isinstance(error, LandfallError):
                    target = self.claimant.feed.target
                    add_holder(connection, target.schema_name, target.table_name, error)
                return keep_failure(connection, self.claimant, error, seconds, force=self.force)
        except LandfallError:
            return None  # the database is away: the first error is the one to tell
