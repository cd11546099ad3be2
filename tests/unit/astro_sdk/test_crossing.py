"""A dataframe that crosses from task to task is the same dataframe on the other side."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import airflow  # noqa: F401  finds the patches
import numpy as np
import pandas as pd
import pytest

from include.astro_sdk import aql, crossing  # noqa: F401  aql imports the class

DAY = datetime.date(2013, 1, 1)
FRAMES = {
    "numbers and texts": pd.DataFrame({"a": [1, "x", None, 2.5]}, dtype=object),
    "columns without names": pd.DataFrame([[1, 2]]),
    "columns of two levels": pd.DataFrame({("a", "x"): [1], ("a", "y"): [2]}),
    "columns that are days": pd.DataFrame([[1, 2]], columns=pd.date_range("2013", periods=2)),
    "dicts": pd.DataFrame({"a": [{"k": 1}, {"m": [2]}, None]}),
    "lists": pd.DataFrame({"a": [[1, 2], [], None]}),
    "an index twice": pd.DataFrame({"a": [1, 2]}, index=[0, 0]),
    "an index of texts": pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="id")),
    "periods": pd.DataFrame({"a": pd.period_range("2013-01", periods=2, freq="M")}),
    "decimals and days": pd.DataFrame({"a": [Decimal("1.10")], "b": [DAY]}),
    "a zone": pd.DataFrame({"a": pd.to_datetime(["2013-01-01"]).tz_localize("Europe/Oslo")}),
    "gaps": pd.DataFrame({"a": pd.array([1, None], "Int64")}),
    "gaps in booleans": pd.DataFrame({"a": pd.array([True, None], "boolean")}),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int64")}),
    "no columns": pd.DataFrame(),
}  # fmt: skip


def crossed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as the next task gets it."""
    from astro.dataframes.pandas import PandasDataframe

    return pd.DataFrame(PandasDataframe.deserialize(PandasDataframe(frame).serialize(), 1))


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_dataframe_arrives_as_it_was(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        crossed(frame), frame, check_freq=False, check_column_type=False, check_index_type=False
    )


ID = uuid.UUID(int=1)


@pytest.mark.parametrize(
    ("cell", "arrives"),
    [
        ({1}, [1]),
        ((1, 2), [1, 2]),
        (np.array([1, 2]), [1, 2]),
        (ID, str(ID)),
        (10**30, 10**30),
        (1 + 2j, "(1+2j)"),
        (pd.Interval(0, 1), "(0, 1]"),
    ],
)
def test_a_cell_without_a_type_in_parquet_arrives_as_json(cell: Any, arrives: Any) -> None:
    frame = crossed(pd.DataFrame({"n": [1], "a": pd.Series([cell], dtype=object)}))
    assert frame["a"][0] == arrives
    assert frame["n"][0] == 1


def test_the_categories_of_a_cut_arrive_as_texts() -> None:
    frame = crossed(pd.DataFrame({"a": pd.cut([1, 5], [0, 2, 6])}))
    assert [*frame["a"]] == ["(0, 2]", "(2, 6]"]


@pytest.mark.parametrize("names", [[True, False], ["a", None], ["a", 1]])
def test_names_of_columns_without_one_type_arrive_as_texts(names: list[Any]) -> None:
    assert [*crossed(pd.DataFrame([[1, 2]], columns=names)).columns] == [str(n) for n in names]
