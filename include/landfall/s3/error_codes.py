"""What each error code of an S3 service becomes.

The codes are those of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and of
botocore's description of S3, and those that MinIO, SeaweedFS and Ceph add. A number stands for the
HTTP status of an answer without a body, as each answer to HEAD is.
"""

from __future__ import annotations

from include.landfall.errors import (
    ConnectionUnusable,
    FeedError,
    ObjectChanged,
    ObjectMissing,
    ServerUnavailable,
    TerminalError,
)
from include.landfall.s3.unused_error_codes import (
    ACCESS_GRANTS,
    BUCKETS,
    FORMS_AND_FUNCTIONS,
    SELECT,
    STORAGE_LENS,
)
from include.landfall.verdict import Verdict, by_name

UNKNOWN = Verdict(
    TerminalError,
    "the object store refused the request",
    do="look the code up in the documentation of the store",
)
FAILED = Verdict(ServerUnavailable, "the object store answered with an error", do="retry")
NOT_TAKEN = Verdict(
    TerminalError,
    "the object store does not take the request",
    do="check that the store supports the request, and the options of the connection",
)
# Amazon names the right region or endpoint in its answer.
ELSEWHERE = Verdict(
    ConnectionUnusable,
    "the connection has another region or endpoint than the bucket",
    do="correct region_name or endpoint_url of the connection",
)

NOT_THERE = "no such object"
# The store knows the key, and does not allow it this request.
DENIED = Verdict(
    ConnectionUnusable,
    "the object store refused the key",
    do="check the connection's key, and what it is allowed to do",
)

