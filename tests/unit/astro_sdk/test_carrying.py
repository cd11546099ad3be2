"""What a handler of `run_raw_sql` returned on Airflow 2 has its type in a later task, too."""

from __future__ import annotations

import datetime
from collections import OrderedDict, namedtuple
from typing import Any

import airflow  # noqa: F401  finds the patches
import numpy as np
import pandas as pd
import pytest

from include.astro_sdk.carrying import carried

NOON = datetime.datetime(2013, 1, 1, 12)  # noqa: DTZ001  a column without a zone
Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("returned", "arrives"),
    [
        (np.int64(5), 5),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.array([1, 2]), [1, 2]),
        ({1, 2}, {1, 2}),
        (frozenset({"x"}), {"x"}),
        ({"n": np.int64(1)}, {"n": 1}),
        (OrderedDict(a=1), {"a": 1}),
        ({"a": 1}.keys(), ["a"]),
        (Pair(1, np.int64(2)), (1, 2)),
        (pd.Timestamp(NOON), NOON),
        (pd.NaT, None),
        (pd.NA, None),
        ((x for x in "ab"), ["a", "b"]),
    ],
)
def test_a_value_keeps_its_type_or_gets_the_nearest_one(returned: Any, arrives: Any) -> None:
    result = carried(returned)
    assert result == arrives
    assert type(result) is type(arrives)


def test_a_series_crosses_as_a_series() -> None:
    result = carried(pd.Series([1, 2], name="a"))
    again = type(result).deserialize(result.serialize(), 1)
    assert list(again) == [1, 2]
    assert again.name == "a"
