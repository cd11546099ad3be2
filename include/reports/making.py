"""How a worker makes a report: it holds a lease, and streams the rows from Postgres to S3."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from include.landfall.errors import LandfallError, ObjectMissing
from include.landfall.s3.listing import find_arrival
from include.landfall.s3.upload import unchanged

from .catalogue import Request, query
from .records import CONNECTION_ERRORS, RENEW_SECONDS, Record, Records
from .settings import BUCKET, Settings

if TYPE_CHECKING:
    from include.landfall.export.query import Exported

log = logging.getLogger(__name__)
# After so many attempts the report has failed: its worker died each time, or no server answered.
MAX_ATTEMPTS = 5
# For each format of a request: the format of the file, and its compression.
FORMATS: dict[str, tuple[Any, Any]] = {
    "csv": ("csv", None), "csv.gz": ("csv", "gzip"), "csv.zst": ("csv", "zstd"),
    "parquet": ("parquet", None),
}  # fmt: skip

# What callers read of an error.
AWAY = "a server that the report needs is not available: it is tried again"
NOT_MADE = "the report could not be made: the log of the service has the reason"


class TryLater(Exception):
    """The report cannot be made now: another worker makes it, or a server does not answer."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(f"{reason}; next attempt in {seconds:.0f} s")
        self.seconds = seconds


class LeaseLost(Exception):
    """Another worker makes the report now, because this one did not renew its lease in time."""


def make_report(report_id: str, records: Records, settings: Settings) -> str:
    """Makes the report, once, and returns how it ended.

    Raises: TryLater when the report cannot be made now.
    """
    token = uuid.uuid4().hex
    outcome, number = records.take(report_id, token)
    if outcome == "held":
        reason = "another worker makes it, or has just been lost"
        raise TryLater(reason, number / 1000 + 0.5)  # half a second after its lease expires
    if outcome != "taken":
        return outcome
    if number > MAX_ATTEMPTS:
        error = f"given up after {MAX_ATTEMPTS} attempts: each time its worker was lost"
        records.settle(report_id, token, "failed", error=error)
        return "failed"
    record = records.find(report_id)
    assert record is not None
    log.info("report %s: attempt %s of %s", report_id, number, record.request)
    return _attempt(record, number, records, token, settings)


def _attempt(record: Record, number: int, records: Records, token: str, settings: Settings) -> str:
    try:
        with Lease(records, record.id, token) as lease:
            earlier = _etag_of(record.object_key, settings)
            # A worker may sleep here, and wake when another one has made the report. The store
            # then refuses its object, because the key no longer has the one that it saw before.
            lease.check()
            exported = export_report(
                record.request, record.object_key, settings, lease.progress, unchanged(earlier)
            )
        settled = records.settle(record.id, token, "done", rows=exported.rows, bytes=exported.bytes)
        return "done" if settled else "made by another worker"
    except LeaseLost:
        return "taken over by another worker"
    except LandfallError as error:
        log.warning("report %s, attempt %s: %s", record.id, number, error)
        if error.retryable and number < MAX_ATTEMPTS:
            records.settle(record.id, token, "accepted", error=for_callers(error))
            raise TryLater(error.what, 2.0**number) from error
        return _failed(record, records, token, for_callers(error))
    except CONNECTION_ERRORS as error:
        # Redis did not come back while the worker waited for it, so the worker does not know what
        # the record says. The next attempt reads it.
        raise TryLater("Redis is away", 5) from error
    except Exception:
        # The caller learns that the report failed, and the worker's log has the reason.
        _failed(record, records, token, NOT_MADE)
        raise


def for_callers(error: LandfallError) -> str:
    """Returns what callers read of an error.

    The whole message names hosts, roles, databases and buckets, so it goes to the log only.
    """
    return AWAY if error.retryable else NOT_MADE


def _failed(record: Record, records: Records, token: str, error: str) -> str:
    log.warning("report %s failed", record.id)
    records.settle(record.id, token, "failed", error=error)
    return "failed"


def _etag_of(key: str, settings: Settings) -> str | None:
    """Returns the ETag of the object that the key has now, if any."""
    from include.landfall.s3.client import make_client

    with closing(make_client(settings.store)) as client:
        try:
            return find_arrival(client, BUCKET, key).etag
        except ObjectMissing:
            return None


def export_report(
    request: Request,
    key: str,
    settings: Settings,
    progress: Callable[[int], None] | None = None,
    condition: Mapping[str, str] | None = None,
) -> Exported:
    """Streams a report's rows from the warehouse to the object with this key.

    Raises: the errors of `include.landfall.export.query.export`.
    """
    # Imported here, because the parent of the pool, and an API that only accepts, do not need it.
    from include.landfall.export.query import export

    statement, days = query(request)
    file_format, compression = FORMATS[request.format]
    return export(
        statement, days, warehouse=settings.warehouse, store=settings.store, bucket=BUCKET,
        key=key, format=file_format, compression=compression, progress=progress,
        condition=condition,
    )  # fmt: skip


class Lease:
    """A context in which a thread renews the lease, and notes the rows so far in the record."""

    def __init__(self, records: Records, report_id: str, token: str) -> None:
        self._records = records
        self._report = (report_id, token)
        self._rows = 0
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()

    def progress(self, rows: int) -> None:
        """Notes how many rows have been read.

        Raises: LeaseLost when another worker has the lease. The export then ends without an object.
        """
        self._rows = rows
        if self._lost:
            raise LeaseLost

    def check(self) -> None:
        """Renews the lease at once.

        Raises: LeaseLost when another worker has it.
        """
        if not self._records.renew(*self._report, self._rows):
            raise LeaseLost

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            # Redis may only be restarting, so an error is ignored: the next turn asks again.
            with suppress(*CONNECTION_ERRORS):
                self._lost = not self._records.renew(*self._report, self._rows)
            if self._lost:
                return
