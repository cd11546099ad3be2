"""Lists the arrivals of a feed's source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from include.landfall.arrival import Arrival
from include.landfall.errors import ConnectionUnusable, FeedError, ObjectChanged, ObjectMissing
from include.landfall.s3.errors import naming_right, s3_errors
from include.landfall.s3.snapshots import Snapshot, snapshots

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from include.landfall.feed.source import Source

NAMED = 3  # parts of a folder that an error names
OnIncomplete = Callable[[Snapshot], object]


def list_arrivals(
    client: S3Client, source: Source, on_incomplete: OnIncomplete = lambda snapshot: None
) -> Iterator[Arrival]:
    """Yields the objects that match the source's pattern, by key. Only its prefix is listed.

    Of a source of snapshots it yields the folders that are complete; `on_incomplete` gets the
    others.
    """
    if source.snapshot:
        for each in list_snapshots(client, source):
            if each.waits_for is None:
                yield each.arrival
            else:
                on_incomplete(each)
        return
    for arrival in list_objects(client, source):
        if why_ignored(source, arrival.key) is None:
            yield arrival


def list_snapshots(
    client: S3Client, source: Source, folder: str | None = None
) -> Iterator[Snapshot]:
    """Yields the source's folders, or that one alone, by key, whether they are complete or not."""
    objects = list_objects(client, source, folder)
    if folder is not None:
        objects = (each for each in objects if "/" not in each.key[len(folder) :])
    yield from snapshots(client, source, objects)


def list_objects(client: S3Client, source: Source, prefix: str | None = None) -> Iterator[Arrival]:
    """Yields every object under the source's prefix, or that one, by key.

    Whether it is the feed's or not.
    """
    listed = source.prefix if prefix is None else prefix
    pages = client.get_paginator("list_objects_v2")
    with naming_right("s3:ListBucket"), s3_errors(source.bucket):
        for page in pages.paginate(Bucket=source.bucket, Prefix=listed):
            for entry in page.get("Contents", []):
                yield Arrival(
                    source.bucket,
                    entry["Key"],
                    entry["ETag"].strip('"'),
                    entry["Size"],
                    entry["LastModified"],
                )


def why_ignored(source: Source, key: str) -> str | None:
    """Returns why an object is no arrival of the source (other_name, marker); None if it is one."""
    if source.is_hidden(key):
        return "marker"
    return None if source.matches(key) else "other_name"


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


def find_named(client: S3Client, source: Source, key: str) -> Arrival:
    """Returns the object of the key as it is now, or the folder where the source has snapshots.

    Raises: ObjectMissing; FeedError when the key can be no arrival of the source.
    """
    if not source.snapshot:
        _check_key(source, key)
        return find_arrival(client, source.bucket, key)
    snapshot = _find_snapshot(client, source, key)
    if snapshot is None or snapshot.waits_for:
        raise ObjectMissing(
            "there is no complete snapshot of that key",
            found="no parts" if snapshot is None else "a folder that is not complete",
            expected="a folder with parts and _SUCCESS or a manifest; its key ends with /",
            do="landfall plan --feed … shows the folders, and why one is not complete",
        ).at(object=f"s3://{source.bucket}/{key}")
    return snapshot.arrival


def _check_key(source: Source, key: str) -> None:
    if (reason := why_ignored(source, key)) is None:
        return
    is_marker = reason == "marker" and source.matches(key)
    what = "a folder, or a marker beside data" if is_marker else "a key of other files"
    raise FeedError(
        "the key is no arrival of the feed",
        found=f"{key}: {what}",
        expected=f"a key that source.pattern matches: {source.pattern}",
        do="landfall plan --feed … shows the keys; the bucket is no part of a key",
    ).at(object=f"s3://{source.bucket}/{key}")


def find_parts(client: S3Client, source: Source, arrival: Arrival) -> list[Arrival]:
    """Returns the parts of a snapshot, by key. Raises: ObjectChanged."""
    snapshot = _find_snapshot(client, source, arrival.key)
    if snapshot is None or snapshot.waits_for or snapshot.arrival.etag != arrival.etag:
        raise ObjectChanged(
            "the folder no longer has the parts that were listed",
            found=_changed(snapshot.parts if snapshot else [], arrival),
            expected=f"parts of {arrival.size:,} bytes together, the newest of"
            f" {arrival.last_modified.isoformat(sep=' ')}",
            do="run again: its new version is a new arrival",
        ).at(object=arrival.uri)
    return snapshot.parts


def _changed(parts: list[Arrival], arrival: Arrival) -> str:
    """Says what is new in a folder since it was listed as this arrival."""
    later = [part.uri for part in parts if part.last_modified > arrival.last_modified]
    size = sum(part.size for part in parts)
    together = f"{len(parts)} parts of {size:,} bytes together"
    return f"{', '.join(later[:NAMED])} is newer; {together}" if later else together


def _find_snapshot(client: S3Client, source: Source, key: str) -> Snapshot | None:
    if not key.endswith("/"):
        return None
    return next(list_snapshots(client, source, key), None)
