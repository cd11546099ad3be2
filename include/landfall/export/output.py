"""Where an export goes: one object, or parts of about the same size."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from include.landfall.errors import TerminalError
from include.landfall.s3.errors import naming_right, s3_errors
from include.landfall.s3.key_rights import check_may_delete
from include.landfall.s3.upload import Upload

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MOST_PARTS = 100_000  # what five digits number


@dataclass(frozen=True)
class Place:
    """The key of an export, or of its parts, which have a number behind their name."""

    bucket: str
    key: str
    part_size: int | None = None
    has_manifest: bool = False

    def __post_init__(self) -> None:
        """Checks that the key names an object, and that a manifest has parts to name.

        Raises: TerminalError when the key is that of a folder: no feed would read the object.
        """
        if self.has_manifest and not self.part_size:
            raise TerminalError(
                "a manifest of an export is wrong", found="no part_size", expected="one beside it"
            )
        if not self.key or self.key.endswith("/"):
            raise TerminalError(
                "the key of an export names a folder",
                found=repr(self.key),
                expected="the key of an object, such as out/orders.csv",
            )

    def key_of(self, number: int) -> str:
        """Returns the key of a part, from 0: `out/x.csv.gz` becomes `out/x-00000.csv.gz`."""
        before, after = self._around
        return f"{before}{number:05}{after}" if self.part_size else self.key

    @property
    def uri(self) -> str:
        """The address of the object, or of all parts as a pattern."""
        before, after = self._around
        return f"s3://{self.bucket}/" + (f"{before}*{after}" if self.part_size else self.key)

    @property
    def beginning(self) -> str:
        """What the keys of all parts begin with."""
        return self._around[0]

    @property
    def manifest_key(self) -> str:
        """The key of the manifest: a feed with `source.snapshot: dir` takes it for one."""
        return f"{self.beginning}manifest"

    @property
    def _around(self) -> tuple[str, str]:
        folder, slash, name = self.key.rpartition("/")
        stem, dot, ending = name.partition(".")
        return f"{folder}{slash}{stem}-", dot + ending

    def later_keys(self, client: S3Client, count: int) -> list[str]:
        """Returns the keys of parts from the number `count` on, which an earlier export wrote."""
        before, after = self._around
        pages = client.get_paginator("list_objects_v2")
        part = re.compile(rf"{re.escape(before)}(\d{{5}}){re.escape(after)}")
        with naming_right("s3:ListBucket"), s3_errors(self.bucket):
            keys = [
                entry["Key"]
                for page in pages.paginate(Bucket=self.bucket, Prefix=before)
                for entry in page.get("Contents", [])
            ]
        matches = [match for key in keys if (match := part.fullmatch(key))]
        return [match[0] for match in matches if int(match[1]) >= count]


class Output:
    """The uploads of an export. No object appears before all of the result is written.

    Parts appear one after the other at the end. Then those of an earlier export of this name that
    have higher numbers are deleted, since they would be taken for parts of this one. A manifest is
    written last, and that of an earlier export is deleted before its first part is replaced.
    """

    def __init__(
        self,
        client: S3Client,
        place: Place,
        content_type: str,
        condition: Mapping[str, str] | None = None,
    ) -> None:
        self._client, self.place = client, place
        self._content_type, self._condition = content_type, condition
        self._stack = ExitStack()
        self.uploads: list[Upload] = []

    def __enter__(self) -> Self:
        self.begin()
        if self.place.part_size:
            self._check_rights()
        return self

    def _check_rights(self) -> None:
        """Checks before the query runs that what an earlier export wrote could be deleted after it.

        Raises: ConnectionUnusable.
        """
        if self.place.later_keys(self._client, 0) or self.place.has_manifest:
            check_may_delete(self._client, self.place.bucket, self.place.beginning)

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        has_manifest = self.place.has_manifest and error_type is None
        if has_manifest:  # the last to enter is the first to leave
            self._stack.callback(self._delete, self.place.manifest_key)
        self._stack.__exit__(error_type, error, trace)
        if error_type is None and self.place.part_size:
            for key in self.place.later_keys(self._client, len(self.uploads)):
                self._delete(key)
        if has_manifest:
            self._write_manifest()

    @property
    def upload(self) -> Upload:
        """The object, or the part that is being written."""
        return self.uploads[-1]

    @property
    def is_full(self) -> bool:
        """Whether the part has its size, so that the next row begins another one."""
        size = self.place.part_size
        return size is not None and self.upload.bytes >= size

    @property
    def bytes(self) -> int:
        """How many bytes all objects have."""
        return sum(upload.bytes for upload in self.uploads)

    def begin(self) -> None:
        """Begins the object, or the next part."""
        if len(self.uploads) == MOST_PARTS:
            raise TerminalError("the export has too many parts", do="make part_size larger")
        if self.uploads:
            self.upload.seal()
        key = self.place.key_of(len(self.uploads))
        upload = Upload(self._client, self.place.bucket, key, self._content_type, self._condition)
        self.uploads.append(self._stack.enter_context(upload))

    def _delete(self, key: str) -> None:
        with naming_right("s3:DeleteObject"), s3_errors(self.place.bucket, key):
            self._client.delete_object(Bucket=self.place.bucket, Key=key)

    def _write_manifest(self) -> None:
        entries = [
            {
                "url": f"s3://{self.place.bucket}/{self.place.key_of(number)}",
                "meta": {"content_length": upload.bytes},
            }
            for number, upload in enumerate(self.uploads)
        ]
        key, text = self.place.manifest_key, json.dumps({"entries": entries}, indent=1)
        with Upload(self._client, self.place.bucket, key, "application/json") as upload:
            upload.write(text.encode())
