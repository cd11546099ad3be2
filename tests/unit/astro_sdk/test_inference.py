"""Types that nobody declared: a wrong guess here puts wrong data into the warehouse."""

from __future__ import annotations

import pyarrow as pa
import pytest

from include.astro_sdk.inference import SAMPLE_BYTES, csv_types, postgres_type, type_of, wider
from include.landfall.feed.formats import CsvFormat


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-20", "0"], "bigint"),
        (["1", "2.50"], "numeric"),
        (["1e3", "2"], "numeric"),
        (["true", "False"], "boolean"),
        (["0", "1"], "bigint"),
        (["007", "12"], "text"),
        (["9" * 19], "numeric"),
        (["2013-01-01"], "text"),
        (["1", "x"], "text"),
        (["1,5"], "text"),
        ([" 1"], "text"),
        (["NaN"], "text"),
        ([], None),
    ],
)
def test_a_type_is_what_every_value_is_written_as(values: list[str], expected: str | None) -> None:
    assert type_of(values) == expected


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("bigint", "numeric", "numeric"), ("bigint", None, "bigint"), (None, None, None),
        ("boolean", "bigint", "text"), ("text", "bigint", "text"),
    ],
)  # fmt: skip
def test_files_that_disagree_get_the_type_that_takes_both(
    one: str | None, other: str | None, both: str | None
) -> None:
    assert wider(one, other) == wider(other, one) == both


def test_a_missing_cell_gives_no_type_and_a_quoted_one_is_text() -> None:
    form = CsvFormat(nulls=["NA"])
    sample = b'a,b,c\n1,NA,"NA"\nNA,,x\n'
    assert csv_types(sample, form, 10) == {"a": "bigint", "b": None, "c": "text"}


def test_rows_beyond_the_sample_are_not_looked_at() -> None:
    assert csv_types(b"a\n1\n2\nx\n", CsvFormat(), 2) == {"a": "bigint"}


def test_a_row_that_the_sample_cuts_off_is_left_out() -> None:
    line = b"1" * 15 + b"\n"
    sample = (b"a\n" + line * (SAMPLE_BYTES // 16))[: SAMPLE_BYTES - 4] + b"oops"
    assert csv_types(sample, CsvFormat(), 10**6) == {"a": "bigint"}


@pytest.mark.parametrize("sample", [b"", b"\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_columns(sample: bytes) -> None:
    assert csv_types(sample, CsvFormat(), 10) == {}


@pytest.mark.parametrize(
    ("arrow", "expected"),
    [
        (pa.int32(), "integer"), (pa.uint64(), "numeric(20,0)"), (pa.float64(), "double precision"),
        (pa.decimal128(15, 2), "numeric(15,2)"), (pa.timestamp("ns"), "timestamp"),
        (pa.timestamp("us", "UTC"), "timestamptz"), (pa.string_view(), "text"),
        (pa.list_(pa.int64()), "bigint[]"), (pa.dictionary(pa.int8(), pa.string()), "text"),
    ],
)  # fmt: skip
def test_parquet_brings_its_types(arrow: pa.DataType, expected: str) -> None:
    assert postgres_type(arrow) == expected


def test_a_nested_parquet_column_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="declare the columns"):
        postgres_type(pa.struct([("a", pa.int8())]))
