"""Produce: an arrival to frames, through open, decode, cast and encode. No database here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, BinaryIO

from include.landfall.errors import DataError, LandfallError, RowTooLong
from include.landfall.frames import Frame, Kind
from include.landfall.job import Job
from include.landfall.read.batches import Caster
from include.landfall.read.formats.csv import decode
from include.landfall.read.formats.csv_exact import find_fault, find_record
from include.landfall.read.rows import Suspicious, Unvouched
from include.landfall.read.unpack import open_file, open_text

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def frames(client: S3Client, job: Job) -> Iterator[Frame]:
    """The arrival's rows as frames; raises the errors of every house on the way."""
    try:
        yield from _frames(client, job)
    except Suspicious as doubt:
        error = _fault(client, job) or DataError("the file cannot be read", found=str(doubt))
        raise error.at(feed=job.feed, object=job.arrival.uri) from doubt
    except LandfallError as error:
        if error.place.row and not error.place.line:
            error.at(line=line_of(client, job, error.place.row))
        error.at(feed=job.feed, object=job.arrival.uri)
        raise


def _frames(client: S3Client, job: Job) -> Iterator[Frame]:
    caster = Caster(job)
    yield Frame(Kind.SHAPE, payload=json.dumps(caster.text_columns).encode())
    read = 0
    vouched = True
    with opened(client, job) as stream:
        try:
            for rows in decode(stream, job):
                read += rows.batch.num_rows
                yield from caster.frames(rows)
        except Unvouched:
            vouched = False
    if not vouched:
        _vouch(client, job, read)
    yield Frame(Kind.END, read)


def _vouch(client: S3Client, job: Job, read: int) -> None:
    """Scans the file once more; raises its fault, if it has one."""
    with opened(client, job) as stream:
        fault = find_fault(stream, job.dialect, len(job.columns), read)
    if fault:
        raise fault


def opened(client: S3Client, job: Job) -> AbstractContextManager[BinaryIO]:
    """The arrival's bytes, as its format wants to read them."""
    parquet = job.dialect.format == "parquet"
    return open_file(client, job.arrival) if parquet else open_text(client, job.arrival)


def line_of(client: S3Client, job: Job, number: int) -> int | None:
    """The physical line on which the row of that number begins; None in Parquet."""
    if job.dialect.format == "parquet":
        return None
    with opened(client, job) as stream:
        record = find_record(stream, job.dialect, len(job.columns), number)
    return record.line if record else None


def _fault(client: S3Client, job: Job) -> LandfallError | None:
    with opened(client, job) as stream:
        fault = find_fault(stream, job.dialect, len(job.columns))
    if fault is None and not job.manner.long_rows:
        return RowTooLong(f"a row is longer than {job.manner.block_size} bytes")
    return fault
