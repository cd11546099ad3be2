"""Types that nobody declared: a wrong guess here puts wrong data into the warehouse."""

from __future__ import annotations

import pyarrow as pa
import pytest

from include.astro_sdk.inference import SAMPLE_BYTES, Layout, csv_layout, postgres_type
from include.landfall.feed.formats import CsvFormat


def test_a_missing_cell_gives_no_type_quoted_or_not() -> None:
    form = CsvFormat(nulls=["NA"])
    sample = b'a,b,c\n1,NA,"NA"\nNA,"",x\n'
    assert csv_layout(sample, form, 10).types == {"a": "bigint", "b": None, "c": "text"}


def test_a_short_row_has_missing_cells_and_the_header_may_have_none() -> None:
    layout = csv_layout(b"a,b,\n1\n2,3,x\n", CsvFormat(), 10)
    assert layout.types == {"a": "bigint", "b": "bigint", "Unnamed: 2": "text"}
    assert csv_layout(b"a,b\n", CsvFormat(), 10).types == {"a": None, "b": None}


def test_rows_beyond_the_sample_are_not_looked_at() -> None:
    assert csv_layout(b"a\n1\n2\nx\n", CsvFormat(), 2).types == {"a": "bigint"}


def test_a_row_that_the_sample_cuts_off_is_left_out() -> None:
    line = b"1" * 15 + b"\n"
    sample = (b"a\n" + line * (SAMPLE_BYTES // 16))[: SAMPLE_BYTES - 4] + b"oops"
    assert csv_layout(sample, CsvFormat(), 10**6).types == {"a": "bigint"}


@pytest.mark.parametrize("sample", [b"", b"\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_columns(sample: bytes) -> None:
    assert csv_layout(sample, CsvFormat(), 10) == Layout()


@pytest.mark.parametrize(
    ("arrow", "expected"),
    [
        (pa.int32(), "integer"), (pa.uint64(), "numeric(20,0)"), (pa.float64(), "double precision"),
        (pa.decimal128(15, 2), "numeric(15,2)"), (pa.string_view(), "text"),
        (pa.timestamp("ns"), "timestamp without time zone"),
        (pa.timestamp("us", "UTC"), "timestamp with time zone"),
        (pa.list_(pa.int64()), "text"),
        (pa.struct([("a", pa.int8())]), "text"), (pa.dictionary(pa.int8(), pa.string()), "text"),
    ],
)  # fmt: skip
def test_parquet_brings_its_types(arrow: pa.DataType, expected: str) -> None:
    assert postgres_type(arrow) == expected


def test_a_parquet_column_of_no_type_of_postgres_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="declare the columns"):
        postgres_type(pa.month_day_nano_interval())
