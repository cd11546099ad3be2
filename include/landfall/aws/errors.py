"""Turns what AWS says to a key or a role into the project's errors."""

from __future__ import annotations

from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004  botocore's
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    SSLError,
)

from include.landfall.errors import ConnectionUnusable, LandfallError, ServerUnavailable

# botocore has tried these several times already:
# https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
TRANSIENT_CODES = frozenset(
    """
    IDPCommunicationError InternalFailure RequestLimitExceeded RequestThrottled ServiceUnavailable
    SlowDown Throttling ThrottlingException TooManyRequestsException
    """.split()
)
TRANSIENT = (
    ConnectionError, CredentialRetrievalError, HTTPClientError, MetadataRetrievalError,
)  # fmt: skip


def refusal(what: str, error: Exception, do: str) -> LandfallError:
    """Returns an error that says `what`, by whether a retry can help."""
    message = " ".join(str(error).split())
    if _is_transient(error):
        return ServerUnavailable(what, found=message, do="retry")
    return ConnectionUnusable(what, found=message, do=do)


def _is_transient(error: Exception) -> bool:
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error.response.get("Error", {}).get("Code") in TRANSIENT_CODES
    return isinstance(error, TRANSIENT) and not isinstance(error, SSLError)
