"""An arrival: one version of one object that a feed's pattern matches, and the files in it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Arrival:
    """One version of one object in S3.

    `etag` is without its quotes. `version_id` is None in a bucket that keeps no versions.
    `last_modified` has a time zone. `size` is in bytes.
    """

    bucket: str
    key: str
    etag: str
    size: int
    last_modified: datetime
    version_id: str | None = None

    @property
    def uri(self) -> str:
        """The object's address, as `s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def version(self) -> str:
        """What tells this version from every other version of the same object."""
        return self.version_id or self.etag

    def as_dict(self) -> dict[str, Any]:
        """Returns the arrival in values that JSON, and so XCom, can carry."""
        return {**self.__dict__, "last_modified": self.last_modified.isoformat()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Arrival:
        """Makes the arrival from what `as_dict` returned."""
        when = datetime.fromisoformat(values["last_modified"])
        return cls(**{**values, "last_modified": when})


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
