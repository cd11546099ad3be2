"""The error codes of S3's documentation by HTTP status, and those that other services add.

From https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, all of its lists, as of
2026. The page also lists "503 SlowDown", which is the status with the code.
"""

from __future__ import annotations

DOCUMENTED = {
    200: """
        InternalErrors MultiRegionAccessPointAlreadyOwnedByYou
        MultiRegionAccessPointModifiedByAnotherRequest MultiRegionAccessPointNotReady
        MultiRegionAccessPointSameBucketRegion MultiRegionAccessPointUnsupportedRegion
    """,
    301: "PermanentRedirect PermanentRedirectControlError",
    304: "NotModified",
    307: "Redirect TemporaryRedirect",
    400: """
        AccessControlListNotSupported AmbiguousGrantByEmailAddress AuthorizationHeaderMalformed
        AuthorizationQueryParametersError BadDigest BucketHasAccessPointsAttached
        ConnectionClosedByRequester CredentialsNotSupported DeviceNotActiveError EndpointNotFound
        EntityTooSmall EntityTooLarge ExpiredToken IllegalLocationConstraintException
        IllegalVersioningConfigurationException IncompleteBody IncorrectEndpoint
        IncorrectNumberOfFilesInPostRequest InlineDataTooLarge InvalidAccessPoint
        InvalidAccessPointAliasError InvalidAddressingHeader InvalidArgument
        InvalidBucketAclWithObjectOwnership InvalidBucketName InvalidBucketOwnerAWSAccountID
        InvalidDigest InvalidEncryptionAlgorithmError InvalidHostHeader InvalidHttpMethod
        InvalidLocationConstraint InvalidPart InvalidPartOrder InvalidPolicyDocument InvalidRequest
        InvalidSessionException InvalidSignature InvalidSOAPRequest InvalidStorageClass
        InvalidTargetBucketForLogging InvalidToken InvalidURI KeyTooLongError
        KMS.DisabledException KMS.InvalidKeyUsageException KMS.KMSInvalidStateException
        KMS.NotFoundException MalformedACLError MalformedPOSTRequest MalformedXML
        MaxMessageLengthExceeded MaxPostPreDataLengthExceededError MetadataTooLarge
        MissingAttachment MissingRequestBodyError MissingSecurityElement MissingSecurityHeader
        NoLoggingStatusForKey NotDeviceOwnerError RequestHeaderSectionTooLarge RequestTimeout
        RequestTorrentOfBucketError ResponseInterrupted
        ServerSideEncryptionConfigurationNotFoundError TagPolicyException TokenCodeInvalidError
        TokenRefreshRequired TooManyAccessPoints TooManyBuckets
        TooManyMultiRegionAccessPointregionsError TooManyMultiRegionAccessPoints UnexpectedContent
        UnsupportedArgument UnsupportedSignature UnresolvableGrantByEmailAddress
        UserKeyMustBeSpecified InvalidTag MalformedPolicy

        AmbiguousFieldName CastFailed ColumnTooLong CSVEscapingRecordDelimiter CSVParsingError
        CSVUnescapedQuote EmptyRequestBody EvaluatorBindingDoesNotExist EvaluatorInvalidArguments
        EvaluatorInvalidTimestampFormatPattern EvaluatorInvalidTimestampFormatPatternSymbol
        EvaluatorInvalidTimestampFormatPatternSymbolForParsing
        EvaluatorInvalidTimestampFormatPatternToken EvaluatorLikePatternInvalidEscapeSequence
        EvaluatorNegativeLimit EvaluatorTimestampFormatPatternDuplicateFields
        EvaluatorTimestampFormatPatternHourClockAmPmMismatch
        EvaluatorUnterminatedTimestampFormatPatternToken ExpressionTooLong ExternalEvalException
        IllegalSqlFunctionArgument IncorrectSqlFunctionArgumentType IntegerOverflow InvalidCast
        InvalidColumnIndex InvalidCompressionFormat InvalidDataSource InvalidDataType
        InvalidExpressionType InvalidFileHeaderInfo InvalidJsonType InvalidKeyPath
        InvalidQuoteFields InvalidRequestParameter InvalidScanRange InvalidTableAlias
        InvalidTextEncoding JSONParsingError LexerInvalidChar LexerInvalidIONLiteral
        LexerInvalidLiteral LexerInvalidOperator LikeInvalidInputs MaxOperatorsExceeded
        MissingRequiredParameter MultipleDataSourcesUnsupported NumberFormatError
        ObjectSerializationConflict OverMaxColumn OverMaxParquetBlockSize OverMaxRecordSize
        ParquetParsingError ParquetUnsupportedCompressionCodec ParseAsteriskIsNotAloneInSelectList
        ParseCannotMixSqbAndWildcardInSelectList ParseCastArity ParseEmptySelect
        ParseExpected2TokenTypes ParseExpectedArgumentDelimiter ParseExpectedDatePart
        ParseExpectedExpression ParseExpectedIdentForAlias ParseExpectedIdentForAt
        ParseExpectedIdentForGroupName ParseExpectedKeyword ParseExpectedLeftParenAfterCast
        ParseExpectedLeftParenBuiltinFunctionCall ParseExpectedLeftParenValueConstructor
        ParseExpectedMember ParseExpectedNumber ParseExpectedRightParenBuiltinFunctionCall
        ParseExpectedTokenType ParseExpectedTypeName ParseExpectedWhenClause
        ParseInvalidContextForWildcardInSelectList ParseInvalidPathComponent ParseInvalidTypeParam
        ParseMalformedJoin ParseMissingIdentAfterAt ParseNonUnaryAgregateFunctionCall
        ParseSelectMissingFrom ParseUnExpectedKeyword ParseUnexpectedOperator ParseUnexpectedTerm
        ParseUnexpectedToken ParseUnknownOperator ParseUnsupportedAlias
        ParseUnsupportedCallWithStar ParseUnsupportedCase ParseUnsupportedCaseClause
        ParseUnsupportedLiteralsGroupBy ParseUnsupportedSelect ParseUnsupportedSyntax
        ParseUnsupportedToken TruncatedInput UnrecognizedFormatException UnsupportedFunction
        UnsupportedParquetType UnsupportedRangeHeader UnsupportedScanRangeInput
        UnsupportedSqlOperation UnsupportedSqlStructure UnsupportedStorageClass UnsupportedSyntax
        UnsupportedTypeForQuerying ValueParseFailure

        TooManyTags AnnotationLimitExceeded AnnotationNameTooLong InvalidAnnotationName
        InvalidPrefix UserAnnotationNameMustBeSpecified BadRequest

        ActivityMetricsMustEnabled DuplicateStorageLensGroupARN EmptyExcludeContainer
        EmptyExcludeElement EmptyIncludeContainer InvalidAWSOrgArn EmptyIncludeElement
        InvalidBucketFilter InvalidConfigId InvalidDestination InvalidEncryptionMethod
        InvalidFilterForDefaultConfiguration InvalidIncludeExcludeContainers
        InvalidIncludeExcludeElements InvalidKMSEncryptionKeyId InvalidMaximumPrefixDepth
        InvalidMinimumStorageBytesPercentage InvalidOrganizationARN
        InvalidOrganizationForDefaultConfiguration InvalidRegionForDefaultConfiguration
        InvalidRegionName InvalidStorageLensArn InvalidStorageLensGroupARN
        MissingAccountLevelActivityMetrics MissingBucketLevelActivityMetrics
        MissingEncryptionMethod MissingPrefixLevelStorageMetrics StorageMetricsMustEnabled
        TooManyRegions TooManyStorageLensGroups DuplicateElement InvalidAge InvalidFilter
        InvalidLogicalOperator InvalidMatchAnyPrefix InvalidMatchAnySuffix InvalidMatchAnyTag
        InvalidMatchObjectAge InvalidMatchObjectSize InvalidName InvalidNumericCombination
        InvalidSize InvalidSuffix MismatchedName TooManyConfigurations TooManyElements

        LambdaInvalidResponse LambdaInvocationFailed ValidationError
        AccessGrantsInstanceNotEmptyError AccessGrantsLocationNotEmptyError InvalidAccessGrant
        InvalidAccessGrantsLocation InvalidIamRole InvalidIdentityCenterInstance
        InvalidResourcePolicy StsPackedPolicyTooLargeError StsValidationError InvalidTags
        InvalidKey BadRequestException
    """,
    401: "UnauthorizedAccess",
    403: """
        AccessDenied AccountProblem AllAccessDisabled CrossLocationLoggingProhibited
        InvalidAccessKeyId InvalidObjectState InvalidPayer InvalidRegion InvalidSecurity
        MissingAuthenticationToken NotSignedUp RequestTimeTooSkewed SignatureDoesNotMatch
        UnauthorizedAccessError UnexpectedIPError AccountNotAuthorized
        DefaultConfigurationDeleteForbidden AWSOrganizationsNotInUseException
        OrganizationAccessDenied OrgConfigurationNotSupported ServiceNotEnabledForOrg
        LambdaPermissionError StsNotAuthorizedError AccessDeniedException
        ForbiddenException
    """,
    404: """
        NoSuchAsyncRequest NoSuchBucket NoSuchBucketPolicy NoSuchCORSConfiguration NoSuchKey
        NoSuchLifecycleConfiguration NoSuchMultiRegionAccessPoint NoSuchObjectLockConfiguration
        NoSuchWebsiteConfiguration NoSuchTagSet NoSuchUpload NoSuchVersion NoTransformationDefined
        ObjectLockConfigurationNotFoundError OwnershipControlsNotFoundError NoSuchAccessPoint
        ReplicationConfigurationNotFoundError NoSuchResource NoSuchAnnotation NoSuchOutpost
        UnsupportedOperation LambdaNotFound AccessGrantsInstanceNotExistsError
        AccessGrantsInstanceResourcePolicyNotExists NoSuchAccessGrantError
        NoSuchAccessGrantsLocationError NotFoundException
    """,
    405: "MethodNotAllowed",
    409: """
        AccessPointAlreadyOwnedByYou BucketAlreadyExists BucketAlreadyOwnedByYou BucketNotEmpty
        ClientTokenConflict ConditionalRequestConflict InvalidBucketState OperationAborted
        RestoreAlreadyInProgress AnnotationRequestConflict InvalidOutpostState
        ConfigurationAlreadyExists AccessGrantAlreadyExists AccessGrantsInstanceAlreadyExists
        AccessGrantsLocationAlreadyExistsError AccessGrantsLocationsQuotaExceededError
        AccessGrantsQuotaExceededError ConflictException
    """,
    411: "MissingContentLength",
    412: "PreconditionFailed RequestIsNotMultiPartContent",
    415: "UnsupportedMediaType",
    416: "InvalidRange",
    429: "TooManyRequestsException",
    500: """
        InternalError LambdaResponseNotReceived LambdaRuntimeError LambdaTimeout
        InternalServerErrorException
    """,
    501: "NotImplemented",
    503: "ServiceUnavailable SlowDown Busy",
    507: "InsufficientCapacity",
}

