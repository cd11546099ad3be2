"""The listed version of an object is read whole, or not at all."""

from __future__ import annotations

import gzip
import io

import pytest
import zstandard
from botocore.exceptions import IncompleteReadError, ReadTimeoutError
from moto import mock_aws

from include.landfall.connections import Store
from include.landfall.errors import ObjectChanged, ObjectMissing, ServerUnavailable, TruncatedFile
from include.landfall.read.unpack import open_file, open_text
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import find_arrival
from include.landfall.s3.stream import RESUMES, ObjectStream
from tests.support.breaking_store import DATA, Breaking

broken = pytest.mark.parametrize(
    "error",
    [
        None,
        ConnectionResetError("reset"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        ReadTimeoutError(endpoint_url="http://store"),
    ],
)


@broken
def test_a_broken_connection_resumes_at_its_offset_and_asks_for_the_same_version(error):
    store = Breaking(breaks=[100_000, 1, 250_000], error=error)
    assert store.read() == DATA
    assert [wish.get("Range") for wish in store.requests] == [
        None, "bytes=100000-", "bytes=100001-", "bytes=350001-",
    ]  # fmt: skip
    assert {wish["IfMatch"] for wish in store.requests} == {'"e"'}
    assert all(body.closed for body in store.bodies)


@broken
def test_it_gives_up_when_resuming_brings_not_a_byte(error):
    store = Breaking(breaks=[1000] + [0] * 50, error=error)
    with pytest.raises(ServerUnavailable, match="broke 6 times at byte 1000") as caught:
        store.read()
    assert len(store.requests) == RESUMES + 1
    assert caught.value.place.object == "s3://b/k"


@broken
def test_each_byte_is_hashed_once_though_the_connection_breaks(error):
    """The hash tells whether another file had the same content."""
    store, heard = Breaking(breaks=[100_000, 0, 1, 250_000], error=error), []
    stream = ObjectStream(store, store.arrival(), on_read=heard.append)
    assert b"".join(iter(lambda: stream.read(70_000), b"")) == b"".join(heard) == DATA


def test_progress_between_two_breaks_starts_the_count_again():
    assert Breaking(breaks=[1] * 40).read() == DATA


def test_another_version_after_a_break_is_never_mixed_in():
    store = Breaking(breaks=[500_000], etags=["e", "other"])
    with pytest.raises(ObjectChanged, match="no longer the version"):
        store.read()


def test_a_replaced_object_is_an_error_of_the_service_too():
    with mock_aws():
        client = make_client(Store(None, "key", "secret"))
        client.create_bucket(Bucket="landing")
        client.put_object(Bucket="landing", Key="x", Body=b"one")
        arrival = find_arrival(client, "landing", "x")
        client.put_object(Bucket="landing", Key="x", Body=b"two")
        with pytest.raises(ObjectChanged), open_text(client, arrival) as stream:
            stream.read()
        client.delete_object(Bucket="landing", Key="x")
        with (
            pytest.raises(ObjectMissing, match="the object is gone"),
            open_text(client, arrival) as s,
        ):
            s.read()


FRAME = zstandard.ZstdCompressor().compress(DATA)


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (gzip.compress(DATA), DATA),
        (gzip.compress(DATA) + gzip.compress(b"more") + gzip.compress(b""), DATA + b"more"),
        (FRAME, DATA),
        (FRAME + FRAME, DATA + DATA),
        (zstandard.ZstdCompressor(write_content_size=False).compress(b""), b""),
        (gzip.compress(b""), b""),
        (b"", b""),
        (b"\x1f", b"\x1f"),
        (b"plain.gz", b"plain.gz"),
        (gzip.compress(gzip.compress(b"twice")), gzip.compress(b"twice")),
    ],
    # gzip writes the time, but a test must have the same name in all processes of pytest.
    ids=[
        "gzip",
        "gzip of three members",
        "zstd",
        "zstd of two frames",
        "zstd of nothing",
        "gzip of nothing",
        "nothing",
        "one byte of gzip's mark",
        "only named gzip",
        "gzip in gzip",
    ],
)
def test_an_archive_is_told_by_its_content_and_unpacked_to_its_last_member(packed, plain):
    assert Breaking(packed).read() == plain


