"""Lists the arrivals of a feed's source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from include.landfall.arrival import Arrival
from include.landfall.errors import ConnectionUnusable, ObjectMissing
from include.landfall.s3.errors import s3_errors

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from include.landfall.feed.source import Source


def list_arrivals(client: S3Client, source: Source) -> Iterator[Arrival]:
    """Yields the objects that match the source's pattern, by key. Only its prefix is listed."""
    for arrival in list_objects(client, source):
        if why_ignored(source, arrival.key) is None:
            yield arrival


def list_objects(client: S3Client, source: Source) -> Iterator[Arrival]:
    """Yields every object under the source's prefix, by key, whether it is the feed's or not."""
    pages = client.get_paginator("list_objects_v2")
    with s3_errors(source.bucket):
        for page in pages.paginate(Bucket=source.bucket, Prefix=source.prefix):
            for entry in page.get("Contents", []):
                yield Arrival(
                    source.bucket,
                    entry["Key"],
                    entry["ETag"].strip('"'),
                    entry["Size"],
                    entry["LastModified"],
                )


def why_ignored(source: Source, key: str) -> str | None:
    """Returns why an object is no arrival of the source: other_name or marker. None: it is one."""
    if _is_marker(key):
        return "marker"
    return None if source.matches(key) else "other_name"


def _is_marker(key: str) -> bool:
    """Returns whether the key is a folder's, or a marker that Spark or Hadoop left beside data."""
    name = key.rpartition("/")[2]
    return not name or name == "_SUCCESS" or name.endswith(".crc")


def check_bucket(client: S3Client, bucket: str) -> None:
    """Checks that there is such a bucket.

    Raises: ObjectMissing when there is none, ConnectionUnusable when the key may not ask.
    """
    try:
        with s3_errors(bucket):
            client.head_bucket(Bucket=bucket)
    except ObjectMissing as missing:
        raise ObjectMissing(
            f"there is no bucket {bucket!r}",
            found=missing.found,
            do="create it, or check its name",
        ).at(object=f"s3://{bucket}") from None


def find_arrival(client: S3Client, bucket: str, key: str) -> Arrival:
    """Returns the object as it is now.

    Raises: ObjectMissing, which says whether the object or its bucket is missing.
    """
    try:
        with s3_errors(bucket, key):
            head = client.head_object(Bucket=bucket, Key=key)
    except ObjectMissing:
        # A HEAD has no body, and so the store cannot say what is missing.
        with suppress(ConnectionUnusable):  # a key may read an object, and not ask for its bucket
            check_bucket(client, bucket)
        raise
    etag = head["ETag"].strip('"')
    return Arrival(bucket, key, etag, head["ContentLength"], head["LastModified"])
