"""An S3 client whose objects are in memory, for tests that load thousands of small files."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime

from include.landfall.arrival import Arrival
from include.landfall.s3.listing import find_arrival


class MemoryStore:
    """An S3 client of one bucket, in place of the client that the engine makes."""

    def __init__(self):
        self._objects = {}

    def put_object(self, **wish):
        self._objects[wish["Key"]] = wish["Body"]

    def head_object(self, **wish):
        body = self._objects[wish["Key"]]
        when = datetime(2026, 1, 1, tzinfo=UTC)
        return {"ETag": _etag(body), "ContentLength": len(body), "LastModified": when}

    def get_object(self, **wish):
        body = self._objects[wish["Key"]]
        start, _, stop = wish.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        part = body[int(start) : int(stop) + 1 if stop else None]
        answer = {"ETag": _etag(body), "Body": io.BytesIO(part), "ContentLength": len(part)}
        if "Range" in wish:
            answer["ContentRange"] = f"bytes {start}-{int(start) + len(part) - 1}/{len(body)}"
        return answer

    def close(self):
        """Keeps the objects: each load closes its client."""


def stored(data: bytes, key: str) -> tuple[MemoryStore, Arrival]:
    """Puts one object into a store, and finds it there."""
    store = MemoryStore()
    store.put_object(Key=key, Body=data)
    return store, find_arrival(store, "landing", key)


def _etag(body):
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
