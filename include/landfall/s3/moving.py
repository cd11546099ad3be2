"""Moves and deletes objects, as long as they are the versions that were listed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from include.landfall.arrival import Arrival
from include.landfall.errors import ObjectChanged, ObjectMissing
from include.landfall.s3.errors import naming_right, s3_errors
from include.landfall.s3.listing import find_arrival

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

COPIED_AT_ONCE = 5 << 30  # bytes of an object that S3 copies by one request
PART_BYTES = 1 << 30  # of a larger one; S3 takes 10,000 parts


def move(client: S3Client, arrival: Arrival, key: str) -> str:
    """Copies the object within its bucket, then deletes it. Returns the key of the copy.

    That is `key`, or, where it is taken by other content, the key with the object's ETag behind it.
    A move that was killed between copy and deletion can be made again.

    Raises: ObjectChanged, ObjectMissing when it is no longer the version that was listed; other
    LandfallErrors of the store.
    """
    copy = _find(client, arrival.bucket, key)
    if copy and not _is_same(copy, arrival):
        key, copy = f"{key}.{arrival.etag}", None
    if not copy:
        _copy(client, arrival, key)
    delete(client, arrival)
    return key


def delete(client: S3Client, arrival: Arrival) -> None:
    """Deletes the object. In a bucket with versions its content stays, behind a delete marker.

    Raises: as `move`.
    """
    now = find_arrival(client, arrival.bucket, arrival.key)  # MinIO passes over IfMatch
    if not _is_same(now, arrival):
        raise ObjectChanged("the object has changed since it was listed").at(object=arrival.uri)
    with naming_right("s3:DeleteObject"), s3_errors(arrival.bucket, arrival.key):
        client.delete_object(Bucket=arrival.bucket, Key=arrival.key, IfMatch=f'"{arrival.etag}"')


def _is_same(one: Arrival, other: Arrival) -> bool:
    return (one.version, one.size) == (other.version, other.size)


def _find(client: S3Client, bucket: str, key: str) -> Arrival | None:
    try:
        return find_arrival(client, bucket, key)
    except ObjectMissing:
        return None


def _copy(client: S3Client, arrival: Arrival, key: str) -> None:
    to: Any = {"Bucket": arrival.bucket, "Key": key}
    of: Any = {
        "CopySource": {"Bucket": arrival.bucket, "Key": arrival.key},
        "CopySourceIfMatch": f'"{arrival.etag}"',
    }
    with naming_right(f"s3:PutObject for {key}"), s3_errors(arrival.bucket, arrival.key):
        if arrival.size <= COPIED_AT_ONCE:
            client.copy_object(**to, **of)
        else:
            _copy_parts(client, arrival.size, to, of)


def _copy_parts(client: S3Client, size: int, to: Any, of: Any) -> None:
    """Copies an object of this size in parts: all of them, or nothing is left."""
    upload: Any = {**to, "UploadId": client.create_multipart_upload(**to)["UploadId"]}
    try:
        parts: list[Any] = []
        for first in range(0, size, PART_BYTES):
            last = min(first + PART_BYTES, size) - 1
            number = len(parts) + 1
            answer = client.upload_part_copy(
                **upload, **of, PartNumber=number, CopySourceRange=f"bytes={first}-{last}"
            )
            parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    except BaseException:  # also of Ctrl-C: parts that nobody sees cost money
        _abort(client, upload)
        raise


def _abort(client: S3Client, upload: Any) -> None:
    try:
        client.abort_multipart_upload(**upload)
    except (BotoCoreError, ClientError) as error:
        # The first error is what the caller must see; this one is only a cost.
        log.warning("the parts of s3://%s/%s stay: %s", upload["Bucket"], upload["Key"], error)
