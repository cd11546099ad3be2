"""Makes clients for object stores."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader, create_loader

from include.landfall.connections import Store
from include.landfall.errors import ConnectionUnusable
from include.landfall.s3.errors import refusal, without_login

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SETTINGS = {
    "read_timeout": 60,
    "connect_timeout": 10,
    "retries": {"mode": "standard", "max_attempts": 4},
    # Since 1.36 boto3 asks for checksums that some S3 clones refuse.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def make_client(store: Store, **settings: Any) -> S3Client:
    """Makes a client for the store, which the caller closes.

    `settings` go into botocore's Config, in place of the project's own.

    Raises: ConnectionUnusable when the endpoint or the key cannot be used as they are.
    """
    # A clone on its own address rarely has a name for each bucket.
    style: Any = {"addressing_style": "path"} if store.endpoint_url else {}
    session = botocore.session.get_session()
    descriptions = _descriptions(session.get_config_variable("data_path"))
    session.register_component("data_loader", descriptions)
    try:
        client = session.create_client(
            "s3",
            endpoint_url=store.endpoint_url,
            aws_access_key_id=store.access_key,
            aws_secret_access_key=store.secret_key,
            aws_session_token=store.session_token,
            region_name=store.region,
            config=Config(s3=style, **{**SETTINGS, **settings}),
        )
    except ValueError as error:
        raise ConnectionUnusable(
            "the connection's endpoint_url cannot be read",
            found=without_login(str(error)),
            expected="a URL such as https://s3.example.com:9000",
        ) from None
    except BotoCoreError as error:  # a key without its other half, for instance
        raise refusal(error, "") from None
    return cast("S3Client", client)


@cache
def _descriptions(data_path: str | None) -> Loader:
    """Reads botocore's description of S3 once. Otherwise each client takes 0.2 s for it."""
    return create_loader(data_path)
