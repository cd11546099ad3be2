"""Carries the rows of one arrival from its object into the staging of a load, and its target."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from include.landfall.arrival import Arrival, numbers_by_part
from include.landfall.connections import Store
from include.landfall.errors import DataError, LandfallError, MisshapenRow
from include.landfall.feed.model import Feed
from include.landfall.frames import Frame, FrameType
from include.landfall.job import Bounds, Hashed, Job, Unpacking
from include.landfall.planned import rules_of
from include.landfall.postgres.errors import hide_words
from include.landfall.read.process import Reader, read_frames
from include.landfall.write import copy
from include.landfall.write.judge import judge
from include.landfall.write.merge import merge
from include.landfall.write.rejected import Located
from include.landfall.write.staging import Staging

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

INLINE_BYTES = 8 << 20  # below this a second process costs more than it brings
Progress = Callable[[int], None]


def reader_for(arrival: Arrival) -> AbstractContextManager[Reader | None]:
    """Starts the process that reads a large arrival; a small one needs none."""
    return closing(Reader()) if arrival.size > INLINE_BYTES else nullcontext()


def hashed_for(feed: Feed) -> Hashed:
    """Returns which files are hashed, so that duplicates of them are known."""
    return Hashed.ALL if feed.source.duplicates == "refuse" else Hashed.STREAMED


@dataclass(frozen=True)
class Transfer:
    """Reads one arrival and writes its rows. `encoding` is the database's, where it is not UTF-8.

    `progress` hears of the rows read so far, now and then. `hashed`: whether the staging gets the
    hash of the file's content. `client` is one for the store that the caller keeps for several
    loads; without it each reading makes its own. `reader` is that of `reader_for`.
    """

    feed: Feed
    arrival: Arrival
    store: Store
    encoding: str | None
    progress: Progress = lambda rows: None
    hashed: Hashed = Hashed.NONE
    client: S3Client | None = None
    reader: Reader | None = None

    def run(self, staging: Staging, load_id: int) -> tuple[int, int]:
        """Returns how many rows were read, and how many the target took.

        The others are the staging's rejected rows, with line and text as far as the feed keeps
        them, and those that it has deduplicated.

        Raises: LandfallError when the file as a whole is wrong, or a server is away.
        """
        self._check_size()
        with closing(self._read(self._job(staging, load_id))) as frames:
            read, written = copy.copy(self._reported(frames), staging)
        job = self._job(staging, load_id)  # by now the staging has the file's columns and parts
        written = self._judge(job, staging, written)
        self._find_origins(job, staging, read)
        staging.rejected.set_parts()
        staging.rejected.conceal()
        return read, written

    def _job(self, staging: Staging, load_id: int) -> Job:
        columns = tuple(column.planned for column in staging.columns)
        limits = self.feed.limits
        return Job(
            self.feed.name, self.arrival, self.store, columns,
            load_id if self.feed.target.load_id else None,
            self.feed.format.dialect(), self.encoding,
            Unpacking(self.feed.source.member, limits.ratio, limits.extra_memory),
            rules_of(self.feed), order=self.feed.order,
            bounds=Bounds(limits.row, limits.columns, limits.extra_memory),
            is_numbered=staging.disposition.is_merged, hashed=self.hashed,
            snapshot=self.feed.source if self.feed.source.snapshot else None,
            parts=tuple(staging.rejected.parts), refuses_empty=self.feed.refuses_empty,
        )  # fmt: skip

    def _check_size(self) -> None:
        most = self.feed.limits.object
        if most is not None and self.arrival.size > most:
            raise DataError(
                "the object is larger than the feed allows",
                found=f"{self.arrival.size} bytes",
                expected=f"at most {most}, by limits: object",
                do="look into the file; where it is right, allow more in the feed",
            )

    def _judge(self, job: Job, staging: Staging, copied: int) -> int:
        """Lets Postgres judge the texts, and merges; returns how many rows the target took."""
        try:
            return merge(staging, copied + judge(staging))
        except LandfallError as error:
            if error.place.row:
                self._place(error, job, error.place.row)
            if self.feed.hides_texts:
                hide_words(error)
            raise

    def _find_origins(self, job: Job, staging: Staging, read: int) -> None:
        """Finds line and text of the rejected rows that came through the fast path."""
        rejected, budget = staging.rejected, self.feed.rejects.budget
        if budget.is_exceeded(sum(rejected.counts().values()), read):
            samples = rejected.samples(budget.samples)
            unknown: Iterable[Sequence[int]] = [[row.number for row in samples if row.raw is None]]
        else:
            unknown = rejected.without_origin()
        for numbers in unknown:
            if numbers:
                rejected.set_origins(self._origins(job, numbers))

    def _reported(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Yields the frames, and reports the number of their rows.

        Raises: as the frames, without a text of the file that the feed hides.
        """
        rows = 0
        try:
            for frame in frames:
                if frame.count and frame.type is not FrameType.END:
                    rows += frame.count
                    self.progress(rows)
                yield frame
        except MisshapenRow as error:
            if self.feed.hides_texts:
                error.found = None  # it is a text of the file, such as what follows its rows
            raise

    def _read(self, job: Job) -> Generator[Frame]:
        """Yields the job's frames, read in a process of its own when the file is large."""
        if job.arrival.size > INLINE_BYTES:
            if self.reader is None or self.reader.is_used:
                yield from read_frames(job)
            else:
                yield from self.reader.frames(job)
            return
        # Imported here, so that a large load's copying process stays small.
        from include.landfall.read.pipeline import frames

        with self._opened() as client:
            yield from frames(client, job)

    def _origins(self, job: Job, numbers: Sequence[int]) -> Iterator[Located]:
        """Yields line, text and cells of the rows, by one more pass over the file."""
        from include.landfall.read.pipeline import origins

        with self._opened() as client:
            for number, origin, cells in origins(client, job, numbers):
                yield number, origin.line, origin.raw, cells

    @contextmanager
    def _opened(self) -> Iterator[S3Client]:
        """Gives the caller's client, or one of its own, which it closes."""
        if self.client is not None:
            yield self.client
            return
        from include.landfall.s3.client import make_client

        with closing(make_client(self.store)) as client:
            yield client

    def _place(self, error: LandfallError, job: Job, number: int) -> None:
        """Fills in the row's line; of several files also the part, and the row's number there."""
        line = next((line for _, line, _, _ in self._origins(job, [number])), None)
        error.at(line=line)
        for part, (row,) in numbers_by_part(job.parts, [number]):
            uri = f"s3://{job.arrival.bucket}/{part.key}"
            error.place = replace(error.place, row=row, object=uri, member=part.member)
