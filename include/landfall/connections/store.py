"""An S3 service and the identity that a load has there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from include.landfall.connections.options import (
    filled,
    flag,
    mapping,
    refuse_named,
    refuse_others,
    text,
)
from include.landfall.errors import ConnectionUnusable

# The extras of Airflow's AWS connection, from the documentation of its Amazon provider 9.39:
# https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/connections/aws.html
ROLE_EXTRAS = frozenset(
    """
    external_id assume_role_method assume_role_kwargs assume_role_with_web_identity_federation
    assume_role_with_web_identity_token_file
    """.split()
)
EXTRAS = ROLE_EXTRAS | frozenset(
    """
    aws_access_key_id aws_secret_access_key aws_session_token config_kwargs endpoint_url
    profile_name region_name role_arn service_config verify
    """.split()
)
_PROFILE = "write profile_name, the name of a profile in AWS's own files"
_WEB_IDENTITY = "add assume_role_method: assume_role_with_web_identity, or take it out"
REFUSED = {
    "assume_role_with_saml": "use assume_role or assume_role_with_web_identity",
    "assume_role_with_web_identity_federation_audience": "use the federation 'file'",
    "session_kwargs": "write each of its names as an extra: region_name, profile_name, ...",
    "s3_config_file": _PROFILE,
    "s3_config_format": _PROFILE,
    "profile": _PROFILE,
    "aws_account_id": "write role_arn, the role's whole name",
    "aws_iam_role": "write role_arn, the role's whole name",
    "host": "write endpoint_url",
}

# Arguments of STS, without those that a person must type each time (SerialNumber, TokenCode):
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
_ANY_ROLE = "DurationSeconds Policy PolicyArns RoleSessionName"
ROLE_ARGUMENTS = {
    "assume_role": f"{_ANY_ROLE} ExternalId ProvidedContexts SourceIdentity Tags TransitiveTagKeys",
    "assume_role_with_web_identity": f"{_ANY_ROLE} ProviderId",
}

# Options of botocore's Config that change how S3 is reached, and no guarantee of a load:
# https://botocore.amazonaws.com/v1/documentation/api/latest/reference/config.html
CONFIG_OPTIONS = """
    auth_scheme_preference client_cert connect_timeout defaults_mode disable_request_compression
    ignore_configured_endpoint_urls max_pool_connections proxies proxies_config read_timeout
    request_checksum_calculation request_min_compression_size_bytes response_checksum_validation
    retries s3 s3_disable_express_session_auth sigv4a_signing_region_set signature_version
    tcp_keepalive use_dualstack_endpoint use_fips_endpoint user_agent user_agent_appid
    user_agent_extra
"""
S3_OPTIONS = """
    addressing_style payload_signing_enabled us_east_1_regional_endpoint use_accelerate_endpoint
    use_arn_region use_dualstack_endpoint
"""
# `bucket_name` and `transfer_config_args` are for Airflow's S3Hook. A feed names its own bucket.
SERVICE_OPTIONS = {
    "s3": "endpoint_url bucket_name transfer_config_args",
    "sts": "endpoint_url",
}
# What Airflow and people call a connection to an object store. `generic` may be anything.
STORE_TYPES = {"aws", "s3", "generic", "", None}
WHERE = "the AWS connection has an extra"


@dataclass(frozen=True)
class Role:
    """A role of AWS that a key takes on.

    `arguments` are what STS gets beside its name. With `web_identity` a token from `token_file`
    takes the place of the key. `sts_endpoint_url` is None for AWS's own STS.
    """

    arn: str
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    web_identity: bool = False
    token_file: str | None = None
    sts_endpoint_url: str | None = None


@dataclass(frozen=True)
class Store:
    """An S3 service.

    Without `endpoint_url` it is AWS itself. Without a key or a profile, botocore looks for a key in
    its usual places. `region` is that of AWS's own settings when it is None, and us-east-1 when
    they have none. `verify` is False, or a file of certificates. `config` goes into botocore's
    Config.
    """

    endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    region: str | None = None
    profile: str | None = None
    role: Role | None = None
    verify: bool | str | None = None
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_fields(
        cls,
        *,
        login: str | None,
        password: str | None,
        extra: Mapping[str, Any] | None = None,
        host: str | None = None,
        conn_id: str = "",
        conn_type: str | None = None,
        **_: object,
    ) -> Store:
        """Makes a store from the fields of an Airflow connection of type `aws`.

        Raises: ConnectionUnusable when it is of another type, or an extra is not understood: a load
        must not run under another identity than its owner thinks.
        """
        _check_type(conn_id, conn_type)
        given = filled({**(extra or {}), **({"host": host} if host else {})})
        refuse_named(WHERE, given, REFUSED)
        refuse_others(WHERE, given, EXTRAS)
        endpoints = _service_endpoints(given)
        return cls(
            endpoint_url=endpoints["s3"] or text(given, "endpoint_url"),
            access_key=login or text(given, "aws_access_key_id"),
            secret_key=password or text(given, "aws_secret_access_key"),
            session_token=text(given, "aws_session_token"),
            region=text(given, "region_name"),
            profile=text(given, "profile_name"),
            role=_role(given, conn_id, endpoints["sts"]),
            verify=_verify(given),
            config=_config(given),
        )


def _check_type(conn_id: str, conn_type: str | None) -> None:
    """Checks that keys are in the connection: a database's login must not be sent to AWS as one."""
    if conn_type not in STORE_TYPES:
        raise ConnectionUnusable(
            f"the connection {conn_id!r} is not one to an object store",
            found=f"type {conn_type}",
            expected="type aws",
            do="name the connection of the object store",
        )


