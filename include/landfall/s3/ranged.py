"""Reads an arrival at any offset: exactly the listed version, by ranged GETs."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError

from include.landfall.arrival import Arrival
from include.landfall.s3.stream import RESUMES, gave_up, get_range, smaller

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FIRST_AHEAD = 1 << 18
STEP = 1 << 20  # bytes of one read
AHEAD = 4 << 20  # bytes read ahead of random access, at most


class ObjectFile(io.RawIOBase):
    """One version of an object, readable at any offset by ranged GETs.

    A Parquet file of small row groups is read in hundreds of small steps, each where the last one
    ended. Then a GET brings up to AHEAD bytes more than were asked for.
    """

    def __init__(self, client: S3Client, arrival: Arrival) -> None:
        self._client = client
        self._arrival = arrival
        self._offset = 0
        self._held = memoryview(b"")
        self._held_from = 0
        self._last_stop = -1
        self._ahead = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._arrival.size}
        self._offset = max(0, base[whence] + offset)
        return self._offset

    def read(self, size: int = -1) -> bytes:
        """Reads as others do, but keeps no copy of what is large, and makes none."""
        stop = min(self._offset + size, self._arrival.size)
        if size < 0 or stop - self._offset <= AHEAD:
            return super().read(size) or b""
        self._held, self._held_from = memoryview(b""), stop
        data = self._get(self._offset, stop)
        self._offset = self._last_stop = stop
        return cast(bytes, data)  # a bytearray serves as well, and bytes would be a copy

    def readinto(self, buffer: Any) -> int:
        start = self._offset
        stop = min(start + len(buffer), self._arrival.size)
        if start >= stop:
            return 0
        if not self._held_from <= start <= stop <= self._held_from + len(self._held):
            self._hold(start, stop)
        held = self._held[start - self._held_from : stop - self._held_from]
        buffer[: len(held)] = held
        self._offset = self._last_stop = stop
        return len(held)

    def _hold(self, start: int, stop: int) -> None:
        """Reads the range into memory, and more after it where reads follow one another."""
        self._ahead = min(2 * self._ahead + FIRST_AHEAD, AHEAD) if start == self._last_stop else 0
        self._held = memoryview(b"")  # the old bytes go before the new come
        self._held = memoryview(self._get(start, min(stop + self._ahead, self._arrival.size)))
        self._held_from = start

    def _get(self, start: int, stop: int) -> bytearray:
        data = bytearray(stop - start)
        filled = failures = 0
        while True:
            step = smaller(STEP, failures)
            count, error = self._fill(memoryview(data)[filled:], start + filled, step)
            filled += count
            if filled == len(data):
                return data
            failures = 0 if count else failures + 1
            if failures > RESUMES:
                raise gave_up(self._arrival, failures, start + filled, error)

    def _fill(self, buffer: memoryview, start: int, step: int) -> tuple[int, Exception | None]:
        """Fills the buffer with what is from `start` on, or until the connection breaks.

        Returns how many bytes it got, and why they are not all.
        """
        filled, stop = 0, start + len(buffer)
        try:
            with closing(get_range(self._client, self._arrival, start, stop)) as body:
                while chunk := body.read(step):
                    buffer[filled : filled + len(chunk)] = chunk
                    filled += len(chunk)
        except (BotoCoreError, OSError) as error:
            return filled, error
        return filled, None
