"""S3: the one place that makes clients, lists objects and words the service's refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.loaders import Loader, create_loader

from .arrival import Arrival
from .connections import Store
from .errors import ConnectionRefused, LandfallError, ObjectChanged, ObjectMissing, ServerAway

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from .feed import Source

MISSING = {"NoSuchBucket", "NoSuchKey", "NoSuchVersion", "404"}
REFUSED = {
    "403", "401", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",
    "InvalidToken", "AuthorizationHeaderMalformed", "AllAccessDisabled", "Unauthorized",
}  # fmt: skip
WISHES = {
    "read_timeout": 60,
    "connect_timeout": 10,
    "retries": {"mode": "standard", "max_attempts": 4},
    # Since 1.36 boto3 asks for checksums that some S3 clones refuse.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def make_client(store: Store, **wishes: Any) -> S3Client:
    """A client for the store; `wishes` go into botocore's Config over our own."""
    # A clone on its own address rarely has a name for each bucket.
    style: Any = {"addressing_style": "path"} if store.endpoint_url else {}
    session = botocore.session.get_session()
    descriptions = _descriptions(session.get_config_variable("data_path"))
    session.register_component("data_loader", descriptions)
    client = session.create_client(
        "s3",
        endpoint_url=store.endpoint_url,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        aws_session_token=store.session_token,
        region_name=store.region,
        config=Config(s3=style, **{**WISHES, **wishes}),
    )
    return cast("S3Client", client)


@cache
def _descriptions(data_path: str | None) -> Loader:
    """What botocore knows of S3, read once: 0.2 s, which else each client takes anew."""
    return create_loader(data_path)


def list_arrivals(client: S3Client, source: Source) -> Iterator[Arrival]:
    """The objects that match the source's pattern, by key; only its prefix is listed."""
    pages = client.get_paginator("list_objects_v2")
    with clear_errors(source.bucket):
        for page in pages.paginate(Bucket=source.bucket, Prefix=source.prefix):
            for entry in page.get("Contents", []):
                if source.matches(entry["Key"]) and not entry["Key"].endswith("/"):
                    yield Arrival(
                        source.bucket,
                        entry["Key"],
                        entry["ETag"].strip('"'),
                        entry["Size"],
                        entry["LastModified"],
                    )


def find_arrival(client: S3Client, bucket: str, key: str) -> Arrival:
    """The object as it is now; raises ObjectMissing."""
    with clear_errors(bucket, key):
        head = client.head_object(Bucket=bucket, Key=key)
    etag = head["ETag"].strip('"')
    return Arrival(bucket, key, etag, head["ContentLength"], head["LastModified"])


@contextmanager
def clear_errors(bucket: str, key: str | None = None) -> Iterator[None]:
    """Turns what botocore raises into the project's errors, with the place."""
    try:
        yield
    except ClientError as error:
        raise _refusal(error, bucket).at(object=_uri(bucket, key)) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise ConnectionRefused(
            "there is no key for the object store",
            found=str(error),
            do="give the connection a login (the access key) and a password (the secret key)",
        ).at(object=_uri(bucket, key)) from error
    except BotoCoreError as error:
        raise ServerAway(
            "the object store cannot be reached",
            found=without_login(str(error)),
            do="check the endpoint, retry",
        ).at(object=_uri(bucket, key)) from error


def without_login(text: str) -> str:
    """The text, its URLs without the user and password that they may hold."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def _uri(bucket: str, key: str | None) -> str:
    return f"s3://{bucket}/{key or ''}"


def _refusal(error: ClientError, bucket: str) -> LandfallError:
    details = error.response.get("Error", {})
    code, said = details.get("Code", "?"), details.get("Message", "")
    found = f"{code}: {said}" if said else code
    if code in MISSING:
        what = f"there is no bucket {bucket!r}" if code == "NoSuchBucket" else "no such object"
        return ObjectMissing(what, found=found, do="check source.bucket and the key")
    if code in REFUSED:
        return ConnectionRefused(
            "the object store refused the key", found=found, do="check the connection's key"
        )
    if code in {"PreconditionFailed", "412"}:
        return ObjectChanged(
            "the object is no longer the version that was listed",
            expected="the ETag of the listing",
            do="run again: the new version is a new arrival",
        )
    return ServerAway("the object store answered with an error", found=found, do="retry")
