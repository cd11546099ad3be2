"""Turns the errors of botocore and of S3 services into the project's errors, by tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, SSLError
from botocore.parsers import ResponseParserError

from include.landfall.errors import (
    ConnectionUnusable,
    FeedError,
    LandfallError,
    ServerUnavailable,
    TerminalError,
)
from include.landfall.s3.error_codes import DENIED, ELSEWHERE, verdict_on
from include.landfall.s3.error_codes import UNKNOWN as UNKNOWN_CODE
from include.landfall.verdict import Verdict, by_name

UNKNOWN = Verdict(
    TerminalError,
    "the library for S3 gave up",
    do="look the message up in the documentation of botocore",
)
UNREACHED = Verdict(
    ServerUnavailable, "the object store cannot be reached", do="check the endpoint, retry"
)
NO_KEY = Verdict(
    ConnectionUnusable,
    "there is no key for the object store",
    do="give the connection a login (the access key) and a password (the secret key)",
)

# Names of classes of botocore.exceptions; those of other modules have their module before them.
CLASSES = by_name(
    # The service answered: its code decides, and this is the verdict on a code without a line.
    (UNKNOWN_CODE, "ClientError EventStreamError"),
    # The network, or a connection that broke.
    (
        UNREACHED,
        """
        HTTPClientError ConnectionError EndpointConnectionError ConnectTimeoutError
        ProxyConnectionError ConnectionClosedError ReadTimeoutError ResponseStreamingError
        IncompleteReadError
        """,
    ),
    # A certificate that does not fit, or a server that speaks no TLS. A handshake that was
    # interrupted is the network's fault: see INTERRUPTED.
    (
        Verdict(
            ConnectionUnusable,
            "no encrypted connection to the object store can be made",
            do="check the store's certificate, AWS_CA_BUNDLE, and http or https in endpoint_url",
        ),
        "SSLError",
    ),
    # An answer that was cut off, or that is the page of a proxy.
    (
        Verdict(
            ServerUnavailable,
            "the answer of the object store cannot be read",
            do="check that the endpoint is that of an S3 service, retry",
        ),
        "botocore.parsers.ResponseParserError",
    ),
    (
        Verdict(
            ServerUnavailable,
            "the bytes were damaged on the way from the object store",
            do="retry",
        ),
        "ChecksumError FlexibleChecksumError",
    ),
    (
        Verdict(
            ServerUnavailable,
            "a request to the object store failed too often",
            do="retry later, or load fewer files at the same time",
        ),
        "CapacityNotAvailableError UnseekableStreamError",
    ),
    # Keys that another service gives out (a role of the machine, a container or a program).
    (
        Verdict(
            ServerUnavailable,
            "the service that gives out the keys did not give one",
            do="check the role of this machine, retry",
        ),
        "CredentialRetrievalError MetadataRetrievalError",
    ),
    (NO_KEY, "NoCredentialsError PartialCredentialsError NoAuthTokenError"),
    # Keys that a person must renew, or settings of keys that a person must correct.
    (
        Verdict(
            ConnectionUnusable,
            "the key for the object store cannot be used",
            do="log in again, or correct the AWS profile, its files and the AWS_ variables",
        ),
        """
        ConfigNotFound ConfigParseError InfiniteLoopConfigError InvalidConfigError
        InvalidIMDSEndpointError InvalidIMDSEndpointModeError LoginAuthorizationCodeError
        LoginError LoginInsufficientPermissions LoginRefreshRequired LoginTokenLoadError
        ProfileNotFound RefreshWithMFAUnsupportedError SSOError SSOTokenLoadError
        TokenRetrievalError UnauthorizedSSOTokenError UnknownCredentialError
        UnknownTokenProviderError
        """,
    ),
    (
        Verdict(
            ConnectionUnusable,
            "the connection's region and endpoint give no address of an object store",
            do="correct region_name and endpoint_url of the connection",
        ),
        """
        BaseEndpointResolverError EndpointProviderError EndpointResolutionError
        EndpointVariantError InvalidEndpointConfigurationError
        InvalidEndpointDiscoveryConfigurationError InvalidHostLabelError InvalidRegionError
        InvalidS3UsEast1RegionalEndpointConfigError InvalidSTSRegionalEndpointsConfigError
        NoRegionError ServiceNotInRegionError UnknownEndpointError
        UnknownEndpointResolutionBuiltInName UnknownFIPSEndpointError UnknownRegionError
        botocore.discovery.EndpointDiscoveryException
        botocore.discovery.EndpointDiscoveryRefreshFailed
        botocore.discovery.EndpointDiscoveryRequired
        """,
    ),
    (
        Verdict(
            ConnectionUnusable,
            "the settings of the S3 client are wrong",
            do="correct the AWS configuration file and the AWS_ variables",
        ),
        """
        InvalidChecksumConfigError InvalidDefaultsMode InvalidMaxRetryAttemptsError
        InvalidProxiesConfigError InvalidRetryConfigurationError InvalidRetryModeError
        InvalidS3AddressingStyleError UnknownSignatureVersionError UnsupportedS3ConfigurationError
        UnsupportedS3ControlConfigurationError UnsupportedSignatureVersionError
        """,
    ),
    # botocore refuses these names before it sends anything.
    (
        Verdict(
            FeedError,
            "S3 does not take the name of the bucket or the key",
            do="check source.bucket and the key",
        ),
        """
        InvalidDNSNameError ParamValidationError UnsupportedOutpostResourceError
        UnsupportedS3AccesspointConfigurationError UnsupportedS3ArnError
        UnsupportedS3ControlArnError
        """,
    ),
    (
        Verdict(
            TerminalError,
            "the installed botocore is not complete, or of another version",
            do="install the version in requirements.txt again",
        ),
        """
        ApiVersionNotFoundError DataNotFoundError MD5UnavailableError MissingDependencyException
        UnknownServiceError UnknownServiceStyle UnsupportedServiceProtocolsError
        """,
    ),
    # Calls that are wrong in the program, doubles of its tests, and what has no better line.
    (
        UNKNOWN,
        """
        AliasConflictParameterError AwsChunkedWrapperError BotoCoreError InvalidExpressionError
        MissingParametersError OperationNotPageableError PaginationError RangeError
        StubAssertionError StubResponseError UnStubbedResponseError UnknownClientMethodError
        UnknownKeyError UnknownParameterError ValidationError WaiterConfigError WaiterError
        """,
    ),
)

# How Python's ssl module words a handshake that ended before a certificate was looked at.
INTERRUPTED = re.compile("EOF occurred|UNEXPECTED_EOF|timed out|reset by peer")


@contextmanager
def s3_errors(bucket: str, key: str | None = None) -> Iterator[None]:
    """Turns what botocore raises into the project's errors, with the object's address."""
    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise refusal(error, bucket).at(object=f"s3://{bucket}/{key or ''}") from error


def refusal(error: Exception, bucket: str) -> LandfallError:
    """Returns the error as one of the project's, by what a retry would do."""
    verdict, message, expected = _verdict_on_class(error), str(error), None
    if isinstance(error, ClientError):
        code, message, status = _answer(error)
        verdict = verdict_on(code, status)
        expected = _right_address(error) if verdict is ELSEWHERE else None
    return verdict.error(
        verdict.what.format(bucket=bucket),
        found=without_login(" ".join(message.split())),
        expected=expected or verdict.expected,
        do=verdict.do,
    )


