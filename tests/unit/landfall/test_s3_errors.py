"""Every error of botocore and S3 becomes one of the project's errors, by complete tables."""

from __future__ import annotations

import re
from pathlib import Path

import botocore
import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from include.landfall.errors import (
    ConnectionUnusable,
    FeedError,
    LandfallError,
    ObjectChanged,
    ObjectMissing,
    ServerUnavailable,
    TerminalError,
    TransientError,
)
from include.landfall.s3.error_codes import CODES
from include.landfall.s3.errors import CLASSES, name_of, refusal, s3_errors
from include.landfall.verdict import by_name
from tests.support.exception_classes import exception_classes
from tests.support.s3_documented_codes import OTHER_SERVICES, STATUSES, documented_codes

# Classes and modules of botocore that no call of S3 raises, with the reason.
NOT_RAISED = {
    "ImminentRemovalWarning": "a warning",
    "UnsupportedTLSVersionWarning": "a warning",
    "UndefinedModelAttributeError": "the description of a service lacks a part; that of S3 has it",
    "MissingServiceIdError": "the description of a service lacks its id; that of S3 has it",
    "botocore.model": "a program asks the description of a service for what it does not hold",
    "botocore.eventstream": "streams of events, as only S3 Select sends them",
    "botocore.utils": "botocore catches them: attempts at a metadata service, names of resources",
    "botocore.vendored": "bases for programs of the time when botocore held a copy of requests",
}

ENGINE = Path(__file__).parents[3] / "include" / "landfall"
BOTOCORE_CLASSES = {name_of(c): c for c in exception_classes(botocore)}
DOCUMENTED = documented_codes()
RAISED = (BotoCoreError, ClientError, ResponseParserError)


def names_without_a_line(table):
    def is_not_raised(name):
        return name in NOT_RAISED or any(name.startswith(f"{module}.") for module in NOT_RAISED)

    return [name for name in BOTOCORE_CLASSES if name not in table and not is_not_raised(name)]


def answer(code, status=400, message="text", headers=None, **details):
    return ClientError(
        {
            "Error": {"Code": code, "Message": message, **details},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers or {}},
        },
        "GetObject",
    )


class AnyText(dict):
    """Has a value for every field that a message of botocore may name."""

    def __missing__(self, key):
        return f"<{key}>"


def example(name):
    """An error of the class, with botocore's own message."""
    error_class = BOTOCORE_CLASSES[name]
    if issubclass(error_class, ClientError):
        return error_class({"Error": {"Code": "SomethingNew"}}, "GetObject")
    error = error_class.__new__(error_class)
    text = getattr(error_class, "fmt", "text").format_map(AnyText())
    Exception.__init__(error, text)
    return error


def test_every_class_of_botocore_has_a_line():
    assert len(BOTOCORE_CLASSES) > 100
    assert names_without_a_line(CLASSES) == []


@pytest.mark.parametrize("name", CLASSES)
def test_a_line_that_is_taken_out_is_missed(name):
    assert names_without_a_line({n: v for n, v in CLASSES.items() if n != name}) == [name]


def test_no_line_names_a_class_that_botocore_does_not_define():
    assert CLASSES.keys() - BOTOCORE_CLASSES.keys() == set()


def test_classes_that_are_never_raised_are_neither_caught_nor_in_the_table():
    for name, error_class in BOTOCORE_CLASSES.items():
        if name not in CLASSES:
            assert not issubclass(error_class, RAISED)
    for name in NOT_RAISED:
        assert name not in CLASSES
        assert any(each == name or each.startswith(f"{name}.") for each in BOTOCORE_CLASSES)