# What MinIO, SeaweedFS, Ceph and others send beside Amazon's codes, to calls that Landfall makes.
OTHER_SERVICES = """
    XMinioStorageFull XMinioServerNotInitialized XMinioIAMNotInitialized
    XMinioBucketMetadataNotInitialized XMinioBackendDown XMinioReadQuorum XMinioWriteQuorum
    XMinioServerTimedOut XMinioObjectTampered XMinioInsecureClientRequest XMinioInvalidObjectName
    XMinioInvalidResourceName XMinioObjectExistsAsDirectory XMinioParentIsObject
    XMinioAdminBucketQuotaExceeded XMinioAdminInvalidAccessKey XMinioAdminInvalidSecretKey
    XMinioInvalidIAMCredentials XMinioInvalidDecompressedSize XMinioRequestBodyParse
    XMinioMalformedJSON XMinioPolicyNesting SlowDownRead SlowDownWrite ServerBusy TooManyRequests
    ClientDisconnected InvalidPrefixMarker InvalidDuration MalformedDate PostPolicyInvalidKeyName
    XAmzContentSHA256Mismatch

    ErrTooManyRequest ErrRequestBytesExceed ExistingObjectIsDirectory ExistingObjectIsFile
    MissingFields NoSuchObjectLegalHold

    InvalidObjectName UserSuspended QuotaExceeded LimitExceeded NoSuchUser NoSuchEntity UnknownError
    MalformedPolicyDocument InvalidRetentionPeriod ZonegroupDefaultPlacementMisconfiguration

    InternalFailure InternalServerError RequestExpired Unauthorized KeyTooLong
    XAmzContentChecksumMismatch
"""

# Answers to HEAD, and those of proxies, have a status alone.
STATUSES = """
    301 304 307 308 400 401 403 404 405 408 409 411 412 413 415 416 429 499 500 501 502 503 504 505
    507 509
"""


def documented_codes() -> dict[str, int]:
    """Returns each documented code with the HTTP status that comes with it."""
    return {code: status for status, codes in DOCUMENTED.items() for code in codes.split()}
