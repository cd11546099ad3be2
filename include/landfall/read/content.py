"""The hash of an object's content, taken in the one pass in which the object is read.

It is SHA-256, which processors compute at 1.5 GB/s: of a CSV of 766 MB half a second, 2 % of the
CPU of its load.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import TYPE_CHECKING

from include.landfall.job import Hashed, Job
from include.landfall.s3.stream import ObjectStream

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

LEFT = 1 << 20  # bytes that a reader may leave unread at the end
CHUNK = 1 << 20


class Content:
    """The bytes of a job's object, hashed as they are read."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._hash = hashlib.sha256(usedforsecurity=False)
        self._size = 0

    def update(self, chunk: bytes) -> None:
        """Takes the next bytes of the object."""
        if self._job.hashed is not Hashed.NONE:
            self._hash.update(chunk)
            self._size += len(chunk)

    def hash_of(self, client: S3Client) -> bytes:
        """Returns the hash of the whole object, or nothing where it is not taken.

        A file that is read here and there, such as Parquet, has to be read once more for it.
        """
        left = self._job.arrival.size - self._size
        is_read = self._size > 0 and left <= LEFT
        if self._job.hashed is Hashed.NONE or not (is_read or self._job.hashed is Hashed.ALL):
            return b""
        with closing(ObjectStream(client, self._job.arrival, self._size)) as rest:
            for chunk in iter(lambda: rest.read(CHUNK), b""):
                self.update(chunk)
        return self._hash.digest()
