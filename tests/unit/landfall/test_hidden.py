"""What programs write beside their data is never taken for data, unless the pattern names it."""

from __future__ import annotations

import pytest

from include.landfall.feed.source import Source

BESIDE_DATA = [
    "a/_SUCCESS",
    "a/_committed_4711",
    "a/_started_4711",
    "a/_metadata",
    "a/_common_metadata",
    "a/_delta_log/00000000000000000000.json",
    "a/_delta_log/00000000000000000010.checkpoint.parquet",
    "a/_spark_metadata/0",
    "a/_temporary/0/part-0.parquet",
    "a/.part-0.parquet.crc",
    "a/part-0.parquet.crc",
    "a/.hidden.csv",
    "a/.hive-staging_1/part-0.parquet",
    "a/part-0.csv._COPYING_",
    "a/b_$folder$",
    "a/",
    "a/b/",
]
DATA = [
    "a/part-0.parquet",
    "a/_day=2026-11-28/part-0.parquet",  # a partition, as Spark reads it
    "a/x_SUCCESS",
    "a/crc",
    "a/b.c/part.0",
    "a/__x=1/y",
]


@pytest.mark.parametrize("key", BESIDE_DATA)
@pytest.mark.parametrize("pattern", ["**", "a/**", "a/*", "?/**"])
def test_what_stands_beside_data_is_hidden(key, pattern):
    assert Source(bucket="landing", pattern=pattern).is_hidden(key)


@pytest.mark.parametrize("key", DATA)
def test_data_is_not_hidden(key):
    assert not Source(bucket="landing", pattern="**").is_hidden(key)


@pytest.mark.parametrize(
    ("pattern", "key", "is_hidden"),
    [
        ("_raw/orders/*.csv", "_raw/orders/1.csv", False),
        ("_raw/orders/*.csv", "_raw/orders/_1.csv", True),
        ("a/_*.csv", "a/_1.csv", False),
        ("a/_*.csv", "a/_1.csv.crc", True),
        ("a/*.crc", "a/1.crc", False),
        ("a/*.crc", "a/.1.crc", True),
        ("a/.*.crc", "a/.1.crc", False),
        ("a/_delta_log/*.json", "a/_delta_log/0.json", False),
        ("a/_delta_log/*.json", "a/_delta_log/_x.json", True),
        ("**/_SUCCESS", "a/b/_SUCCESS", False),
        ("**/_SUCCESS", "a/_b/_SUCCESS", True),
        ("[_]x/*", "_x/1", True),  # a set names nothing
        ("_raw/**", "_raw/", True),  # a folder
    ],
)
def test_a_pattern_can_name_what_is_hidden(pattern, key, is_hidden):
    assert Source(bucket="landing", pattern=pattern).is_hidden(key) is is_hidden
