"""Error codes of calls that Landfall does not make; S3's documentation lists them with the others.

Landfall reads, writes and lists objects. A store that sends one of these codes all the same did not
understand the request.
"""

from __future__ import annotations

# Buckets: making them, and their settings.
BUCKETS = """
    AccessControlListNotSupported AccessPointAlreadyOwnedByYou AmbiguousGrantByEmailAddress
    BucketAlreadyExists BucketAlreadyOwnedByYou BucketHasAccessPointsAttached BucketNotEmpty
    ClientTokenConflict CrossLocationLoggingProhibited IllegalVersioningConfigurationException
    InvalidBucketAclWithObjectOwnership InvalidBucketOwnerAWSAccountID InvalidDuration
    InvalidPolicyDocument InvalidRetentionPeriod InvalidTag InvalidTags
    InvalidTargetBucketForLogging MalformedACLError MalformedPolicy MalformedPolicyDocument
    MultiRegionAccessPointAlreadyOwnedByYou MultiRegionAccessPointNotReady
    MultiRegionAccessPointSameBucketRegion MultiRegionAccessPointUnsupportedRegion
    NoLoggingStatusForKey NoSuchAsyncRequest NoSuchBucketPolicy NoSuchCORSConfiguration
    NoSuchLifecycleConfiguration NoSuchObjectLegalHold NoSuchObjectLockConfiguration
    NoSuchResource NoSuchTagSet NoSuchWebsiteConfiguration NotFoundException
    ObjectLockConfigurationNotFoundError OwnershipControlsNotFoundError
    ReplicationConfigurationNotFoundError ServerSideEncryptionConfigurationNotFoundError
    TagPolicyException TooManyAccessPoints TooManyBuckets
    TooManyMultiRegionAccessPointregionsError TooManyMultiRegionAccessPoints TooManyTags
    UnresolvableGrantByEmailAddress InvalidOutpostState XMinioPolicyNesting
    ZonegroupDefaultPlacementMisconfiguration
"""

# Forms of a browser, SOAP, torrents, annotations and functions in the store (Object Lambda).
FORMS_AND_FUNCTIONS = """
    AnnotationLimitExceeded AnnotationNameTooLong IncorrectNumberOfFilesInPostRequest
    InvalidAnnotationName InvalidPrefix InvalidSOAPRequest LambdaInvalidResponse
    LambdaInvocationFailed LambdaNotFound MalformedPOSTRequest
    MaxPostPreDataLengthExceededError MissingAttachment NoSuchAnnotation
    NoTransformationDefined PostPolicyInvalidKeyName RequestIsNotMultiPartContent
    RequestTorrentOfBucketError UserAnnotationNameMustBeSpecified UserKeyMustBeSpecified
"""

ACCESS_GRANTS = """
    AccessGrantAlreadyExists AccessGrantsInstanceAlreadyExists
    AccessGrantsInstanceNotEmptyError AccessGrantsInstanceNotExistsError
    AccessGrantsInstanceResourcePolicyNotExists AccessGrantsLocationAlreadyExistsError
    AccessGrantsLocationNotEmptyError AccessGrantsLocationsQuotaExceededError
    AccessGrantsQuotaExceededError InvalidAccessGrant InvalidAccessGrantsLocation
    InvalidIamRole InvalidIdentityCenterInstance InvalidResourcePolicy NoSuchAccessGrantError
    NoSuchAccessGrantsLocationError StsNotAuthorizedError StsPackedPolicyTooLargeError
    StsValidationError
"""

STORAGE_LENS = """
    AWSOrganizationsNotInUseException AccountNotAuthorized ActivityMetricsMustEnabled
    ConfigurationAlreadyExists DefaultConfigurationDeleteForbidden DuplicateElement
    DuplicateStorageLensGroupARN EmptyExcludeContainer EmptyExcludeElement
    EmptyIncludeContainer EmptyIncludeElement InvalidAWSOrgArn InvalidAge InvalidBucketFilter
    InvalidConfigId InvalidDestination InvalidEncryptionMethod InvalidFilter
    InvalidFilterForDefaultConfiguration InvalidIncludeExcludeContainers
    InvalidIncludeExcludeElements InvalidKMSEncryptionKeyId InvalidLogicalOperator
    InvalidMatchAnyPrefix InvalidMatchAnySuffix InvalidMatchAnyTag InvalidMatchObjectAge
    InvalidMatchObjectSize InvalidMaximumPrefixDepth InvalidMinimumStorageBytesPercentage
    InvalidName InvalidNumericCombination InvalidOrganizationARN
    InvalidOrganizationForDefaultConfiguration InvalidRegionForDefaultConfiguration
    InvalidSize InvalidStorageLensArn InvalidStorageLensGroupARN InvalidSuffix MismatchedName
    MissingAccountLevelActivityMetrics MissingBucketLevelActivityMetrics
    MissingEncryptionMethod MissingPrefixLevelStorageMetrics OrgConfigurationNotSupported
    OrganizationAccessDenied ServiceNotEnabledForOrg StorageMetricsMustEnabled
    TooManyConfigurations TooManyElements TooManyRegions TooManyStorageLensGroups
"""

# SQL in the store.
SELECT = """
    AmbiguousFieldName CSVEscapingRecordDelimiter CSVParsingError CSVUnescapedQuote CastFailed
    ColumnTooLong EmptyRequestBody EvaluatorBindingDoesNotExist EvaluatorInvalidArguments
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
"""
