"""The prefix alone is listed, all its pages, and what the store refuses is a clear error."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.loaders import JSONFileLoader
from moto import mock_aws

from include.landfall.connections import Store
from include.landfall.errors import (
    ObjectMissing,
    ServerUnavailable,
)
from include.landfall.feed.source import Source
from include.landfall.s3.client import address_of, make_client
from include.landfall.s3.errors import s3_errors
from include.landfall.s3.listing import find_arrival, list_arrivals


@pytest.fixture
def client():
    with mock_aws():
        client = make_client(Store(None, "key", "secret"))
        client.create_bucket(Bucket="landing")
        yield client


def put(client, *keys):
    for key in keys:
        client.put_object(Bucket="landing", Key=key, Body=key.encode())


def listed(client, pattern, bucket="landing"):
    return [a.key for a in list_arrivals(client, Source(bucket=bucket, pattern=pattern))]


def test_all_pages_are_listed_and_nothing_beside_the_pattern(client):
    put(client, *(f"a/{n:04}.csv" for n in range(1005)), "a/x.txt", "a/b/1.csv", "a/", "b/1.csv")
    assert listed(client, "a/*.csv") == [f"a/{n:04}.csv" for n in range(1005)]
    assert listed(client, "a/*") == [*(f"a/{n:04}.csv" for n in range(1005)), "a/x.txt"]


def test_what_is_no_data_is_never_listed_whatever_the_pattern_says(client):
    put(client, "a/", "a/b/", "a/_SUCCESS", "a/.part-0.parquet.crc", "a/part-0.parquet", "_SUCCESS")
    assert listed(client, "**") == ["a/part-0.parquet"]


def test_only_the_prefix_is_ever_asked_for(client, mocker):
    pages = mocker.spy(client, "get_paginator")
    requests = []
    client.meta.events.register(
        "provide-client-params.s3.ListObjectsV2", lambda params, **_: requests.append(params)
    )
    listed(client, "flights/2013-*.csv")
    assert [params["Prefix"] for params in requests] == ["flights/2013-"]
    pages.assert_called_once_with("list_objects_v2")


def test_an_arrival_is_the_same_by_listing_and_by_name(client):
    put(client, "a/1 ü+%&.csv")
    (arrival,) = list_arrivals(client, Source(bucket="landing", pattern="a/*"))
    assert arrival == find_arrival(client, "landing", "a/1 ü+%&.csv")
    assert '"' not in arrival.etag
    assert arrival.last_modified.tzinfo is not None


def test_what_is_not_there_is_named(client):
    with pytest.raises(ObjectMissing, match="there is no bucket 'nowhere'") as caught:
        listed(client, "a/*", bucket="nowhere")
    assert caught.value.place.object == "s3://nowhere/"
    with pytest.raises(ObjectMissing, match="no such object") as caught:
        find_arrival(client, "landing", "none")
    assert caught.value.place.object == "s3://landing/none"


def test_a_service_that_is_not_there_is_worth_a_retry():
    with pytest.raises(ServerUnavailable, match="cannot be reached"), s3_errors("b"):
        raise EndpointConnectionError(endpoint_url="http://store")


def test_a_store_on_its_own_address_is_asked_by_path():
    own = make_client(Store("http://127.0.0.1:9", "k", "s"), read_timeout=3)
    assert own.meta.config.s3 == {"addressing_style": "path"}
    assert own.meta.config.read_timeout == 3
    assert own.meta.config.request_checksum_calculation == "when_required"
    own.close()


@pytest.mark.parametrize(
    ("connection", "environ", "address"),
    [
        (None, {}, "AWS us-east-1"),
        (None, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:9 (AWS_ENDPOINT_URL)"),
        ("http://127.0.0.1:8", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:8"),
        (
            None,
            {"AWS_ENDPOINT_URL": "http://x", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"},
            "AWS us-east-1",
        ),
        (
            None,
            {"AWS_ENDPOINT_URL": "http://x", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:7"},
            "http://127.0.0.1:7 (AWS_ENDPOINT_URL_S3)",
        ),
    ],
)
def test_the_address_that_is_shown_is_the_one_that_is_asked(
    monkeypatch, connection, environ, address
):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    store = Store(connection, "key", "secret")
    client = make_client(store)
    assert address_of(store) == address
    own = client.meta.endpoint_url
    assert own == (address.split()[0] if "//" in address else "https://s3.amazonaws.com")
    client.close()


def test_botocores_files_are_read_by_a_process_s_first_client_alone(mocker):
    """Each load makes a client, and reading the files again would take 0.2 s."""
    store = Store(None, "key", "secret")
    make_client(store).close()
    read = mocker.spy(JSONFileLoader, "load_file")
    make_client(store).close()
    assert read.call_count == 0
