"""Loads one arrival into its feed's target: read, write, settle."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.errors import LandfallError, RefusedCell, RowTooLong
from include.landfall.feed.model import Feed
from include.landfall.frames import Frame, FrameType
from include.landfall.job import Job, ReadMode
from include.landfall.ledger.claims import Claimant
from include.landfall.ledger.entries import create_ledger
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.read.process import read_frames
from include.landfall.write import copy
from include.landfall.write.copy import Written
from include.landfall.write.dispositions import disposition_of
from include.landfall.write.settle import Settled, keep_failure, settle
from include.landfall.write.staging import Staging
from include.landfall.write.target import add_load_id

INLINE_BYTES = 8 << 20  # below this a second process costs more than it brings
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Receipt:
    """What became of an arrival.

    `outcome`: loaded (by us, now), already_loaded (`by` says who), superseded (a newer version
    is in the table). `rows` are those in the target, `seconds` those of this call.
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
) -> Receipt:
    """Loads an arrival exactly once; `force` loads it again in place of its own rows.

    `by` is whom the ledger names; `progress` hears of the rows read so far, now and then.

    Returns a receipt whether this call loaded the arrival or another one had.

    Raises: LandfallError that says what to do. Then nothing of the file is in the target, and the
    ledger keeps the error.
    """
    replaces_feed = disposition_of(feed).replaces_feed
    claimant = Claimant.new(feed, arrival, by, replaces_feed=replaces_feed)
    started = time.monotonic()
    settled = _Load(claimant, store, warehouse, force, progress).run()
    seconds = round(time.monotonic() - started, 3)
    return Receipt(
        feed.name, arrival.bucket, arrival.key, arrival.version,
        settled.load_id, settled.outcome, settled.rows, seconds, settled.by,
    )  # fmt: skip


@dataclass(frozen=True)
class _Load:
    """One load under way."""

    claimant: Claimant
    store: Store
    warehouse: Warehouse
    force: bool
    progress: Progress

    def run(self) -> Settled:
        """Loads the arrival, and keeps the failure in the ledger when that fails."""
        feed, arrival = self.claimant.feed, self.claimant.arrival
        started = time.monotonic()
        try:
            return self._load()
        except LandfallError as error:
            error.at(feed=feed.name, object=arrival.uri)
            if settled := self._keep(str(error), time.monotonic() - started):
                return settled
            raise
        except Exception as error:
            # Not foreseen, so it has no message for a person. The ledger keeps it all the same.
            self._keep(f"{type(error).__name__}: {error}", time.monotonic() - started)
            raise

    def _load(self) -> Settled:
        feed, arrival = self.claimant.feed, self.claimant.arrival
        with connect(self.warehouse, f"landfall {feed.name} {arrival.key}") as connection:
            with postgres_errors():
                create_ledger(connection)
                add_load_id(connection, feed)
            mode = ReadMode()
            while True:
                write = partial(self._write, mode)
                try:
                    return settle(
                        connection, self.claimant, disposition_of(feed), write, force=self.force
                    )
                except (RefusedCell, RowTooLong) as refused:
                    mode = _next_mode(mode, refused)

    def _write(self, mode: ReadMode, staging: Staging, load_id: int) -> Written:
        feed, arrival = self.claimant.feed, self.claimant.arrival
        columns = tuple(column.planned for column in staging.columns)
        dialect = feed.format.dialect()
        job = Job(feed.name, arrival, self.store, columns, load_id, dialect, mode)
        with closing(_read(job)) as frames:
            reported = self._reported(frames)
            if not mode.all_as_text:
                return copy.copy(reported, staging)
            try:
                return copy.copy_judged(reported, staging)
            except RefusedCell as refused:
                if refused.place.row and not refused.place.line:
                    refused.at(line=_line_of(job, refused.place.row))
                raise

    def _reported(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        rows = 0
        for frame in frames:
            if frame.type in (FrameType.ROWS, FrameType.SUSPECTS):
                rows += frame.count
                self.progress(rows)
            yield frame

    def _keep(self, error: str, seconds: float) -> Settled | None:
        """Keeps the failure. Returns what became of the load if it had arrived after all."""
        try:
            with connect(self.warehouse) as connection:
                return keep_failure(connection, self.claimant, error, seconds)
        except LandfallError:
            return None  # the database is away: the first error is the one to tell


def _read(job: Job) -> Generator[Frame]:
    """Yields the job's frames, read in a process of its own when the file is large."""
    if job.arrival.size > INLINE_BYTES:
        yield from read_frames(job)
        return
    # Imported here, so that a large load's copying process stays small.
    from include.landfall.read.pipeline import frames
    from include.landfall.s3.client import make_client

    with closing(make_client(job.store)) as client:
        yield from frames(client, job)


def _line_of(job: Job, number: int) -> int | None:
    from include.landfall.read.pipeline import line_of
    from include.landfall.s3.client import make_client

    with closing(make_client(job.store)) as client:
        return line_of(client, job, number)


def _next_mode(mode: ReadMode, refused: RefusedCell | RowTooLong) -> ReadMode:
    """Returns how to read the file once more after what was refused, or raises that."""
    if isinstance(refused, RowTooLong):
        if mode.long_rows:
            raise refused
        return replace(mode, long_rows=True)
    if mode.all_as_text or refused.place.line:
        raise refused
    return replace(mode, all_as_text=True)
