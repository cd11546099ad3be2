"""Reads an arrival as a stream of bytes: exactly the listed version, resumed where it broke."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, HTTPClientError

from include.landfall.arrival import Arrival
from include.landfall.errors import (
    LandfallError,
    ObjectChanged,
    ObjectMissing,
    ServerUnavailable,
)
from include.landfall.s3.error_codes import NOT_THERE
from include.landfall.s3.errors import naming_right, s3_errors
from include.landfall.s3.key_rights import TO_READ

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
                chunk = self._source().read(smaller(size, failures))
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
                    raise gave_up(self._arrival, failures, self._offset, error) from error
        return b""

    def _source(self) -> Any:
        if self._body is None:
            self._body = get_range(self._client, self._arrival, self._offset)
        return self._body


def smaller(size: int, failures: int) -> int:
    """Returns how many bytes to read after so many failures: those of a read that breaks are lost.

    So also a connection that never lives for long brings some.
    """
    return max(1, size >> 4 * failures)


def gave_up(
    arrival: Arrival, failures: int, offset: int, error: Exception | None
) -> ServerUnavailable:
    """Returns the error of a connection that broke this often without a byte between."""
    return ServerUnavailable(
        f"the connection to the object store broke {failures} times at byte {offset}",
        found=str(error) if error else None,
        do="retry",
    ).at(object=arrival.uri)


def get_range(client: S3Client, arrival: Arrival, start: int, stop: int | None = None) -> Any:
    """Returns the body of a GET of bytes start to stop (exclusive) of exactly this version.

    Raises: ObjectChanged when the object is no longer that version, ObjectMissing when it is gone.
    """
    request: dict[str, Any] = {"IfMatch": f'"{arrival.etag}"'}
    if start or stop is not None:
        request["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
    with _of_listed(), naming_right(TO_READ), s3_errors(arrival.bucket, arrival.key):
        answer = client.get_object(Bucket=arrival.bucket, Key=arrival.key, **request)
    try:
        _check_version(answer, arrival)
        if "Range" in request:
            _check_range(answer, arrival, start, stop)
    except LandfallError as error:
        answer["Body"].close()
        raise error.at(object=arrival.uri) from None
    return answer["Body"]


@contextmanager
def _of_listed() -> Iterator[None]:
    """Says of an object that is not there that it was, because it has been listed."""
    try:
        yield
    except ObjectMissing as missing:
        if missing.what == NOT_THERE:
            missing.what = "the object is gone: it was deleted or moved after it was listed"
            missing.do = "put it back if it is to be loaded; else nothing: no run lists it any more"
        raise


def _check_version(answer: Any, arrival: Arrival) -> None:
    """Checks the version of an answer. Not every S3 clone obeys If-Match.

    Some give two objects one ETag, so the size counts too.
    """
    size = _size_of(answer)
    if answer["ETag"].strip('"') == arrival.etag and size in (None, arrival.size):
        return
    raise ObjectChanged(
        "the object is no longer the version that was listed",
        found=f"ETag {answer['ETag']}, {size} bytes",
        expected=f"ETag {arrival.etag}, {arrival.size} bytes",
        do="run again: the new version is a new arrival",
    )


def _size_of(answer: Any) -> int | None:
    """Returns the size of the whole object, as far as the answer tells it."""
    if not (content_range := answer.get("ContentRange")):
        return cast("int | None", answer.get("ContentLength"))
    size = content_range.rpartition("/")[2]
    return int(size) if size.isdecimal() else None


def _check_range(answer: Any, arrival: Arrival, start: int, stop: int | None) -> None:
    """Checks that the answer has these bytes, and not others or the whole object."""
    last = min(arrival.size if stop is None else stop, arrival.size) - 1
    given = answer.get("ContentRange")
    if given is None and (start, last) == (0, arrival.size - 1):
        return
    if not (given or "").startswith(f"bytes {start}-{last}/"):
        raise ServerUnavailable(
            "the object store answered with another range than was asked for",
            found=given or "the whole object",
            expected=f"bytes {start}-{last}",
            do="retry; if it happens again, the store does not support ranged reads",
        )
