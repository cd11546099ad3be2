"""Which files the engine takes, and how it reads the options that pandas had."""

from __future__ import annotations

import io
from typing import Any

import airflow  # noqa: F401  finds the patches
import boto3
import pandas as pd
import pytest
from botocore.client import BaseClient
from moto import mock_aws
from pytest_mock import MockerFixture

from include.astro_sdk import File, FileType, PandasLoadOptions, sources
from include.landfall.connections import Store


def file(path: str, options: Any = None, **more: Any) -> Any:
    """A file with load options as the operator sets them."""
    result = File(path, **more)
    result.load_options = [options] if options else None
    return result


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (("s3://b/a.csv",), ""),
        (("s3://b/folder/",), ""),
        (("s3://b/a.parquet",), ""),
        (("s3://b/a.csv", PandasLoadOptions(delimiter=";", encoding="utf-8")), ""),
        (("s3://b/a.csv", PandasLoadOptions(kwargs={"na_values": ["-"]})), ""),
        (("/tmp/a.csv",), "not in S3"),
        (("https://host/a.csv",), "not in S3"),
        (("s3://b/a.json",), "its type is json"),
        (("s3://b/a.csv", PandasLoadOptions(encoding="latin-1")), "encoding"),
        (("s3://b/a.csv", PandasLoadOptions(dtype={"a": str})), "dtype"),
        (("s3://b/a.csv", PandasLoadOptions(kwargs={"skiprows": 3})), "skiprows"),
        (("s3://b/a.csv", PandasLoadOptions(delimiter="§")), ""),
        (("s3://b/a.csv", PandasLoadOptions(delimiter=r"\s+")), "delimiter"),
        (("s3://b/a.csv", PandasLoadOptions(delimiter="||")), "delimiter"),
        (("s3://b/a.csv", PandasLoadOptions(kwargs={"sep": r"\|\|"})), "delimiter"),
        (("s3://b/a.csv", PandasLoadOptions(kwargs={"sep": None})), "delimiter"),
        (("s3://b/a.csv", PandasLoadOptions(kwargs={"na_values": {"a": ["x"]}})), "na_values"),
    ],
)
def test_what_the_engine_cannot_read_goes_through_pandas(
    given: tuple[Any, ...], reason: str
) -> None:
    for_pandas = sources.reason_for_pandas(file(*given))
    assert reason in for_pandas
    assert bool(for_pandas) == bool(reason)


def test_an_option_is_never_dropped_silently() -> None:
    form = sources.csv_format(
        file("s3://b/a.csv", PandasLoadOptions(delimiter=";", kwargs={
            "quotechar": "'", "na_values": "-", "keep_default_na": False}))
    )  # fmt: skip
    assert (form.delimiter, form.quote, form.nulls) == (";", "'", ["-"])


@pytest.mark.parametrize("na_values", [-999, [-999], ["-999"], (-999.0,), {-999}, [0.5], "x", []])
@pytest.mark.parametrize("cell", ["-999", "-999.0", "-999.00", "0.5", "0.50", "x", "99", "-9990"])
def test_a_missing_value_is_what_pandas_takes_for_it(na_values: Any, cell: str) -> None:
    options = {"na_values": na_values, "keep_default_na": False}
    form = sources.csv_format(file("s3://b/a.csv", PandasLoadOptions(kwargs=options)))
    # A column of numbers: to pandas -999.00 among texts is a text.
    rest = "" if cell == "x" else "\n7"
    pandas = pd.read_csv(io.StringIO(f"a\n{cell}{rest}"), **options)
    assert (cell in form.nulls) == bool(pandas["a"].isna()[0])


def test_missing_values_are_those_of_pandas_by_default() -> None:
    assert {"NA", "NaN", "null", "None"} <= set(sources.csv_format(file("s3://b/a.csv")).nulls)


@pytest.mark.parametrize(
    ("path", "file_type"),
    [("s3://b/a.csv.gz", "csv"), ("s3://b/a.PARQUET", "parquet"), ("s3://b/a.b/c", "")],
)
def test_the_name_gives_the_type_without_a_compressions_ending(path: str, file_type: str) -> None:
    assert sources.file_type(file(path)) == file_type


def test_a_declared_type_wins() -> None:
    assert sources.file_type(file("s3://b/a.txt", filetype=FileType.CSV)) == "csv"


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("s3://bucket/a/1.csv", ["a/1.csv"]),
        ("s3://bucket/a/", ["a/1.csv", "a/1.csv.bak", "a/2.csv"]),
        ("s3://bucket/a/[12].csv", ["a/1.csv", "a/2.csv"]),
        ("s3://bucket/a/*.csv", ["a/1.csv", "a/2.csv"]),
        ("s3://bucket/a", ["a/1.csv", "a/1.csv.bak", "a/2.csv"]),
        ("s3://bucket/odd #1?.csv", ["odd #1?.csv"]),
        ("s3://bucket/none", []),
    ],
)
def test_a_path_is_a_key_a_pattern_or_a_prefix(path: str, keys: list[str]) -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        for key in ("a/1.csv", "a/1.csv.bak", "a/2.csv", "odd #1?.csv"):
            client.put_object(Bucket="bucket", Key=key, Body=b"a\n1\n")
        arrivals = sources.arrivals_at(client, path)
    assert [arrival.key for arrival in arrivals] == keys


def test_no_connection_to_the_store_stays_open_when_its_files_are_listed(
    mocker: MockerFixture,
) -> None:
    closed = mocker.spy(BaseClient, "close")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="1.csv", Body=b"a\n1\n")
        assert len(sources.files_of(file("s3://bucket/1.csv")).arrivals) == 1
        assert sources.object_exists(Store(), "bucket", "1.csv")
    assert closed.call_count == 2
