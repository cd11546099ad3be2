"""An upload is one whole object or none, whatever its length and however it ends."""

from __future__ import annotations

import pytest
from moto import mock_aws

from include.landfall.connections import Store
from include.landfall.errors import ObjectMissing, TerminalError, TransientError
from include.landfall.s3 import upload as module
from include.landfall.s3.client import make_client
from include.landfall.s3.upload import (
    DOUBLE_EVERY,
    FIRST_PART_BYTES,
    MOST_PARTS,
    Upload,
    part_bytes,
)

MIB = 1 << 20


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setattr(module, "FIRST_PART_BYTES", 5 * MIB)  # the least that S3 takes
    with mock_aws():
        client = make_client(Store(None, "key", "secret"))
        client.create_bucket(Bucket="out")
        yield client


def read(client, key="x"):
    return client.get_object(Bucket="out", Key=key)["Body"].read()


def keys(client):
    return [entry["Key"] for entry in client.list_objects_v2(Bucket="out").get("Contents", [])]


def unfinished(client):
    return client.list_multipart_uploads(Bucket="out").get("Uploads", [])


def fail_after(client, size):
    with Upload(client, "out", "x", "text/csv") as upload:
        upload.write(b"x" * size)
        raise ZeroDivisionError


@pytest.mark.parametrize("size", [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 12 * MIB])
def test_what_was_written_is_what_is_there(client, size):
    data = bytes(i % 251 for i in range(997)) * (size // 997 + 1)
    with Upload(client, "out", "x", "text/csv") as upload:
        for start in range(0, size, 300_000):
            upload.write(data[start : min(size, start + 300_000)])
    assert read(client) == data[:size]
    assert upload.bytes == size
    assert upload.etag == client.head_object(Bucket="out", Key="x")["ETag"].strip('"')
    assert client.head_object(Bucket="out", Key="x")["ContentType"] == "text/csv"


@pytest.mark.parametrize("size", [10, 6 * MIB])
def test_a_failure_midway_leaves_nothing_and_no_parts_to_pay_for(client, size):
    with pytest.raises(ZeroDivisionError):
        fail_after(client, size)
    assert keys(client) == []
    assert unfinished(client) == []


def test_a_failure_leaves_the_object_that_was_there_before(client):
    client.put_object(Bucket="out", Key="x", Body=b"yesterday's")
    with pytest.raises(ZeroDivisionError):
        fail_after(client, 6 * MIB)
    assert read(client) == b"yesterday's"


def test_nobody_sees_the_object_before_it_is_whole(client):
    with Upload(client, "out", "x", "text/csv") as upload:
        upload.write(b"x" * 11 * MIB)
        assert keys(client) == []
    assert keys(client) == ["x"]


def test_a_failing_abort_does_not_hide_the_first_error(client, mocker, caplog):
    from botocore.exceptions import ClientError

    gone = ClientError({"Error": {"Code": "NoSuchUpload"}}, "AbortMultipartUpload")
    mocker.patch.object(client, "abort_multipart_upload", side_effect=gone)
    with pytest.raises(ZeroDivisionError):
        fail_after(client, 6 * MIB)
    assert "s3://out/x" in caplog.text


def test_a_failing_completion_aborts(client, mocker):
    from botocore.exceptions import EndpointConnectionError

    away = EndpointConnectionError(endpoint_url="http://store")
    mocker.patch.object(client, "complete_multipart_upload", side_effect=away)
    with pytest.raises(TransientError), Upload(client, "out", "x", "text/csv") as upload:
        upload.write(b"x" * 6 * MIB)
    assert unfinished(client) == []


def test_a_bucket_that_is_not_there_is_named(client):
    with pytest.raises(ObjectMissing, match="nowhere"), Upload(client, "nowhere", "x", "t") as up:
        up.write(b"x" * 6 * MIB)


def test_part_sizes_leave_room_for_484_gib_and_stay_small_at_first():
    assert part_bytes(1) == part_bytes(DOUBLE_EVERY) == FIRST_PART_BYTES == 8 * MIB
    assert part_bytes(DOUBLE_EVERY + 1) == 16 * MIB
    assert part_bytes(MOST_PARTS) == 128 * MIB
    assert sum(part_bytes(n) for n in range(1, MOST_PARTS + 1)) >> 30 == 484


def test_more_than_s3_takes_is_a_clear_error(client, monkeypatch):
    monkeypatch.setattr(module, "MOST_PARTS", 1)
    with (
        pytest.raises(TerminalError, match="too large for one object"),
        Upload(client, "out", "x", "t") as upload,
    ):
        upload.write(b"x" * 11 * MIB)
    assert unfinished(client) == []
