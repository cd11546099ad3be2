"""Writes a stream of bytes of any length as one S3 object, whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from include.landfall.errors import ConnectionUnusable, ObjectMissing, Place, TerminalError
from include.landfall.s3.errors import s3_errors
from include.landfall.s3.listing import check_bucket

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)


# S3 takes 10,000 parts of 5 MiB or more each. A part is held in memory, so parts begin small
# and double every 2,000: room for 484 GiB, and 8 MiB of memory for all but giant objects.
MOST_PARTS = 10_000


FIRST_PART_BYTES = 8 << 20


DOUBLE_EVERY = 2_000


def part_bytes(number: int) -> int:
    """Returns the size in bytes of the part with this number, from 1."""
    return FIRST_PART_BYTES << ((number - 1) // DOUBLE_EVERY)


def unchanged(etag: str | None) -> dict[str, str]:
    """Returns the condition that the key has the object with this ETag, or None: no object."""
    return {"IfMatch": f'"{etag}"'} if etag else {"IfNoneMatch": "*"}


class Upload:
    """A writable file that is an S3 object once its `with` block ends well.

    The object appears, or replaces the one of that key, at once and whole. After an error in the
    block nothing is left: the multipart upload is aborted. Only a killed process leaves parts
    behind. Readers do not see them, and a bucket's AbortIncompleteMultipartUpload rule removes
    them.

    With a `condition` (see `unchanged`) the store keeps an object that does not fulfil it.

    Raises: TransientError, TerminalError; ObjectChanged when the condition is not fulfilled.
    """

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        key: str,
        content_type: str,
        condition: Mapping[str, str] | None = None,
    ) -> None:
        self._client = client
        self._to: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._content_type = content_type
        self._condition: Any = condition or {}
        self._upload_id = ""
        self._parts: list[dict[str, Any]] = []
        self._buffer = bytearray()
        self.bytes = 0
        self.etag = ""
        self.closed = False  # pyarrow asks every file for it

    def __enter__(self) -> Self:
        # Asked before the query runs. Some S3 clones also create a bucket of a misspelt name at the
        # first write.
        try:
            check_bucket(self._client, self._to["Bucket"])
        except ObjectMissing as missing:
            missing.place = Place(object=self._uri)
            raise
        except ConnectionUnusable as refused:
            # A key that may not ask for the bucket may still be allowed to write.
            if not (refused.found or "").startswith("403"):
                raise
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed = True
        if error_type is not None:
            self._abort()
            return
        try:
            self._finish()
        except BaseException:
            self._abort()
            raise

    def write(self, data: bytes | memoryview) -> int:
        """Takes the next bytes, and sends a part when one is full."""
        size = memoryview(data).nbytes
        self._buffer += data
        self.bytes += size
        while len(self._buffer) >= part_bytes(len(self._parts) + 1):
            self._send_part(part_bytes(len(self._parts) + 1))
        return size

    def seal(self) -> None:
        """Sends what is held: nothing more comes, and only the end of the block is left to do."""
        if self._buffer:
            self._send_part(len(self._buffer))

    def flush(self) -> None:
        """Does nothing: a part is sent when it is full. Files have this method."""

    def tell(self) -> int:
        """Returns how many bytes have been taken so far."""
        return self.bytes

    def _send_part(self, size: int) -> None:
        number = len(self._parts) + 1
        if number > MOST_PARTS:
            raise TerminalError(
                "the result is too large for one object",
                found=f"more than {self.bytes:,} bytes",
                expected=f"at most {MOST_PARTS:,} parts",
                do="split the query into several exports",
            ).at(object=self._uri)
        with s3_errors(self._to["Bucket"], self._to["Key"]):
            if not self._upload_id:
                made = self._client.create_multipart_upload(
                    **self._to, ContentType=self._content_type
                )
                self._upload_id = made["UploadId"]
            answer = self._client.upload_part(
                **self._to,
                UploadId=self._upload_id,
                PartNumber=number,
                Body=bytes(memoryview(self._buffer)[:size]),
            )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        del self._buffer[:size]

    def _finish(self) -> None:
        if self._upload_id and self._buffer:
            self._send_part(len(self._buffer))
        answer: Any
        with s3_errors(self._to["Bucket"], self._to["Key"]):
            if self._upload_id:
                answer = self._client.complete_multipart_upload(
                    **self._to,
                    UploadId=self._upload_id,
                    MultipartUpload={"Parts": self._parts},  # type: ignore[typeddict-item]
                    **self._condition,
                )
            else:  # shorter than a part: one request does it, as whole as the other way
                answer = self._client.put_object(
                    **self._to,
                    Body=bytes(self._buffer),
                    ContentType=self._content_type,
                    **self._condition,
                )
        self.etag = answer["ETag"].strip('"')

    def _abort(self) -> None:
        self._buffer.clear()
        if not self._upload_id:
            return
        try:
            self._client.abort_multipart_upload(**self._to, UploadId=self._upload_id)
        except (BotoCoreError, ClientError) as error:
            # The first error is what the caller must see; this one is only a cost.
            log.warning("the parts of %s could not be removed: %s", self._uri, error)

    @property
    def _uri(self) -> str:
        return f"s3://{self._to['Bucket']}/{self._to['Key']}"
