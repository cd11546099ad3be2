"""Reads an arrival as a stream of bytes: exactly the listed version, resumed where it broke."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, HTTPClientError

from include.landfall.arrival import Arrival
from include.landfall.errors import ObjectChanged, ServerUnavailable
from include.landfall.s3.errors import s3_errors

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

OnRead = Callable[[bytes], object]
RESUMES = 5  # broken connections in a row, without a byte between them


class ObjectStream(io.RawIOBase):
    """One GET of one version, to its last byte. After a break it resumes at the offset.

    It begins at `offset`. `on_read` gets each byte once, in their order.

    Raises: ObjectChanged when the object is no longer that version, ServerUnavailable when
    resuming does not help.
    """

    def __init__(
        self,
        client: S3Client,
        arrival: Arrival,
        offset: int = 0,
        on_read: OnRead | None = None,
    ) -> None:
        self._client = client
        self._arrival = arrival
        self._offset = offset
        self._on_read = on_read
        self._body: Any = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._drop()
        super().close()

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
        self._body = None

    def _read(self, size: int) -> bytes:
        failures = 0
        while self._offset < self._arrival.size:
            try:
                chunk = self._source().read(size)
                if chunk:
                    self._offset += len(chunk)
                    if self._on_read:
                        self._on_read(chunk)
                    return bytes(chunk)
                raise HTTPClientError(error="the connection ended before the object did")
            except (BotoCoreError, OSError) as error:
                self._drop()
                failures += 1
                if failures > RESUMES:
                    raise ServerUnavailable(
                        f"the connection to the object store broke {failures} times"
                        f" at byte {self._offset}",
                        found=str(error),
                        do="retry",
                    ).at(object=self._arrival.uri) from error
        return b""

    def _source(self) -> Any:
        if self._body is None:
            self._body = get_range(self._client, self._arrival, self._offset)
        return self._body


def get_range(client: S3Client, arrival: Arrival, start: int, stop: int | None = None) -> Any:
    """Returns the body of a GET of bytes start to stop (exclusive) of exactly this version.

    Raises: ObjectChanged when the object is no longer that version.
    """
    request: dict[str, Any] = {"IfMatch": f'"{arrival.etag}"'}
    if start or stop is not None:
        request["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
    with s3_errors(arrival.bucket, arrival.key):
        answer = client.get_object(Bucket=arrival.bucket, Key=arrival.key, **request)
    # Not every S3 clone obeys If-Match, so the answer is compared with the listing.
    if answer["ETag"].strip('"') != arrival.etag:
        raise ObjectChanged(
            "the object is no longer the version that was listed",
            found=f"ETag {answer['ETag']}",
            expected=f"ETag {arrival.etag}",
            do="run again: the new version is a new arrival",
        ).at(object=arrival.uri)
    if start and answer.get("ContentRange", "").partition("-")[0] != f"bytes {start}":
        answer["Body"].close()
        raise ServerUnavailable(
            "the object store answered with another range than was asked for",
            found=answer.get("ContentRange") or "the whole object",
            expected=f"bytes {start}-",
            do="retry; if it happens again, the store does not support ranged reads",
        ).at(object=arrival.uri)
    return answer["Body"]
