"""Reads an arrival: from its bytes, through its format and the casts, to frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from include.landfall.errors import LandfallError
from include.landfall.frames import Frame, FrameType, RowSet, Shape
from include.landfall.job import Job
from include.landfall.read.bounds import bounded
from include.landfall.read.formats import OriginOf, format_of
from include.landfall.read.framing import Framer
from include.landfall.read.planning import plan
from include.landfall.read.spelling import Speller
from include.landfall.read.unpack import open_file, open_text

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def frames(client: S3Client, job: Job) -> Iterator[Frame]:
    """Yields the arrival's rows as frames.

    Raises: DataError where the whole file is wrong, ServerUnavailable, ObjectChanged and
    ObjectMissing where it cannot be read; each with feed and object.
    """
    try:
        yield from _frames(client, job)
    except LandfallError as error:
        error.at(feed=job.feed, object=job.arrival.uri)
        raise


def origins(client: S3Client, job: Job, numbers: Sequence[int]) -> Iterator[OriginOf]:
    """Reads the arrival once more for records with these numbers, which ascend.

    Yields number, origin and, where the record can be cut, its cells in the job's order.

    Raises: as `frames`.
    """
    opened = partial(_opened, client, job)
    try:
        planned = plan(job, opened)
        completer, speller = planned.completer, Speller(planned.reading)
        with opened() as stream:
            for number, origin, cells in format_of(job).origins_of(
                stream, planned.reading, numbers
            ):
                yield number, origin, completer.cells(speller.cells(cells))
    except LandfallError as error:
        error.at(feed=job.feed, object=job.arrival.uri)
        raise


def _frames(client: S3Client, job: Job) -> Iterator[Frame]:
    opened = partial(_opened, client, job)
    planned = plan(job, opened)
    framer, completer = Framer(planned.job), planned.completer
    speller = Speller(planned.reading)
    yield Shape(planned.job.names, framer.text_columns, planned.added, planned.changes).frame()
    count, padded = 0, RowSet()
    with opened() as stream:
        for rows in format_of(job).rows(stream, planned.reading):
            count += rows.count
            padded.add(rows.padded)
            rows = bounded(rows, job)
            yield from framer.frames(completer.rows(speller.rows(rows)))
            del rows  # the next ones need the room
    yield Frame(FrameType.END, count, padded.bits)


def _opened(client: S3Client, job: Job) -> AbstractContextManager[BinaryIO]:
    if format_of(job).RANDOM_ACCESS:
        return open_file(client, job.arrival)
    return open_text(client, job.arrival, job.unpacking)
