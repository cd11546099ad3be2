"""Makes clients for object stores."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from include.landfall.aws import session as aws
from include.landfall.connections import Store
from include.landfall.errors import ConnectionUnusable
from include.landfall.s3.errors import refusal, without_login

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SETTINGS: dict[str, Any] = {
    "read_timeout": 60,
    "connect_timeout": 10,
    "retries": {"mode": "standard", "total_max_attempts": 5},
    # Since 1.36 boto3 asks for checksums that some S3 clones refuse.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
# Those of Config that are about the network, and so hold for STS too.
NETWORK = (
    "client_cert", "connect_timeout", "proxies", "proxies_config", "read_timeout", "retries",
    "tcp_keepalive", "use_fips_endpoint", "user_agent_extra",
)  # fmt: skip


def make_client(store: Store, **settings: Any) -> S3Client:
    """Makes a client for the store, which the caller closes.

    `settings` go into botocore's Config, in place of the connection's and the project's own.

    Raises: ConnectionUnusable when the endpoint, the key or an option cannot be used as they are.
    """
    options = _options(store, settings)
    try:
        session = aws.make_session(store, {k: options[k] for k in NETWORK if k in options})
        config = _config(options)
        client = session.create_client(
            "s3",
            endpoint_url=store.endpoint_url,
            region_name=aws.region_of(store, session),
            verify=_certificates(store.verify),
            config=config,
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


def region_of(store: Store) -> str:
    """Returns the region that requests to the store name.

    Raises: ConnectionUnusable when the connection's profile does not exist.
    """
    try:
        return aws.region_of(store)
    except BotoCoreError as error:
        raise refusal(error, "") from None


def address_of(store: Store) -> str:
    """Returns where requests to the store go, for a person.

    Raises: ConnectionUnusable when the connection's profile does not exist.
    """
    of_settings = None
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")  # as botocore reads them
        of_settings = next((f"{os.environ[n]} ({n})" for n in names if os.environ.get(n)), None)
    return without_login(store.endpoint_url or of_settings or f"AWS {region_of(store)}")


def keys_of(store: Store) -> tuple[str | None, str | None, str | None] | None:
    """Returns the key, its secret and its token that the store has now; those of a role end.

    Raises: LandfallError when the role cannot be taken on.
    """
    try:
        keys = aws.make_session(store, {}).get_credentials()
        now = keys.get_frozen_credentials() if keys else None
    except BotoCoreError as error:
        raise refusal(error, "") from None
    return (now.access_key, now.secret_key, now.token) if now else None


def _options(store: Store, settings: dict[str, Any]) -> dict[str, Any]:
    """Returns the options of Config: the project's, then the connection's, then the caller's."""
    given = dict(store.config)
    if given.get("signature_version") == "unsigned":
        given["signature_version"] = UNSIGNED
    # A clone on its own address rarely has a name for each bucket.
    style = {"addressing_style": "path"} if store.endpoint_url else {}
    given["s3"] = {**style, **given.get("s3", {})}
    if isinstance(given.get("retries"), dict):
        given["retries"] = {"mode": "standard", **given["retries"]}
    return {**SETTINGS, **given, **settings}


def _config(options: dict[str, Any]) -> Config:
    try:
        return Config(**options)
    except (TypeError, ValueError, AttributeError) as error:
        raise ConnectionUnusable(
            "config_kwargs of the connection cannot be used", found=str(error)
        ) from None


def _certificates(verify: bool | str | None) -> bool | str | None:
    if isinstance(verify, str) and not Path(verify).is_file():
        raise ConnectionUnusable(
            "verify of the connection names no file of certificates",
            found=verify,
            expected="true, false, or the path of a file",
        )
    return verify