CODES = by_name(
    # The store failed, or two requests met: the same request can succeed.
    (
        FAILED,
        """
        500 502 504 InternalError InternalErrors InternalFailure InternalServerError
        InternalServerErrorException UnknownError LambdaTimeout LambdaResponseNotReceived
        LambdaRuntimeError 408 RequestTimeout RequestTimeoutException XMinioServerTimedOut 499
        ClientDisconnected ConnectionClosedByRequester ResponseInterrupted 307 Redirect
        TemporaryRedirect OperationAborted ConditionalRequestConflict ConflictException
        AnnotationRequestConflict MultiRegionAccessPointModifiedByAnotherRequest
        PriorRequestNotComplete TransactionInProgressException XMinioServerNotInitialized
        XMinioIAMNotInitialized XMinioBucketMetadataNotInitialized XMinioBackendDown
        XMinioReadQuorum XMinioWriteQuorum
        """,
    ),
    # The store asks for fewer requests, or for some time.
    (
        Verdict(
            ServerUnavailable,
            "the object store is overloaded, or not available for now",
            do="retry later, or load fewer files at the same time",
        ),
        """
        503 429 509 SlowDown SlowDownRead SlowDownWrite ServiceUnavailable Busy ServerBusy
        Throttling ThrottlingException ThrottledException RequestThrottled
        RequestThrottledException RequestLimitExceeded TooManyRequests TooManyRequestsException
        ErrTooManyRequest ErrRequestBytesExceed BandwidthLimitExceeded LimitExceededException
        ProvisionedThroughputExceededException EC2ThrottledException
        """,
    ),
    # The disks of the store are full until somebody frees them.
    (
        Verdict(
            ServerUnavailable, "the object store is full", do="free space in the store, then retry"
        ),
        "507 XMinioStorageFull InsufficientCapacity",
    ),
    # Bytes that changed on the way, or fewer than were announced: the next attempt sends all.
    (
        Verdict(ServerUnavailable, "the bytes were damaged on the way to the store", do="retry"),
        "BadDigest IncompleteBody XAmzContentSHA256Mismatch XAmzContentChecksumMismatch",
    ),
    # A multipart upload that the store dropped or cleaned up: the next attempt begins a new one.
    (
        Verdict(ServerUnavailable, "the object store lost the parts of the upload", do="retry"),
        "NoSuchUpload InvalidPart",
    ),
    # Another version than the one listed. A range is out of the object only when it became shorter.
    (
        Verdict(
            ObjectChanged,
            "the object is no longer the version that was listed",
            expected="the ETag of the listing",
            do="run again: the new version is a new arrival",
        ),
        "412 PreconditionFailed 416 InvalidRange",
    ),
    (
        Verdict(ObjectMissing, NOT_THERE, do="check source.bucket and the key"),
        "404 NoSuchKey NoSuchVersion",
    ),
    (
        Verdict(
            ObjectMissing, "there is no bucket {bucket!r}", do="check source.bucket and the key"
        ),
        "NoSuchBucket NoSuchAccessPoint NoSuchMultiRegionAccessPoint NoSuchOutpost",
    ),
    # For a load it is as good as missing: the other files of the feed can still be loaded.
    (
        Verdict(
            ObjectMissing,
            "the object is archived, and cannot be read before it is restored",
            do="restore the object, or keep archived objects out of the feed's pattern",
        ),
        """
        InvalidObjectState RestoreAlreadyInProgress ObjectNotInActiveTierError
        ObjectAlreadyInActiveTierError
        """,
    ),
    # Who asks, and what the key may do.
    (DENIED, "403 AccessDenied AccessDeniedException ForbiddenException"),
    (
        Verdict(
            ConnectionUnusable, "the object store refused the key", do="check the connection's key"
        ),
        """
        401 AccountProblem AllAccessDisabled AuthorizationQueryParametersError
        CredentialsNotSupported DeviceNotActiveError InvalidAccessKeyId InvalidAddressingHeader
        InvalidPayer InvalidSecurity InvalidSessionException InvalidSignature InvalidToken
        LambdaPermissionError MissingAuthenticationToken MissingSecurityElement
        MissingSecurityHeader NotDeviceOwnerError NotSignedUp SignatureDoesNotMatch
        TokenCodeInvalidError Unauthorized UnauthorizedAccess UnauthorizedAccessError
        UnexpectedIPError UnsupportedSignature UserSuspended NoSuchUser NoSuchEntity
        XMinioInvalidIAMCredentials XMinioAdminInvalidAccessKey XMinioAdminInvalidSecretKey
        """,
    ),
    (
        Verdict(
            ConnectionUnusable,
            "the key for the object store has ended",
            do="give the connection a new key with its aws_session_token, or a role_arn: the key of"
            " a role is renewed by itself",
        ),
        "ExpiredToken TokenRefreshRequired",
    ),
    (
        Verdict(
            ConnectionUnusable,
            "the clock of this machine differs too much from the object store's",
            do="set the clock of this machine",
        ),
        "RequestTimeTooSkewed RequestExpired MalformedDate",
    ),
    (
        ELSEWHERE,
        """
        301 308 PermanentRedirect PermanentRedirectControlError AuthorizationHeaderMalformed
        EndpointNotFound IllegalLocationConstraintException IncorrectEndpoint InvalidRegion
        InvalidRegionName InvalidLocationConstraint InvalidHostHeader XMinioInsecureClientRequest
        """,
    ),
    (
        Verdict(
            ConnectionUnusable,
            "the key that encrypts the object cannot be used",
            do="enable the encryption key, and let the connection's key use it",
        ),
        """
        KMS.DisabledException KMS.InvalidKeyUsageException KMS.KMSInvalidStateException
        KMS.NotFoundException
        """,
    ),
    (
        Verdict(
            FeedError,
            "the object store does not take the name of the bucket or the key",
            do="check source.bucket and the key",
        ),
        """
        InvalidBucketName InvalidAccessPoint InvalidAccessPointAliasError InvalidKey InvalidURI
        InvalidObjectName KeyTooLong KeyTooLongError XMinioInvalidObjectName
        XMinioInvalidResourceName
        """,
    ),
    # An object store on a file system has no key below another key.
    (
        Verdict(
            TerminalError,
            "the key is a folder of the object store, or below an object",
            do="choose another key",
        ),
        """
        ExistingObjectIsDirectory ExistingObjectIsFile XMinioObjectExistsAsDirectory
        XMinioParentIsObject
        """,
    ),
    (
        Verdict(
            TerminalError,
            "the object store does not take an object of this size, or no more of them",
            do="raise the quota or the limit, or write a smaller object",
        ),
        """
        413 EntityTooLarge EntityTooSmall InlineDataTooLarge MaxMessageLengthExceeded
        MetadataTooLarge RequestHeaderSectionTooLarge TooManyParts QuotaExceeded LimitExceeded
        XMinioAdminBucketQuotaExceeded
        """,
    ),
    (
        Verdict(
            TerminalError,
            "the object is damaged in the object store",
            do="upload the object again",
        ),
        "XMinioObjectTampered XMinioInvalidDecompressedSize",
    ),
    # A store that lacks what the request needs, or a proxy that changed the request.
    (
        NOT_TAKEN,
        """
        304 400 405 409 411 415 501 505 NotModified BadRequest BadRequestException
        EncryptionTypeMismatch IdempotencyParameterMismatch InvalidArgument InvalidBucketState
        InvalidDigest InvalidEncryptionAlgorithmError InvalidHttpMethod InvalidPartOrder
        InvalidPrefixMarker InvalidRequest InvalidStorageClass InvalidWriteOffset MalformedXML
        MethodNotAllowed MissingContentLength MissingFields MissingRequestBodyError NotImplemented
        UnexpectedContent UnsupportedArgument UnsupportedMediaType UnsupportedOperation
        ValidationError XMinioMalformedJSON XMinioRequestBodyParse
        """,
    ),
    (NOT_TAKEN, BUCKETS + FORMS_AND_FUNCTIONS + ACCESS_GRANTS + STORAGE_LENS + SELECT),
)


def verdict_on(code: str, status: int) -> Verdict:
    """Returns the verdict on a code. One without a line is judged by its HTTP status.

    Such a code is transient when the store has too many requests (429) or failed (5xx).
    """
    if code in CODES:
        return CODES[code]
    if status == 429 or status >= 500:
        return CODES.get(str(status), FAILED)
    return UNKNOWN
