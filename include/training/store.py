"""The bucket: its address and key from the environment, and the errors of its store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

TRIES = 4  # of each request
# Error codes of S3.
MISSING = {"NoSuchBucket", "NoSuchKey", "404"}
REFUSED = {"403", "401", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}


class TrainingError(Exception):
    """An error with a message for a person. A retry can help only when `exit_code` is 75."""

    def __init__(
        self, what: str, exit_code: int, *, found: str = "", expected: str = "", do: str = ""
    ) -> None:
        parts = {"found": found, "expected": expected, "what to do": do}
        lines = [what, *(f"  {name}: {text}" for name, text in parts.items() if text)]
        super().__init__("\n".join(lines))
        self.exit_code = exit_code


@dataclass(frozen=True)
class Bucket:
    """A bucket and the key to it, from the environment."""

    name: str
    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    region: str = "us-east-1"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Bucket:
        """Reads the bucket from the variables MINIO_*.

        Raises: TrainingError when a variable is missing.
        """
        needed = ("BUCKET_NAME", "ENDPOINT", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
        names = [f"MINIO_{name}" for name in needed]
        if missing := [name for name in names if not environ.get(name)]:
            raise TrainingError(
                f"the environment lacks {', '.join(missing)}", 2, expected=", ".join(names)
            )
        name, endpoint, access_key, secret_key = (environ[name] for name in names)
        return cls(
            name,
            endpoint,
            access_key,
            secret_key,
            session_token=environ.get("MINIO_SESSION_TOKEN"),
            region=environ.get("MINIO_REGION") or "us-east-1",
        )

    def client(self) -> Any:
        """Creates an S3 client, which the caller closes.

        Raises: TrainingError when the endpoint is not an address.
        """
        config = Config(
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "max_attempts": TRIES},
            connect_timeout=10,
            # Since version 1.36 boto3 asks for checksums, which some S3 clones refuse.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            return boto3.session.Session().client(
                "s3", endpoint_url=self.endpoint, region_name=self.region, config=config,
                aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
                aws_session_token=self.session_token,
            )  # fmt: skip
        except ValueError:
            raise TrainingError(
                "MINIO_ENDPOINT is not an address", 2, found=without_login(self.endpoint),
                expected="http://host:port or https://host",
            ) from None  # fmt: skip


@contextmanager
def store_errors(bucket: str, key: str) -> Iterator[None]:
    """Turns the errors of boto3 into TrainingError, whose exit code says if a retry can help."""
    uri = f"s3://{bucket}/{key}"
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "?")
        if code in MISSING:
            raise TrainingError(f"there is no {uri}", 4, found=code) from error
        if code in REFUSED:
            raise TrainingError(f"the store refuses the key for {uri}", 3, found=code) from error
        raise TrainingError(f"the store failed for {uri}", 75, found=code, do="retry") from error
    except BotoCoreError as error:
        message = without_login(str(error))
        raise TrainingError(
            "the object store cannot be reached", 75, found=message, do="check the endpoint, retry"
        ) from error


def without_login(text: str) -> str:
    """Returns the text without the user names and passwords in its URLs."""
    return re.sub(r"//[^/@\s]*@", "//", text)
