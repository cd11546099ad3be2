"""An S3 client of one object whose bodies break off. It needs no server."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from include.landfall.arrival import Arrival
from include.landfall.read.unpack import open_text

DATA = bytes(n % 251 for n in range(1_000_003))


class Body(io.BytesIO):
    """A response body that breaks after `breaks_after` bytes.

    With `loses` a read that would go beyond them brings none, as when a connection is reset.
    """

    def __init__(self, data, breaks_after=None, error=None, loses=False):
        super().__init__(data)
        self.left, self.error, self.loses = breaks_after, error, loses

    def read(self, size=-1):
        if self.left is None:
            return super().read(size)
        if self.loses and not 0 < size <= self.left:
            raise self.error
        if self.left <= 0:
            if self.error:
                raise self.error
            return b""
        chunk = super().read(min(size, self.left) if size >= 0 else self.left)
        self.left -= len(chunk)
        return chunk


class Breaking:
    """An S3 client of one object. It breaks where the test says, and records the requests."""

    def __init__(self, data=DATA, breaks=(), etags=("e",), error=None, loses=False):
        self.data, self.breaks, self.etags, self.error = data, list(breaks), list(etags), error
        self.requests, self.bodies = [], []
        self.ignores_range, self.loses = False, loses
        self.listed = len(data)  # the size in the listing

    def get_object(self, **wish):
        self.requests.append(wish)
        start, _, stop = wish.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        is_whole = self.ignores_range or "Range" not in wish
        data = self.data if is_whole else self.data[int(start) : int(stop) + 1 if stop else None]
        breaks_after = self.breaks.pop(0) if self.breaks else None
        body = Body(data, breaks_after, self.error, self.loses)
        self.bodies.append(body)
        etag = self.etags.pop(0) if len(self.etags) > 1 else self.etags[0]
        answer = {"ETag": f'"{etag}"', "Body": body, "ContentLength": len(data)}
        if not is_whole:
            last = int(start) + len(data) - 1
            answer["ContentRange"] = f"bytes {start}-{last}/{len(self.data)}"
        return answer

    def arrival(self):
        when = datetime(2013, 1, 1, tzinfo=UTC)
        return Arrival("b", "k", "e", self.listed, when)

    def read(self):
        with open_text(self, self.arrival()) as stream:
            return b"".join(iter(lambda: stream.read(70_000), b""))
