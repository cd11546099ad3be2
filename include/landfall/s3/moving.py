"""Moves and deletes objects, as long as they are the versions that were listed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.landfall.arrival import Arrival
from include.landfall.errors import ConnectionUnusable, ObjectChanged, ObjectMissing
from include.landfall.s3.errors import s3_errors
from include.landfall.s3.listing import find_arrival

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CopySourceTypeDef

COPIED_AT_ONCE = 5 << 30  # bytes of an object that S3 copies by one request


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
    with _rights(arrival, "s3:DeleteObject"), s3_errors(arrival.bucket, arrival.key):
        client.delete_object(Bucket=arrival.bucket, Key=arrival.key, IfMatch=f'"{arrival.etag}"')


@contextmanager
def _rights(arrival: Arrival, right: str) -> Iterator[None]:
    """Says which right is missing where the store refuses the key, which may read the object."""
    try:
        yield
    except ConnectionUnusable as refused:
        refused.do = f"allow the connection's key {right}"
        raise refused.at(object=arrival.uri) from None


def _is_same(one: Arrival, other: Arrival) -> bool:
    return (one.version, one.size) == (other.version, other.size)


def _find(client: S3Client, bucket: str, key: str) -> Arrival | None:
    try:
        return find_arrival(client, bucket, key)
    except ObjectMissing:
        return None


def _copy(client: S3Client, arrival: Arrival, key: str) -> None:
    bucket, condition = arrival.bucket, f'"{arrival.etag}"'
    source: CopySourceTypeDef = {"Bucket": bucket, "Key": arrival.key}
    with _rights(arrival, f"s3:PutObject for {key}"), s3_errors(bucket, arrival.key):
        if arrival.size <= COPIED_AT_ONCE:
            client.copy_object(
                Bucket=bucket, Key=key, CopySource=source, CopySourceIfMatch=condition
            )
            return
        from s3transfer.manager import TransferManager  # for few objects only

        with TransferManager(client) as transfers:
            extra = {"CopySourceIfMatch": condition}
            transfers.copy(source, bucket, key, extra_args=extra).result()
