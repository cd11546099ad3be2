"""Snapshots: all parts of one folder as one arrival, as Spark and UNLOAD write them.

The arrival of a snapshot has the folder as its key, the sizes of its parts together, and a digest
of their names, ETags and sizes as its ETag: when a part changes, it is another version. A folder is
complete when it has `_SUCCESS`, which Spark writes last, or a manifest and every object that it
names (https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from include.landfall.arrival import Arrival
from include.landfall.s3.errors import s3_errors

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from include.landfall.feed.source import Source

SUCCESS, MANIFEST = "_SUCCESS", "manifest"
MANIFEST_BYTES = 64 << 20  # more is no manifest: 300,000 parts have so many


@dataclass(frozen=True)
class Snapshot:
    """A folder and its parts, by key. `waits_for` says why it is not complete, if it is not.

    It is one of: marker, manifest, manifests, others, parts, files.
    """

    arrival: Arrival
    parts: list[Arrival]
    waits_for: str | None = None


@dataclass
class _Folder:
    key: str
    parts: list[Arrival] = field(default_factory=list)
    manifests: list[Arrival] = field(default_factory=list)
    success: Arrival | None = None

    @property
    def markers(self) -> list[Arrival]:
        return [*self.manifests, *filter(None, [self.success])]


def snapshots(client: S3Client, source: Source, objects: Iterable[Arrival]) -> Iterator[Snapshot]:
    """Yields the folders that have parts, `_SUCCESS` or a manifest, by key.

    It reads the manifest of each that has one.

    Raises: LandfallError when a manifest cannot be read.
    """
    for _, folder in sorted(_folders(source, objects).items()):
        if folder.parts or (folder.markers and source.names_folder(folder.key)):
            yield _snapshot(client, source, folder)


def _folders(source: Source, objects: Iterable[Arrival]) -> dict[str, _Folder]:
    folders: dict[str, _Folder] = {}
    for each in objects:
        path, slash, name = each.key.rpartition("/")
        folder = folders.setdefault(path + slash, _Folder(path + slash))
        if name == SUCCESS:
            folder.success = each
        elif name.endswith(MANIFEST):
            folder.manifests.append(each)
        elif source.matches(each.key) and not source.is_hidden(each.key):
            folder.parts.append(each)
    return folders


def _snapshot(client: S3Client, source: Source, folder: _Folder) -> Snapshot:
    parts, waits_for = folder.parts, None
    if len(folder.manifests) > 1:
        waits_for = "manifests"
    elif folder.manifests:
        parts, waits_for = _by_manifest(client, source, folder)
    elif not parts:
        waits_for = "files"
    elif folder.success is None:
        waits_for = "marker"
    return Snapshot(_arrival(source, folder, parts), parts, waits_for)


def _arrival(source: Source, folder: _Folder, parts: list[Arrival]) -> Arrival:
    names = "".join(f"{part.key}\n{part.etag}\n{part.size}\n" for part in parts)
    return Arrival(
        source.bucket,
        folder.key,
        hashlib.sha256(names.encode(), usedforsecurity=False).hexdigest()[:32],
        sum(part.size for part in parts),
        max(each.last_modified for each in [*parts, *folder.markers]),
    )


def _by_manifest(
    client: S3Client, source: Source, folder: _Folder
) -> tuple[list[Arrival], str | None]:
    """Returns the parts that the manifest names, and what the folder waits for."""
    (manifest,) = folder.manifests
    named = _entries(_read(client, manifest))
    if not named:
        return folder.parts, "manifest"
    if not all(_can_be_part(source, folder, uri) for uri in named):
        return folder.parts, "others"
    parts = [part for part in folder.parts if part.uri in named]
    are_whole = all(named[part.uri] in (None, part.size) for part in parts)
    if len(parts) < len(named) or not are_whole:
        return folder.parts, "parts"
    return parts, None


def _can_be_part(source: Source, folder: _Folder, uri: str) -> bool:
    key = uri.removeprefix(f"s3://{source.bucket}/")
    is_in_folder = key != uri and key.rpartition("/")[0] == folder.key.rstrip("/")
    return is_in_folder and source.matches(key) and not source.is_hidden(key)


def _read(client: S3Client, manifest: Arrival) -> bytes:
    with s3_errors(manifest.bucket, manifest.key):
        body = client.get_object(Bucket=manifest.bucket, Key=manifest.key)["Body"]
        return bytes(body.read(MANIFEST_BYTES))


def _entries(text: bytes) -> dict[str, int | None]:
    """Returns the objects of a manifest, with the sizes that it has; none when it is bad."""
    try:
        entries: list[dict[str, Any]] = json.loads(text)["entries"]
        return {
            str(entry["url"]): (entry.get("meta") or {}).get("content_length") for entry in entries
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
