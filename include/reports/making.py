"""How a worker makes a report: under a lease that it renews, streamed from Postgres to S3."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from include.landfall.errors import LandfallError

from .catalogue import Request, query
from .records import AWAY, RENEW_SECONDS, Record, Records
from .settings import BUCKET, Settings

if TYPE_CHECKING:
    from include.landfall.export.query import Exported

log = logging.getLogger(__name__)
# A report that kills its worker each time, or never finds its servers, is given up.
MOST_ATTEMPTS = 5
FORMATS: dict[str, tuple[Any, Any]] = {
    "csv": ("csv", None), "csv.gz": ("csv", "gzip"), "csv.zst": ("csv", "zstd"),
    "parquet": ("parquet", None),
}  # fmt: skip


class Later(Exception):
    """It cannot be made now: another worker makes it, or a server is away."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(f"{why}; looked at again in {seconds:.0f} s")
        self.seconds = seconds


class LeaseLost(Exception):
    """Another worker makes the report: this one was thought dead."""


def make_report(report_id: str, records: Records, settings: Settings) -> str:
    """Makes the report, once; says what became of it. Raises Later."""
    token = uuid.uuid4().hex
    word, number = records.take(report_id, token)
    if word == "held":
        raise Later("another worker makes it, or has just been lost", number / 1000 + 0.5)
    if word != "taken":
        return word
    if number > MOST_ATTEMPTS:
        error = f"given up after {MOST_ATTEMPTS} attempts: each time its worker was lost"
        records.settle(report_id, token, "failed", error=error)
        return "failed"
    record = records.find(report_id)
    assert record is not None
    log.info("report %s: attempt %s of %s", report_id, number, record.request)
    return _attempt(record, number, records, token, settings)


def _attempt(record: Record, number: int, records: Records, token: str, settings: Settings) -> str:
    try:
        with Lease(records, record.id, token) as lease:
            made = export_report(record.request, record.object, settings, lease.progress)
        kept = records.settle(record.id, token, "done", rows=made.rows, bytes=made.bytes)
        return "done" if kept else "made by another worker"
    except LeaseLost:
        return "taken over by another worker"
    except LandfallError as error:
        if error.retryable and number < MOST_ATTEMPTS:
            records.settle(record.id, token, "accepted", error=str(error))
            raise Later(error.what, 2.0**number) from error
        return _failed(record, records, token, str(error))
    except AWAY as error:
        # Longer than anybody waited: made or not, the record does not know it.
        raise Later("Redis is away", 5) from error
    except Exception:
        # Whoever asked is told that it failed; the log has why.
        _failed(record, records, token, "the report could not be made: see the worker's log")
        raise


def _failed(record: Record, records: Records, token: str, error: str) -> str:
    log.warning("report %s failed: %s", record.id, error)
    records.settle(record.id, token, "failed", error=error)
    return "failed"


def export_report(
    request: Request, place: str, settings: Settings, progress: Callable[[int], None] | None = None
) -> Exported:
    """Streams a report's rows from the warehouse to its object. Raises what `export` does."""
    # Imported here: the parent of the pool, and an API that only accepts, need none of it.
    from include.landfall.export.query import export

    statement, days = query(request)
    kind, compression = FORMATS[request.format]
    return export(
        statement, days, warehouse=settings.warehouse, store=settings.store, bucket=BUCKET,
        key=place, format=kind, compression=compression, progress=progress,
    )  # fmt: skip


class Lease:
    """Renews the lease from a thread, until the end of the block; tells how many rows there are."""

    def __init__(self, records: Records, report_id: str, token: str) -> None:
        self._records = records
        self._report = (report_id, token)
        self._rows = 0
        self._lost = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()

    def progress(self, rows: int) -> None:
        """So many rows have been read. Raises LeaseLost, and with it the object never appears."""
        self._rows = rows
        if self._lost:
            raise LeaseLost

    def _renew(self) -> None:
        while not self._over.wait(RENEW_SECONDS):
            # What Redis says is known at the next turn; it may only be restarting.
            with suppress(*AWAY):
                self._lost = not self._records.renew(*self._report, self._rows)
            if self._lost:
                return
