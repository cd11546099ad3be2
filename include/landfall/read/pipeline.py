"""Reads an arrival: from its bytes, through its format and the casts, to frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, BinaryIO

from include.landfall.arrival import PartStart, numbers_by_part
from include.landfall.errors import DataError, LandfallError
from include.landfall.frames import Frame, Shape
from include.landfall.job import Job
from include.landfall.read.bounds import bounded
from include.landfall.read.content import Content
from include.landfall.read.formats import OriginOf, format_of
from include.landfall.read.framing import Framer
from include.landfall.read.joining import Joined
from include.landfall.read.planning import Plan, plan
from include.landfall.read.spelling import Speller
from include.landfall.read.unpack import File, Opened, open_file, open_members, open_text
from include.landfall.s3.listing import find_parts
from include.landfall.s3.stream import OnRead

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def frames(client: S3Client, job: Job) -> Iterator[Frame]:
    """Yields the arrival's rows as frames.

    Raises: DataError where the whole file is wrong, ServerUnavailable, ObjectChanged and
    ObjectMissing where it cannot be read; each with feed and object.
    """
    joined = Joined(job)
    with _placed(job):
        objects = _objects(client, job)
        for each in objects:
            with _placed(each):
                yield from _of_object(client, each, joined)
        if not joined.count:
            _check_text(client, objects)
        yield from joined.end()


def origins(client: S3Client, job: Job, numbers: Sequence[int]) -> Iterator[OriginOf]:
    """Reads the arrival once more for records with these numbers, which ascend.

    Yields number, origin and, where the record can be cut, its cells in the job's order.

    Raises: as `frames`.
    """
    with _placed(job):
        objects = {each.arrival.key: each for each in _objects(client, job)}
        parts = numbers_by_part(job.parts or [PartStart(job.arrival.key, None, 1)], numbers)
        for key, of_object in groupby(parts, key=lambda part: part[0].key):
            with _placed(objects[key]), _files(client, objects[key]) as files:
                by_name = {file.name: file for file in files}
                for start, own in of_object:
                    yield from _origins(objects[key], by_name[start.member or ""], start.first, own)


@contextmanager
def _placed(job: Job) -> Iterator[None]:
    """Adds feed and object to an error."""
    try:
        yield
    except LandfallError as error:
        error.at(feed=job.feed, object=job.arrival.uri)
        raise


@contextmanager
def _in_member(file: File) -> Iterator[None]:
    """Adds the member of a zip file to an error."""
    try:
        yield
    except LandfallError as error:
        error.at(member=file.name or None)
        raise


def _objects(client: S3Client, job: Job) -> list[Job]:
    """Returns a job for each object of the arrival, which are several where it is a folder."""
    if job.snapshot is None:
        return [job]
    return [replace(job, arrival=each) for each in find_parts(client, job.snapshot, job.arrival)]


def _origins(job: Job, file: File, first: int, numbers: Sequence[int]) -> Iterator[OriginOf]:
    """Yields rows of one file; `first` is the number of its first row in the arrival."""
    with _in_member(file):
        planned = plan(job, file.open)
        completer, speller = planned.completer(file.name), Speller(planned.reading)
        with file.open() as stream:
            located = format_of(job).origins_of(stream, planned.reading, numbers)
            for number, origin, cells in located:
                yield number + first - 1, origin, completer.cells(number, speller.cells(cells))


def _of_object(client: S3Client, job: Job, joined: Joined) -> Iterator[Frame]:
    """Yields the rows of one object, numbered behind those of the objects before it."""
    content, before = Content(job), joined.count
    whole = partial(_opened, client, job, content.update)
    with _files(client, job) as files:
        for file in files:
            with _in_member(file):
                planned = plan(joined.widened(job), file.open)
                yield from _of_file(planned, file.open if file.name else whole, file.name, joined)
    if joined.count > before:
        joined.add_hash(content.hash_of(client))


def _of_file(planned: Plan, opened: Opened, member: str, joined: Joined) -> Iterator[Frame]:
    job, before = planned.job, joined.count
    completer, speller = planned.completer(member), Speller(planned.reading)
    framer = Framer(job)
    shape = Shape(job.names, framer.text_columns, planned.added, planned.changes)
    if planned.is_empty:
        joined.begin_empty(shape)
    else:
        yield from joined.begin(shape, job.arrival.key, member)
    with opened() as stream:
        for rows in format_of(job).rows(stream, planned.reading):
            rows = bounded(completer.rows(speller.rows(rows)).behind(before), job)
            joined.add(rows)
            yield from framer.frames(rows)
            del rows  # the next ones need the room


def _check_text(client: S3Client, objects: Sequence[Job]) -> None:
    """Refuses files that unpack to 0 bytes, where they would empty the table."""
    if not objects[0].refuses_empty or any(_has_text(client, each) for each in objects):
        return
    raise DataError(
        "the object is empty",
        found="0 bytes, unpacked",
        expected="at least a header",
        do="ask the sender; where it means no rows, write source.empty_objects: load in the feed",
    )


def _has_text(client: S3Client, job: Job) -> bool:
    if format_of(job).RANDOM_ACCESS:
        return True
    with _files(client, job) as files:
        for file in files:
            with file.open() as stream:
                if stream.read(1):
                    return True
    return False


@contextmanager
def _files(client: S3Client, job: Job) -> Iterator[list[File]]:
    """Opens an object: as the members of a zip file, or as one file, which has no name."""
    whole = File("", partial(_opened, client, job))
    if format_of(job).RANDOM_ACCESS or job.unpacking.member is None:
        yield [whole]
        return
    with open_members(client, job.arrival, job.unpacking) as members:
        yield members or [whole]


def _opened(
    client: S3Client, job: Job, on_read: OnRead | None = None
) -> AbstractContextManager[BinaryIO]:
    if format_of(job).RANDOM_ACCESS:
        return open_file(client, job.arrival)
    return open_text(client, job.arrival, job.unpacking, on_read)