@pytest.mark.parametrize("packed", [gzip.compress(DATA), FRAME], ids=["gzip", "zstd"])
@pytest.mark.parametrize("share", [0.001, 0.5, 0.99, 1.0])
def test_a_truncated_archive_is_an_error_wherever_it_is_cut(packed, share):
    store = Breaking(packed[: min(len(packed) - 1, max(4, int(len(packed) * share)))])
    with pytest.raises(TruncatedFile, match="cut off or corrupt") as caught:
        store.read()
    assert caught.value.place.object == "s3://b/k"


@pytest.mark.parametrize("packed", [gzip.compress(DATA), FRAME], ids=["gzip", "zstd"])
def test_what_follows_an_archive_is_not_passed_over(packed):
    store = Breaking(packed + b"and some more text")
    with pytest.raises(TruncatedFile):
        store.read()


def test_a_file_is_read_at_any_offset_and_resumes_there():
    store = Breaking(breaks=[10, 20])
    with open_file(store, store.arrival()) as file:
        file.seek(-100, io.SEEK_END)
        assert file.read(50) == DATA[-100:-50]
        file.seek(3)
        assert (file.read(4), file.tell()) == (DATA[3:7], 7)
    assert store.requests[1]["Range"] == f"bytes={len(DATA) - 90}-{len(DATA) - 51}"
    assert {wish["IfMatch"] for wish in store.requests} == {'"e"'}


def test_a_file_gives_up_too():
    store = Breaking(breaks=[0] * 50)
    with pytest.raises(ServerUnavailable), open_file(store, store.arrival()) as file:
        file.read(10)


def test_small_steps_that_follow_one_another_are_few_requests():
    """Parquet files of small row groups once took a GET for each column of each group."""
    store = Breaking()
    with open_file(store, store.arrival()) as file:
        read = [file.read(10_000) for _ in range(101)]
    assert b"".join(read) == DATA
    assert len(store.requests) < 10


def test_far_jumps_bring_no_more_than_they_ask_for():
    store = Breaking()
    with open_file(store, store.arrival()) as file:
        for start in (900_000, 100_000, 500_000, 0):
            file.seek(start)
            assert file.read(5_000) == DATA[start : start + 5_000]
    ranges = [f"bytes={start}-{start + 4_999}" for start in (900_000, 100_000, 500_000, 0)]
    assert [wish["Range"] for wish in store.requests] == ranges


def test_fault_1_12_a_store_that_ignores_the_range_of_a_resumed_get_loads_no_byte_twice():
    client = Breaking(breaks=[100_000, None])
    client.ignores_range = True
    with (
        pytest.raises(ServerUnavailable, match="another range than was asked for"),
        open_text(client, client.arrival()) as stream,
    ):
        stream.read()


@pytest.mark.parametrize("gap", [64 << 10, 1000, 1])
def test_a_connection_that_is_reset_again_and_again_brings_the_object_all_the_same(gap):
    """What a read has got when the connection is reset is lost, so reads become smaller."""
    data = DATA[: 40 * gap]
    reset = ConnectionResetError("reset")
    assert Breaking(data, [gap] * 10_000, error=reset, loses=True).read() == data
    store = Breaking(data, [gap] * 10_000, error=reset, loses=True)
    with open_file(store, store.arrival()) as file:
        assert file.read() == data


def test_a_file_at_any_offset_gives_up_with_the_reason():
    store = Breaking(breaks=[0] * 50, error=ConnectionResetError("reset by peer"))
    with (
        pytest.raises(ServerUnavailable, match="broke 6 times at byte 0") as caught,
        open_file(store, store.arrival()) as file,
    ):
        file.read(10)
    assert caught.value.found == "reset by peer"


@pytest.mark.parametrize("by", [-1, 1])
def test_an_object_of_the_listed_etag_and_another_size_is_another_version(by):
    """Some stores give two objects one ETag. A part of the longer one must not be loaded."""
    store = Breaking()
    store.listed += by
    with pytest.raises(ObjectChanged, match="no longer the version") as caught:
        store.read()
    assert f"{len(DATA)} bytes" in caught.value.found
    with pytest.raises(ObjectChanged), open_file(store, store.arrival()) as file:
        file.read(100)
    assert all(body.closed for body in store.bodies)


def test_a_store_that_ignores_the_range_of_the_first_bytes_is_refused_too():
    client = Breaking()
    client.ignores_range = True
    with (
        pytest.raises(ServerUnavailable, match="another range than was asked for"),
        open_file(client, client.arrival()) as file,
    ):
        file.read(100)
