"""Load: one arrival into its feed's target, in one transaction, with one row in the ledger.

The only module that knows the order of the street.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from psycopg import Connection

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.errors import LandfallError, RefusedCell, RowTooLong
from include.landfall.feed.formats import CsvFormat
from include.landfall.feed.model import Feed
from include.landfall.frames import Frame, Kind
from include.landfall.job import Dialect, Job, Manner
from include.landfall.ledger import claims
from include.landfall.ledger.entries import Entry, create_ledger
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.read.process import INLINE_BYTES, read_frames
from include.landfall.write import judge, target
from include.landfall.write.copy import Copier


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
        """The receipt in values that JSON, and so XCom, can carry."""
        return asdict(self)


def load(
    feed: Feed,
    arrival: Arrival,
    *,
    store: Store,
    warehouse: Warehouse,
    force: bool = False,
    by: str = "",
    progress: Callable[[int], None] = lambda rows: None,
) -> Receipt:
    """Loads an arrival exactly once; `force` loads it again in the place of its own rows.

    `by` is whom the ledger names; `progress` is told the rows read so far, now and then.

    Returns a receipt whether we loaded it or somebody else had. On failure nothing of the file
    is in the target, the ledger keeps the error, and a LandfallError says what to do.
    """
    claimant = claims.Claimant.new(feed, arrival, by)
    return Load(feed, arrival, store, warehouse, force, claimant, progress).run()


@dataclass
class Load:
    """One load under way."""

    feed: Feed
    arrival: Arrival
    store: Store
    warehouse: Warehouse
    force: bool
    claimant: claims.Claimant
    progress: Callable[[int], None]

    def run(self) -> Receipt:
        """Loads; keeps the failure in the ledger when it fails."""
        started = time.monotonic()
        try:
            return self._load(started)
        except LandfallError as error:
            error.at(feed=self.feed.name, object=self.arrival.uri)
            loaded = self._keep(str(error), time.monotonic() - started)
            if loaded is None:
                raise
            return self._receipt("loaded", loaded.load_id, loaded.rows or 0, started)
        except Exception as error:
            # Not foreseen, so not worded; the ledger keeps it all the same.
            self._keep(f"{type(error).__name__}: {error}", time.monotonic() - started)
            raise

    def _load(self, started: float) -> Receipt:
        with connect(self.warehouse, f"landfall {self.feed.name} {self.arrival.key}") as connection:
            with postgres_errors():
                create_ledger(connection)
            manner = Manner()
            while True:
                try:
                    return self._attempt(connection, started, manner)
                except (RefusedCell, RowTooLong) as refused:
                    manner = _next_manner(manner, refused)

    def _attempt(self, connection: Connection, started: float, manner: Manner) -> Receipt:
        with postgres_errors(), connection.transaction():
            claims.lock(connection, self.claimant)
            newer = None if self.force else claims.newer(connection, self.claimant)
            claimed = claims.claim(connection, self.claimant, self.force)
            if claimed is None:
                return self._loaded_before(connection, started)
            load_id, known_before = claimed
            if newer:
                claims.close(connection, load_id, "superseded", None)
                return self._receipt("superseded", newer[0], 0, started, by=newer[1])
            rows = self._fill(connection, load_id, known_before, manner)
            claims.close(connection, load_id, "loaded", rows)
        return self._receipt("loaded", load_id, rows, started)

    def _fill(self, connection: Connection, load_id: int, again: bool, manner: Manner) -> int:
        """The arrival's rows into the target, in the place of those that they replace."""
        columns = target.prepare(connection, self.feed)
        stale = claims.supersede(connection, self.claimant, load_id)
        target.replace_rows(connection, self.feed, [*stale, *([load_id] if again else [])])
        job = self._job(columns, load_id, manner)
        copier = Copier(connection, self.feed, columns, load_id)
        with closing(self._frames(job)) as frames:
            watched = self._watched(frames)
            rows = copier.stage(watched) if manner.careful else copier.copy(watched)
        if manner.careful:
            self._judge(copier, rows, job)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return rows

    def _judge(self, copier: Copier, rows: int, job: Job) -> None:
        try:
            judge.insert(copier, rows)
        except RefusedCell as error:
            if error.place.row:
                from include.landfall.read.pipeline import line_of
                from include.landfall.s3.client import make_client

                with closing(make_client(self.store)) as client:
                    error.at(line=line_of(client, job, error.place.row))
            raise

    def _job(self, columns: list[target.TargetColumn], load_id: int, manner: Manner) -> Job:
        form = self.feed.format
        dialect = (
            Dialect("csv", form.delimiter, form.quote, tuple(form.nulls))
            if isinstance(form, CsvFormat)
            else Dialect("parquet")
        )
        planned = tuple(column.planned for column in columns)
        return Job(self.feed.name, self.arrival, self.store, planned, load_id, dialect, manner)

    def _watched(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        rows = 0
        for frame in frames:
            if frame.kind in (Kind.ROWS, Kind.SUSPECTS):
                rows += frame.count
                self.progress(rows)
            yield frame

    def _frames(self, job: Job) -> Generator[Frame]:
        if self.arrival.size > INLINE_BYTES:
            yield from read_frames(job)
            return
        # Imported here, so that a large load's copying process stays small.
        from include.landfall.read.pipeline import frames
        from include.landfall.s3.client import make_client

        with closing(make_client(job.store)) as client:
            yield from frames(client, job)

    def _loaded_before(self, connection: Connection, started: float) -> Receipt:
        found = claims.find(connection, self.claimant)
        assert found is not None  # the claim met it
        entry, _ = found
        return self._receipt(
            "already_loaded", entry.load_id, entry.rows or 0, started, by=entry.loaded_by
        )

    def _keep(self, error: str, seconds: float) -> Entry | None:
        """The failure into the ledger; the ledger's row if the load had arrived after all."""
        try:
            with connect(self.warehouse) as connection, postgres_errors():
                create_ledger(connection)
                return claims.keep_failure(connection, self.claimant, error, seconds)
        except LandfallError:
            return None  # the database is away: the first error is the one to tell

    def _receipt(
        self, outcome: str, load_id: int, rows: int, started: float, by: str | None = None
    ) -> Receipt:
        arrival = self.arrival
        return Receipt(
            self.feed.name, arrival.bucket, arrival.key, arrival.version, load_id, outcome, rows,
            round(time.monotonic() - started, 3), by or self.claimant.by,
        )  # fmt: skip


def _next_manner(manner: Manner, refused: RefusedCell | RowTooLong) -> Manner:
    """How to read the file once more after what was refused; raises that when there is no more."""
    if isinstance(refused, RowTooLong):
        if manner.long_rows:
            raise refused
        return replace(manner, long_rows=True)
    if manner.careful or refused.place.line:
        raise refused
    return replace(manner, careful=True)