def test_the_engine_imports_neither_boto3_nor_s3transfer_whose_classes_have_no_lines():
    for module in ENGINE.rglob("*.py"):
        imports = re.findall(r"^\s*(?:from|import) (\w+)", module.read_text(), re.M)
        assert not {"boto3", "s3transfer"} & set(imports), module


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_becomes_its_error_with_what_it_says_and_what_to_do(name):
    error, verdict = example(name), CLASSES[name]
    with pytest.raises(LandfallError) as caught, s3_errors("b", "k"):
        raise error
    assert type(caught.value) is verdict.error
    assert isinstance(caught.value, TransientError) != isinstance(caught.value, TerminalError)
    assert (caught.value.what, caught.value.do) == (verdict.what, verdict.do)
    assert caught.value.found
    assert caught.value.do
    assert caught.value.place.object == "s3://b/k"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("error", "kind", "what"),
    [
        (exceptions.EndpointConnectionError(endpoint_url="http://s"), ServerUnavailable, "reached"),
        (exceptions.ConnectTimeoutError(endpoint_url="http://s"), ServerUnavailable, "reached"),
        (exceptions.ConnectionClosedError(endpoint_url="http://s"), ServerUnavailable, "reached"),
        (exceptions.ReadTimeoutError(endpoint_url="http://s"), ServerUnavailable, "reached"),
        (exceptions.ProxyConnectionError(proxy_url="http://p"), ServerUnavailable, "reached"),
        (exceptions.FlexibleChecksumError(error_msg="x"), ServerUnavailable, "damaged"),
        (exceptions.MetadataRetrievalError(error_msg="x"), ServerUnavailable, "gives out the keys"),
        (ResponseParserError("no XML"), ServerUnavailable, "cannot be read"),
        (exceptions.NoCredentialsError(), ConnectionUnusable, "there is no key"),
        (exceptions.ProfileNotFound(profile="p"), ConnectionUnusable, "cannot be used"),
        (exceptions.NoRegionError(), ConnectionUnusable, "no address"),
        (exceptions.EndpointResolutionError(msg="x"), ConnectionUnusable, "no address"),
        (exceptions.InvalidRetryModeError(provided_retry_mode="x", valid_modes="y"),
         ConnectionUnusable, "settings"),
        (exceptions.ParamValidationError(report="Invalid bucket name"), FeedError, "name"),
        (exceptions.DataNotFoundError(data_path="s3"), TerminalError, "installed botocore"),
        (exceptions.PaginationError(message="twice"), TerminalError, "gave up"),
    ],
)  # fmt: skip
def test_a_class_is_judged_by_what_a_retry_would_do(error, kind, what):
    made = refusal(error, "b")
    assert type(made) is kind
    assert what in made.what


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate", ConnectionUnusable),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", ConnectionUnusable),
        ("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation", ServerUnavailable),
        ("The handshake operation timed out", ServerUnavailable),
    ],
)
def test_a_wrong_certificate_is_terminal_but_a_handshake_that_broke_is_not(text, kind):
    error = exceptions.SSLError(endpoint_url="https://store", error=text)
    assert type(refusal(error, "b")) is kind


def test_a_class_that_a_later_botocore_adds_is_terminal_unless_it_is_of_the_network():
    class SomethingNewError(BotoCoreError):
        fmt = "new"

    class NewTimeoutError(exceptions.HTTPClientError):
        fmt = "new"

    assert type(refusal(SomethingNewError(), "b")) is TerminalError
    assert type(refusal(NewTimeoutError(), "b")) is ServerUnavailable


def test_what_others_raise_passes_as_it_is():
    with pytest.raises(KeyError), s3_errors("b"):
        raise KeyError("x")


def modelled_codes():
    """The codes in botocore's description of S3: the errors of operations, and a list in prose."""
    shapes = create_loader().load_service_model("s3", "service-2")["shapes"]
    prose = shapes["Error"]["members"]["Code"]["documentation"]
    described = re.findall(r"<i>Code:</i> *(?!N/A)([\w.]+) *</p>", prose)
    return {*described, *(name for name, shape in shapes.items() if shape.get("exception"))}


def retried_codes():
    """The codes and statuses that botocore itself retries."""
    return {
        *ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
        *TransientRetryableChecker._TRANSIENT_ERROR_CODES,
        *map(str, TransientRetryableChecker._TRANSIENT_STATUS_CODES),
    }


def test_every_code_has_a_line_and_a_line_that_is_taken_out_is_missed():
    others = {*OTHER_SERVICES.split(), *STATUSES.split()}
    codes = {*DOCUMENTED, *modelled_codes(), *retried_codes(), *others}
    assert len(DOCUMENTED) > 300
    assert len(modelled_codes()) > 80
    assert codes - CODES.keys() == set()
    for code in CODES:
        assert codes - (CODES.keys() - {code}) == {code}


def test_what_botocore_itself_retries_is_transient():
    assert [code for code in retried_codes() if not CODES[code].error.retryable] == []


def test_a_documented_code_is_transient_when_the_store_failed_and_terminal_when_it_forbids():
    retryable = {code: CODES[code].error.retryable for code in DOCUMENTED}
    failed = {code for code, status in DOCUMENTED.items() if status == 429 or status >= 500}
    assert {code for code in failed if not retryable[code]} == {"NotImplemented"}
    forbidden = {code for code, status in DOCUMENTED.items() if status in {401, 403}}
    assert {code for code in forbidden if retryable[code]} == set()


@pytest.mark.parametrize("code", CODES)
def test_each_code_becomes_its_error_with_what_was_found_and_what_to_do(code):
    verdict = CODES[code]
    with pytest.raises(LandfallError) as caught, s3_errors("b", "k"):
        raise answer(code)
    assert type(caught.value) is verdict.error
    assert isinstance(caught.value, TransientError) != isinstance(caught.value, TerminalError)
    assert caught.value.what == verdict.what.format(bucket="b")
    assert caught.value.found == f"{code}: text"
    assert caught.value.do


