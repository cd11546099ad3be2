"""Which column of a table a column of a file is: a wrong one mixes data up."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from include.astro_sdk.matching import kept_names, match, pandas_names


@pytest.mark.parametrize(
    "header",
    [
        "a,b", "a,a", "a,a,a", ",b", "a,,", ",,", "a,a.1,a", "a,a,a.1", "a,a.1,a.1", "A,a",
        "Unnamed: 1,,x",
    ],
)  # fmt: skip
def test_names_are_those_that_pandas_gives(header: str) -> None:
    pandas = pd.read_csv(io.StringIO(f"{header}\n"))
    assert pandas_names(header.split(",")) == list(pandas.columns)


@pytest.mark.parametrize(
    ("names", "columns", "matched"),
    [
        (["a", "b"], ["b", "a"], ["a", "b"]),
        (["A", "b"], ["b", "a"], ["a", "b"]),  # in another case
        (["A", "a"], ["A", "a"], ["A", "a"]),
        (["x", "y"], ["a", "b"], ["a", "b"]),  # by position where none fits
        (["x", "y"], ["a", "b", "c"], ["x", "y"]),
        (["x", "b"], ["a", "b"], ["x", "b"]),  # one fits, so names count
        (["x", "", "y"], ["a", "b"], ["a", "", "b"]),  # an index of pandas is left out
        (["A"], ["a", "A "], ["a"]),
        (["aB"], ["ab", "AB"], ["aB"]),  # which of the two is not known
        (["a", "A"], ["a"], ["a", "A"]),
        ([], ["a"], []),
    ],
)
def test_a_column_fits_by_name_then_by_case_then_by_position(
    names: list[str], columns: list[str], matched: list[str]
) -> None:
    assert match(names, columns) == matched


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("x" * 70, "x" * 63),
        ("x" * 63, "x" * 63),
        ("ü" * 40, "ü" * 31),
        ("x" + "ü" * 40, "x" + "ü" * 31),
    ],
)
def test_a_long_name_is_cut_as_postgres_cuts_it(name: str, kept: str) -> None:
    assert kept_names([name, "b", ""]) == [kept, "b", ""]


def test_names_that_are_one_name_to_postgres_are_refused() -> None:
    with pytest.raises(ValueError, match="begin with the same 63 bytes"):
        kept_names(["x" * 63 + "1", "x" * 63 + "2"])
