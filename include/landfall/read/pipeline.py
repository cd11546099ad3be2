"""Reads an arrival: from its bytes, through its format and the casts, to frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from include.landfall.errors import LandfallError
from include.landfall.frames import Frame, FrameType, Shape
from include.landfall.job import Job
from include.landfall.read.bounds import bounded
from include.landfall.read.content import Content
from include.landfall.read.formats import OriginOf, format_of
from include.landfall.read.framing import Framer
from include.landfall.read.joining import Joined, numbers_by_part
from include.landfall.read.planning import plan
from include.landfall.read.rows import moved
from include.landfall.read.spelling import Speller
from include.landfall.read.unpack import open_file, open_text
from include.landfall.s3.listing import find_parts
from include.landfall.s3.stream import OnRead

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def frames(client: S3Client, job: Job) -> Iterator[Frame]:
    """Yields the arrival's rows as frames.

    Raises: DataError where the whole file is wrong, ServerUnavailable, ObjectChanged and
    ObjectMissing where it cannot be read; each with feed and object.
    """
    with _placed(job):
        yield from _of_parts(client, job) if job.snapshot else _of_one(client, job)


def origins(client: S3Client, job: Job, numbers: Sequence[int]) -> Iterator[OriginOf]:
    """Reads the arrival once more for records with these numbers, which ascend.

    Yields number, origin and, where the record can be cut, its cells in the job's order.

    Raises: as `frames`.
    """
    with _placed(job):
        if job.snapshot is None:
            yield from _origins_of_one(client, job, numbers)
            return
        by_key = {part.key: part for part in find_parts(client, job.snapshot, job.arrival)}
        for part, own in numbers_by_part(job.parts, numbers):
            of_part = replace(job, arrival=by_key[part.key], snapshot=None)
            with _placed(of_part):
                for number, origin, cells in _origins_of_one(client, of_part, own):
                    yield number + part.first - 1, origin, cells


def _origins_of_one(client: S3Client, job: Job, numbers: Sequence[int]) -> Iterator[OriginOf]:
    opened = partial(_opened, client, job)
    planned = plan(job, opened)
    completer, speller = planned.completer, Speller(planned.reading)
    with opened() as stream:
        for number, origin, cells in format_of(job).origins_of(stream, planned.reading, numbers):
            yield number, origin, completer.cells(speller.cells(cells))


@contextmanager
def _placed(job: Job) -> Iterator[None]:
    """Adds feed and object to an error."""
    try:
        yield
    except LandfallError as error:
        error.at(feed=job.feed, object=job.arrival.uri)
        raise


def _of_parts(client: S3Client, job: Job) -> Iterator[Frame]:
    """Yields the rows of all parts of a snapshot as those of one file."""
    assert job.snapshot is not None
    joined = Joined()
    for part in find_parts(client, job.snapshot, job.arrival):
        of_part = replace(job, arrival=part, snapshot=None)
        with _placed(of_part):
            for frame in _of_one(client, of_part, joined.count):
                yield from joined.frames(frame, part.key)
    yield joined.end()


def _of_one(client: S3Client, job: Job, before: int = 0) -> Iterator[Frame]:
    """Yields the rows of one object; `before` is how many rows of other parts came before."""
    opened = partial(_opened, client, job)
    planned = plan(job, opened)
    framer, completer = Framer(planned.job), planned.completer
    speller = Speller(planned.reading)
    yield Shape(planned.job.names, framer.text_columns, planned.added, planned.changes).frame()
    count = padded = 0
    content = Content(job)
    with _opened(client, job, content.update) as stream:
        for rows in format_of(job).rows(stream, planned.reading):
            count += rows.count
            padded += rows.padded
            rows = moved(bounded(rows, job), before)
            yield from framer.frames(completer.rows(speller.rows(rows)))
            del rows  # the next ones need the room
    content_hash = content.hash_of(client) if count else b""
    yield Frame(FrameType.END, count, content_hash, first=padded)


def _opened(
    client: S3Client, job: Job, on_read: OnRead | None = None
) -> AbstractContextManager[BinaryIO]:
    if format_of(job).RANDOM_ACCESS:
        return open_file(client, job.arrival)
    return open_text(client, job.arrival, job.unpacking, on_read)
