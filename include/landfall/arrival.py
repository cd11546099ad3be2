"""An arrival: one version of one object that a feed's pattern matches, and the files in it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Arrival:
    """One version of one object in S3.

    A listing tells versions apart by ETag and size: it has no version ids, also where the bucket
    keeps versions. `etag` is without its quotes, `last_modified` has a time zone, and `size` is in
    bytes.
    """

    bucket: str
    key: str
    etag: str
    size: int
    last_modified: datetime

    @property
    def uri(self) -> str:
        """The object's address, as `s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def version(self) -> str:
        """What tells this version from the others of the same object, together with `size`."""
        return self.etag

    @property
    def newness(self) -> tuple[datetime, str]:
        """Its time and its key: the newer of two arrivals has the greater one."""
        return self.last_modified, self.key

    def as_dict(self) -> dict[str, Any]:
        """Returns the arrival in values that JSON, and so XCom, can carry."""
        return {**self.__dict__, "last_modified": self.last_modified.isoformat()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Arrival:
        """Makes the arrival from what `as_dict` returned, also that of an earlier release."""
        when = datetime.fromisoformat(values["last_modified"])
        own = {field.name: values[field.name] for field in fields(cls)}
        return cls(**{**own, "last_modified": when})


class PartStart(NamedTuple):
    """One of several files of an arrival: an object of a folder, or a member of a zip file.

    `first` is the number of its first row among those of the whole arrival.
    """

    key: str
    member: str | None
    first: int


def numbers_by_part(
    parts: Sequence[PartStart], numbers: Sequence[int]
) -> Iterator[tuple[PartStart, list[int]]]:
    """Yields the parts that have some of these rows, with the numbers of the rows in the part.

    `numbers` count in the whole arrival, and ascend.
    """
    starts = [bisect_left(numbers, part.first) for part in parts]
    for part, start, end in zip(parts, starts, [*starts[1:], len(numbers)]):
        if start < end:
            yield part, [number - part.first + 1 for number in numbers[start:end]]
