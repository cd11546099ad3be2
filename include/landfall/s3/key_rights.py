"""Asks the store whether a key may read, delete and write, with requests that change nothing.

A store looks at the rights first. So whoever lacks one is told of it, and whoever has it is told
that no such object is there.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from typing import TYPE_CHECKING

from include.landfall.errors import ConnectionUnusable, LandfallError
from include.landfall.s3.errors import naming_right, s3_errors

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Where the bucket's objects are encrypted by KMS, a key needs the right to both.
TO_READ = "s3:GetObject, and kms:Decrypt where the object is encrypted"
NAME = ".landfall-check"  # hidden, so no pattern with a * takes it
NO_VERSION = f'"{"0" * 32}"'  # the ETag of no object
WRONG_MD5 = base64.b64encode(md5(b"other bytes", usedforsecurity=False).digest()).decode()


def check_may_read(client: S3Client, bucket: str, key: str) -> None:
    """Checks s3:GetObject, by one byte of the object.

    Raises: ConnectionUnusable when the key may not.
    """
    with _only_rights(bucket, key, TO_READ):
        client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")["Body"].close()


def check_may_delete(client: S3Client, bucket: str, prefix: str) -> None:
    """Checks s3:DeleteObject, by deleting no version of an object that is not there.

    Raises: ConnectionUnusable when the key may not.
    """
    key = f"{prefix}{NAME}"
    with _only_rights(bucket, key, f"s3:DeleteObject below {prefix}"):
        client.delete_object(Bucket=bucket, Key=key, IfMatch=NO_VERSION)


def check_may_write(client: S3Client, bucket: str, prefix: str) -> None:
    """Checks s3:PutObject, by an object whose bytes have another checksum than it says.

    Raises: ConnectionUnusable when the key may not.
    """
    key = f"{prefix}{NAME}"
    with _only_rights(bucket, key, f"s3:PutObject below {prefix}"):
        client.put_object(
            Bucket=bucket, Key=key, Body=b"", ContentMD5=WRONG_MD5, IfMatch=NO_VERSION
        )


@contextmanager
def _only_rights(bucket: str, key: str, right: str) -> Iterator[None]:
    try:
        with naming_right(right), s3_errors(bucket, key):
            yield
    except ConnectionUnusable:
        raise
    except LandfallError:  # the request is allowed, and refused for another reason
        return