EXPECTED = [
    ("InternalError", ServerUnavailable, "answered with an error"),
    ("RequestTimeout", ServerUnavailable, "answered with an error"),
    ("TemporaryRedirect", ServerUnavailable, "answered with an error"),
    ("SlowDown", ServerUnavailable, "overloaded"),
    ("429", ServerUnavailable, "overloaded"),
    ("503", ServerUnavailable, "overloaded"),
    ("XMinioStorageFull", ServerUnavailable, "full"),
    ("BadDigest", ServerUnavailable, "damaged on the way"),
    ("NoSuchUpload", ServerUnavailable, "lost the parts"),
    ("PreconditionFailed", ObjectChanged, "no longer the version"),
    ("412", ObjectChanged, "no longer the version"),
    ("InvalidRange", ObjectChanged, "no longer the version"),
    ("NoSuchKey", ObjectMissing, "no such object"),
    ("NoSuchVersion", ObjectMissing, "no such object"),
    ("404", ObjectMissing, "no such object"),
    ("NoSuchBucket", ObjectMissing, "there is no bucket 'b'"),
    ("InvalidObjectState", ObjectMissing, "archived"),
    ("AccessDenied", ConnectionUnusable, "refused the key"),
    ("403", ConnectionUnusable, "refused the key"),
    ("ExpiredToken", ConnectionUnusable, "key for the object store has ended"),
    ("InvalidAccessKeyId", ConnectionUnusable, "refused the key"),
    ("SignatureDoesNotMatch", ConnectionUnusable, "refused the key"),
    ("RequestTimeTooSkewed", ConnectionUnusable, "clock"),
    ("PermanentRedirect", ConnectionUnusable, "another region"),
    ("AuthorizationHeaderMalformed", ConnectionUnusable, "another region"),
    ("KMS.DisabledException", ConnectionUnusable, "encrypts"),
    ("InvalidBucketName", FeedError, "name of the bucket"),
    ("ExistingObjectIsFile", TerminalError, "folder"),
    ("EntityTooLarge", TerminalError, "size"),
    ("XMinioObjectTampered", TerminalError, "damaged in the object store"),
    ("NotImplemented", TerminalError, "does not take the request"),
    ("ParseEmptySelect", TerminalError, "does not take the request"),
]


@pytest.mark.parametrize(("code", "kind", "what"), EXPECTED)
def test_a_code_is_judged_by_what_a_retry_would_do(code, kind, what):
    made = refusal(answer(code), "b")
    assert type(made) is kind
    assert what in made.what


def test_each_verdict_on_codes_has_an_example():
    assert {CODES[code] for code, _, _ in EXPECTED} == set(CODES.values())


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("SomethingNew", 400, TerminalError),
        ("SomethingNew", 403, TerminalError),
        ("SomethingNew", 404, TerminalError),
        ("SomethingNew", 200, TerminalError),
        ("SomethingNew", 429, ServerUnavailable),
        ("SomethingNew", 500, ServerUnavailable),
        ("SomethingNew", 501, TerminalError),
        ("SomethingNew", 503, ServerUnavailable),
        ("SomethingNew", 599, ServerUnavailable),
        ("520", 520, ServerUnavailable),
    ],
)
def test_a_code_without_a_line_is_terminal_unless_its_status_is_a_failure(code, status, kind):
    assert type(refusal(answer(code, status), "b")) is kind


def test_an_answer_without_code_or_message_is_terminal_too():
    made = refusal(ClientError({}, "GetObject"), "b")
    assert (type(made), made.found) == (TerminalError, "?")


def test_the_right_region_or_endpoint_stands_in_the_message():
    wrong_region = answer("AuthorizationHeaderMalformed", Region="eu-west-1")
    assert refusal(wrong_region, "b").expected == "region eu-west-1"
    head = answer("301", 301, headers={"x-amz-bucket-region": "eu-central-1"})
    assert refusal(head, "b").expected == "region eu-central-1"
    redirect = answer("PermanentRedirect", 301, Endpoint="b.s3.example.com")
    assert refusal(redirect, "b").expected == "endpoint b.s3.example.com"
    # Amazon sends the region with other refusals too. It helps nobody there.
    denied = answer("AccessDenied", 403, headers={"x-amz-bucket-region": "eu-central-1"})
    assert refusal(denied, "b").expected is None


def test_a_login_in_an_address_is_not_shown():
    error = exceptions.EndpointConnectionError(endpoint_url="http://user:secret@store:9000/")
    assert "secret" not in str(refusal(error, "b"))
    assert "//store:9000" in str(refusal(error, "b"))


def test_a_name_cannot_have_two_lines():
    verdict = CODES["404"]
    with pytest.raises(ValueError, match="404 has two lines"):
        by_name((verdict, "404"), (verdict, "403 404"))
