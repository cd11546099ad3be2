"""The real data as files: complete, and always the same bytes."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from contextlib import closing

import boto3
import pyarrow.parquet as pq
import pytest
import zstandard
from moto import mock_aws

from include.local.demo.seed import files, flights_by_month, seed
from include.local.demo.source import table_bytes


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return dict(files())


@pytest.fixture
def s3(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws(), closing(boto3.client("s3", region_name="us-east-1")) as client:
        yield client


@pytest.fixture
def three_files(mocker, made):
    chosen = {key: made[key] for key in list(made)[-3:]}
    mocker.patch("include.local.demo.seed.files", side_effect=chosen.items)
    return chosen


def opened(key: str, body: bytes) -> bytes:
    if key.endswith(".gz"):
        return gzip.decompress(body)
    if key.endswith(".zst"):
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return body


def test_there_are_eighteen_files_in_three_packings(made):
    assert len(made) == 18
    flights = sorted(key for key in made if key.startswith("flights/"))
    assert len(flights) == 12
    assert [sum(key.endswith(e) for key in flights) for e in (".csv", ".gz", ".zst")] == [4, 4, 4]


def test_the_months_hold_every_line_of_the_source_once(made):
    lines = []
    for key, body in made.items():
        if key.startswith("flights/"):
            header, *rest = opened(key, body).splitlines()
            lines += rest
    source = table_bytes("flights").splitlines()
    assert header == source[0]
    assert sorted(lines) == sorted(source[1:])
    assert len(lines) == 336_776


def test_each_month_is_its_own(made):
    assert all(
        line.split(b",")[1] == str(month).encode()
        for month, body in flights_by_month().items()
        for line in body.splitlines()[1:100]
    )


def test_the_weather_has_types_and_nulls(made):
    table = pq.read_table(io.BytesIO(made["weather/weather.parquet"]))
    source = list(csv.DictReader(io.StringIO(table_bytes("weather").decode())))
    assert table.num_rows == len(source) == 26_115
    assert str(table.schema.field("time_hour").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("temp").type) == "double"
    gusts = table["wind_gust"].to_pylist()
    assert [gust is None for gust in gusts] == [row["wind_gust"] == "NA" for row in source]
    assert table["temp"][0].as_py() == float(source[0]["temp"])


def test_the_bytes_are_the_same_every_time(made):
    """Other bytes would be other ETags, and every feed would load everything again."""
    again = {key: hashlib.md5(body).digest() for key, body in files()}
    assert again == {key: hashlib.md5(body).digest() for key, body in made.items()}


def test_a_second_seed_writes_nothing(s3, three_files):
    assert [file.outcome for file in seed(s3)] == ["written"] * 3
    before = s3.list_objects_v2(Bucket="landing")["Contents"]
    assert [file.outcome for file in seed(s3)] == ["unchanged"] * 3
    assert s3.list_objects_v2(Bucket="landing")["Contents"] == before


def test_a_changed_file_is_kept_or_restored(s3, three_files):
    seed(s3)
    key = next(iter(three_files))
    s3.put_object(Bucket="landing", Key=key, Body=b"mine")
    assert [file.outcome for file in seed(s3, restore=False)].count("kept") == 1
    assert s3.get_object(Bucket="landing", Key=key)["Body"].read() == b"mine"
    assert [file.outcome for file in seed(s3)].count("written") == 1
    assert s3.get_object(Bucket="landing", Key=key)["Body"].read() == three_files[key]
