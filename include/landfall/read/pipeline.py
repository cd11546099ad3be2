"""Reads an arrival: from its bytes, through its format and the casts, to frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from include.landfall.errors import DataError, LandfallError
from include.landfall.frames import Ending, Frame, FrameType, RowSet, Shape
from include.landfall.job import Job, PartStart
from include.landfall.read.bounds import bounded
from include.landfall.read.content import Content
from include.landfall.read.formats import OriginOf, format_of
from include.landfall.read.framing import Framer
from include.landfall.read.joining import Joined, numbers_by_part
from include.landfall.read.planning import Plan, in_member, joined, plan, plan_members
from include.landfall.read.rows import Rows
from include.landfall.read.spelling import Speller
from include.landfall.read.unpack import Member, open_file, open_members, open_text
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
            of_part = replace(job, arrival=by_key[part.name], snapshot=None)
            with _placed(of_part):
                for number, origin, cells in _origins_of_one(client, of_part, own):
                    yield number + part.first - 1, origin, cells


@contextmanager
def _placed(job: Job) -> Iterator[None]:
    """Adds feed and object to an error."""
    try:
        yield
    except LandfallError as error:
        error.at(feed=job.feed, object=job.arrival.uri)
        raise


def _origins_of_one(client: S3Client, job: Job, numbers: Sequence[int]) -> Iterator[OriginOf]:
    with _members(client, job) as members:
        for member, first, chosen in _chosen(job, members, numbers):
            for number, origin, cells in _origins(job, member, chosen):
                yield number + first - 1, origin, cells


def _origins(job: Job, member: Member, numbers: Sequence[int]) -> Iterator[OriginOf]:
    planned = plan(job, member.open)
    completer, speller = planned.completer, Speller(planned.reading)
    with member.open() as stream:
        for number, origin, cells in format_of(job).origins_of(stream, planned.reading, numbers):
            yield number, origin, completer.cells(speller.cells(cells))


def _chosen(
    job: Job, members: Sequence[Member], numbers: Sequence[int]
) -> Iterator[tuple[Member, int, list[int]]]:
    """Yields each member that has some of the rows, the number of its first row, and which."""
    by_name = {member.name: member for member in members}
    for start, own in numbers_by_part(job.members or (PartStart(members[0].name, 1),), numbers):
        yield by_name[start.name], start.first, own


def _of_parts(client: S3Client, job: Job) -> Iterator[Frame]:
    """Yields the rows of all parts of a snapshot as those of one file."""
    assert job.snapshot is not None
    parts = Joined()
    for part in find_parts(client, job.snapshot, job.arrival):
        of_part = replace(job, arrival=part, snapshot=None, refuses_empty=False)
        with _placed(of_part):
            for frame in _of_one(client, of_part, parts.count):
                yield from parts.frames(frame, part.key)
    if not parts.count:
        listed = find_parts(client, job.snapshot, job.arrival)
        _check_text(client, [replace(job, arrival=part, snapshot=None) for part in listed])
    yield parts.end()


def _of_one(client: S3Client, job: Job, before: int = 0) -> Iterator[Frame]:
    """Yields the rows of one object; `before` is how many rows of other parts came before."""
    content = Content(job)
    whole = Member("", partial(_opened, client, job, content.update))
    with _members(client, job) as members:
        plans = plan_members(job, members)
        planned = joined(plans)
        framer = Framer(planned.job)
        columns = planned.job.names, framer.text_columns
        added = tuple(column for each in plans for column in each.added)
        yield Shape(*columns, added, planned.changes).frame()
        count, start, padded = 0, 0, RowSet()
        for member, rows in _rows(job, members if members[0].name else [whole], plans):
            if rows.first == 1:
                start = count  # the rows of the members before this one
                if member.name:
                    yield Frame(FrameType.MEMBER, payload=member.name.encode(), first=count + 1)
            rows = bounded(rows.behind(before + start), job)
            padded.add(rows.padded)
            count += rows.count
            yield from framer.frames(rows)
            del rows  # the next ones need the room
    if not count:
        _check_text(client, [job])
    content_hash = content.hash_of(client) if count else b""
    yield Ending(content_hash, padded.bits).frame(count)


def _check_text(client: S3Client, jobs: Sequence[Job]) -> None:
    """Refuses files that unpack to 0 bytes, where they would empty the table."""
    if not jobs[0].refuses_empty or any(_has_text(client, job) for job in jobs):
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
    with _members(client, job) as members:
        for member in members:
            with member.open() as stream:
                if stream.read(1):
                    return True
    return False


def _rows(
    job: Job, members: Sequence[Member], plans: Sequence[Plan]
) -> Iterator[tuple[Member, Rows]]:
    """Yields the rows of each member with all columns of the table, numbered within the member."""
    for member, planned in zip(members, plans, strict=True):
        completer, speller = planned.completer, Speller(planned.reading)
        with in_member(member), member.open() as stream:
            for rows in format_of(job).rows(stream, planned.reading):
                yield member, completer.rows(speller.rows(rows))
                del rows  # the next ones need the room


@contextmanager
def _members(client: S3Client, job: Job) -> Iterator[list[Member]]:
    """Opens the arrival: as the members of a zip file, or as one file, which has no name."""
    whole = Member("", partial(_opened, client, job))
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
