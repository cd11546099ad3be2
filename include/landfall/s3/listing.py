"""Lists the arrivals of a feed's source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from include.landfall.arrival import Arrival
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
    if source.is_hidden(key):
        return "marker"
    return None if source.matches(key) else "other_name"


def find_arrival(client: S3Client, bucket: str, key: str) -> Arrival:
    """Returns the object as it is now. Raises: ObjectMissing."""
    with s3_errors(bucket, key):
        head = client.head_object(Bucket=bucket, Key=key)
    etag = head["ETag"].strip('"')
    return Arrival(bucket, key, etag, head["ContentLength"], head["LastModified"])
