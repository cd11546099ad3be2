"""Objects are moved and deleted as they were listed, and a missing right is named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from include.landfall.arrival import Arrival
from include.landfall.errors import ConnectionUnusable, ObjectChanged
from include.landfall.s3 import moving
from include.landfall.s3.moving import delete, move

ARRIVAL = Arrival("landing", "in/a.csv", "e", 3, datetime(2026, 1, 1, tzinfo=UTC))


class Client:
    """A store that refuses one operation."""

    def __init__(self, refused=None, code="AccessDenied", etag="e", size=3):
        self._refused, self._code = refused, code
        self._etag, self._size = etag, size
        self.deleted, self.ranges = [], []

    def _answer(self, operation, **values):
        if operation == self._refused:
            raise ClientError({"Error": {"Code": self._code}}, operation)
        return values

    def head_object(self, Bucket, Key):  # noqa: N803  the names of the call
        if Key != ARRIVAL.key:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "HeadObject")
        now = {"ETag": f'"{self._etag}"', "ContentLength": self._size}
        return self._answer("HeadObject", **now, LastModified=ARRIVAL.last_modified)

    def head_bucket(self, Bucket):  # noqa: N803
        return {}

    def copy_object(self, **_):
        return self._answer("CopyObject")

    def create_multipart_upload(self, **_):
        return {"UploadId": "u"}

    def upload_part_copy(self, **part):
        self.ranges.append(part["CopySourceRange"])
        return self._answer("UploadPartCopy", CopyPartResult={"ETag": '"p"'})

    def complete_multipart_upload(self, **_):
        return {}

    def abort_multipart_upload(self, **_):
        raise ClientError({"Error": {"Code": "InternalError"}}, "AbortMultipartUpload")

    def delete_object(self, **wish):
        self.deleted.append(wish["Key"])
        return self._answer("DeleteObject")


@pytest.mark.parametrize(
    ("refused", "right"),
    [("CopyObject", "s3:PutObject for loaded/in/a.csv"), ("DeleteObject", "s3:DeleteObject")],
)
def test_a_missing_right_is_named(refused, right):
    with pytest.raises(ConnectionUnusable) as caught:
        move(Client(refused), ARRIVAL, "loaded/in/a.csv")
    assert caught.value.do == f"allow the connection's key {right}"
    assert caught.value.place.object == "s3://landing/in/a.csv"


@pytest.mark.parametrize("refused", ["CopyObject", "DeleteObject"])
@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("ExpiredToken", "a new key"),
        ("InvalidAccessKeyId", "check"),
        ("RequestTimeTooSkewed", "clock"),
    ],
)
def test_a_key_that_is_no_good_needs_no_right(refused, code, advice):
    with pytest.raises(ConnectionUnusable) as caught:
        move(Client(refused, code), ARRIVAL, "loaded/in/a.csv")
    assert advice in caught.value.do
    assert "allow" not in caught.value.do


def test_parts_that_cannot_be_taken_away_hide_no_error(monkeypatch, caplog):
    monkeypatch.setattr(moving, "COPIED_AT_ONCE", 0)
    with pytest.raises(ConnectionUnusable, match="refused the key"):
        move(Client("UploadPartCopy"), ARRIVAL, "loaded/in/a.csv")
    assert "the parts of s3://landing/loaded/in/a.csv stay" in caplog.text


@pytest.mark.parametrize(("etag", "size"), [("other", 3), ("e", 4)])
def test_another_version_is_not_deleted_also_where_the_store_passes_over_conditions(etag, size):
    """MinIO passes over If-Match, and some stores give two objects one ETag."""
    client = Client(etag=etag, size=size)
    with pytest.raises(ObjectChanged):
        delete(client, ARRIVAL)
    assert client.deleted == []


def test_parts_of_a_large_object_end_where_it_ends(monkeypatch):
    """S3 refuses a range beyond the object: it could never be moved."""
    monkeypatch.setattr(moving, "COPIED_AT_ONCE", 0)
    monkeypatch.setattr(moving, "PART_BYTES", 2)
    client = Client()
    move(client, ARRIVAL, "loaded/in/a.csv")
    assert (client.ranges, client.deleted) == (["bytes=0-1", "bytes=2-2"], ["in/a.csv"])
