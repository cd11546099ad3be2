"""S3: the one place that makes clients, lists objects and words the service's refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from include.landfall.errors import (
    ConnectionUnusable,
    LandfallError,
    ObjectChanged,
    ObjectMissing,
    ServerUnavailable,
)

MISSING = {"NoSuchBucket", "NoSuchKey", "NoSuchVersion", "404"}


REFUSED = {
    "403", "401", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",
    "InvalidToken", "AuthorizationHeaderMalformed", "AllAccessDisabled", "Unauthorized",
}  # fmt: skip


@contextmanager
def s3_errors(bucket: str, key: str | None = None) -> Iterator[None]:
    """Turns what botocore raises into the project's errors, with the place."""
    try:
        yield
    except ClientError as error:
        raise refusal(error, bucket).at(object=_uri(bucket, key)) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise ConnectionUnusable(
            "there is no key for the object store",
            found=str(error),
            do="give the connection a login (the access key) and a password (the secret key)",
        ).at(object=_uri(bucket, key)) from error
    except BotoCoreError as error:
        raise ServerUnavailable(
            "the object store cannot be reached",
            found=without_login(str(error)),
            do="check the endpoint, retry",
        ).at(object=_uri(bucket, key)) from error


def without_login(text: str) -> str:
    """The text, its URLs without the user and password that they may hold."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def _uri(bucket: str, key: str | None) -> str:
    return f"s3://{bucket}/{key or ''}"


def refusal(error: ClientError, bucket: str) -> LandfallError:
    details = error.response.get("Error", {})
    code, said = details.get("Code", "?"), details.get("Message", "")
    found = f"{code}: {said}" if said else code
    if code in MISSING:
        what = f"there is no bucket {bucket!r}" if code == "NoSuchBucket" else "no such object"
        return ObjectMissing(what, found=found, do="check source.bucket and the key")
    if code in REFUSED:
        return ConnectionUnusable(
            "the object store refused the key", found=found, do="check the connection's key"
        )
    if code in {"PreconditionFailed", "412"}:
        return ObjectChanged(
            "the object is no longer the version that was listed",
            expected="the ETag of the listing",
            do="run again: the new version is a new arrival",
        )
    return ServerUnavailable("the object store answered with an error", found=found, do="retry")