def _service_endpoints(given: Mapping[str, Any]) -> dict[str, str | None]:
    """Returns the endpoints of the services that a load uses. Other services do not matter."""
    services = mapping(given, "service_config")
    endpoints = {}
    for service, options in SERVICE_OPTIONS.items():
        settings = filled(mapping(services, service))
        refuse_others(f"service_config.{service} has an option", settings, options.split())
        endpoints[service] = text(settings, "endpoint_url")
    return endpoints


def _role(given: Mapping[str, Any], conn_id: str, sts_endpoint_url: str | None) -> Role | None:
    arn = text(given, "role_arn")
    if arn is None:
        refuse_named(WHERE, given, dict.fromkeys(ROLE_EXTRAS, "add role_arn, or take it out"))
        return None
    method = text(given, "assume_role_method") or "assume_role"
    if method not in ROLE_ARGUMENTS:
        raise ConnectionUnusable(
            f"the AWS connection asks for {method!r}, which Landfall cannot do",
            expected="assume_role_method: " + " or ".join(ROLE_ARGUMENTS),
        )
    arguments = _role_arguments(given, method, conn_id)
    token_file = text(given, "assume_role_with_web_identity_token_file")
    if method == "assume_role":
        web = [name for name in given if name.startswith("assume_role_with_web_identity")]
        refuse_named(WHERE, web, dict.fromkeys(web, _WEB_IDENTITY))
        return Role(arn, arguments, sts_endpoint_url=sts_endpoint_url)
    federation = text(given, "assume_role_with_web_identity_federation") or "file"
    if federation != "file":
        raise ConnectionUnusable(
            f"the AWS connection asks for the federation {federation!r}", expected="'file'"
        )
    return Role(arn, arguments, True, token_file, sts_endpoint_url)


def _role_arguments(given: Mapping[str, Any], method: str, conn_id: str) -> dict[str, Any]:
    arguments = mapping(given, "assume_role_kwargs")
    external_id = text(given, "external_id")
    if external_id and arguments.setdefault("ExternalId", external_id) != external_id:
        raise ConnectionUnusable(
            "the AWS connection has two different external ids",
            expected="external_id, or ExternalId in assume_role_kwargs",
        )
    refuse_others(f"{method} gets an argument", arguments, ROLE_ARGUMENTS[method].split())
    # The name that Airflow's hook gives to the session: a trust policy may ask for it.
    name = re.sub(r"[^\w+=,.@-]+", "-", f"airflow_{conn_id}".lower()).strip("-")[:64]
    return {"RoleSessionName": name, **arguments}


def _verify(given: Mapping[str, Any]) -> bool | str | None:
    value = given.get("verify")
    if isinstance(value, str) and value.lower() not in ("true", "false", "0", "1"):
        return value
    return None if value is None else flag(given, "verify")


def _config(given: Mapping[str, Any]) -> dict[str, Any]:
    config = mapping(given, "config_kwargs")
    refuse_others("config_kwargs has an option", config, CONFIG_OPTIONS.split())
    refuse_others("config_kwargs.s3 has an option", mapping(config, "s3"), S3_OPTIONS.split())
    return config
