"""Reads an arrival: from its bytes, through its format and the casts, to frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, BinaryIO

from include.landfall.errors import DataError, LandfallError
from include.landfall.frames import Frame, FrameType
from include.landfall.job import Job
from include.landfall.read.formats import format_of
from include.landfall.read.framing import Framer
from include.landfall.read.rows import FastPathFailed, FastPathUnsure
from include.landfall.read.unpack import open_file, open_text

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def frames(client: S3Client, job: Job) -> Iterator[Frame]:
    """Yields the arrival's rows as frames.

    Raises: DataError where the file is wrong, ServerUnavailable, ObjectChanged and ObjectMissing
    where it cannot be read; each with feed, object and, as far as it is known, the line.
    """
    try:
        yield from _frames(client, job)
    except FastPathFailed as failed:
        error = _find_fault(client, job) or DataError("the file cannot be read", found=str(failed))
        raise error.at(feed=job.feed, object=job.arrival.uri) from failed
    except LandfallError as error:
        if error.place.row and not error.place.line:
            error.at(line=line_of(client, job, error.place.row))
        error.at(feed=job.feed, object=job.arrival.uri)
        raise


def line_of(client: S3Client, job: Job, number: int) -> int | None:
    """Returns the line on which the row of that number begins, or None where rows have no line."""
    with _opened(client, job) as stream:
        return format_of(job).line_of(stream, job, number)


def _frames(client: S3Client, job: Job) -> Iterator[Frame]:
    framer = Framer(job)
    yield Frame(FrameType.SHAPE, payload=json.dumps(framer.text_columns).encode())
    count = 0
    unsure = False
    with _opened(client, job) as stream:
        try:
            for rows in format_of(job).rows(stream, job):
                count += rows.batch.num_rows
                yield from framer.frames(rows)
        except FastPathUnsure:
            unsure = True
    if unsure and (fault := _find_fault(client, job, count)):
        raise fault
    yield Frame(FrameType.END, count)


def _opened(client: S3Client, job: Job) -> AbstractContextManager[BinaryIO]:
    open_as = open_file if format_of(job).RANDOM_ACCESS else open_text
    return open_as(client, job.arrival)


def _find_fault(client: S3Client, job: Job, count: int | None = None) -> LandfallError | None:
    """Reads the file once more, exactly, and returns what is wrong with it, if anything is."""
    with _opened(client, job) as stream:
        return format_of(job).find_fault(stream, job, count)