@contextmanager
def naming_right(right: str) -> Iterator[None]:
    """Says which right is missing where the store knows the key, and does not allow the request."""
    try:
        yield
    except ConnectionUnusable as refused:
        cause = refused.__cause__
        if isinstance(cause, ClientError) and verdict_on(*_answer(cause)[::2]) is DENIED:
            refused.do = f"allow the connection's key {right}"
        raise


def without_login(text: str) -> str:
    """Returns the text, its URLs without the user and password that they may hold."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def name_of(error_class: type) -> str:
    """Returns the name that a class of botocore has in the table."""
    if error_class.__module__ == "botocore.exceptions":
        return error_class.__qualname__
    return f"{error_class.__module__}.{error_class.__qualname__}"


def _verdict_on_class(error: Exception) -> Verdict:
    if isinstance(error, SSLError) and INTERRUPTED.search(str(error)):
        return UNREACHED
    lines = (CLASSES.get(name_of(base)) for base in type(error).__mro__)
    return next((verdict for verdict in lines if verdict), UNKNOWN)


def _answer(error: ClientError) -> tuple[str, str, int]:
    """Returns the code, the code with the message, and the HTTP status of the answer."""
    details = error.response.get("Error", {})
    code, message = details.get("Code") or "?", details.get("Message")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code, f"{code}: {message}" if message else code, status


def _right_address(error: ClientError) -> str | None:
    """Returns the region or the endpoint that Amazon's answer names, if it names one."""
    details: dict[str, str] = {**error.response.get("Error", {})}  # type: ignore[dict-item]
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = details.get("Region") or headers.get("x-amz-bucket-region")
    endpoint = details.get("Endpoint")
    return f"region {region}" if region else f"endpoint {endpoint}" if endpoint else None
