"""What a handler of `run_raw_sql` returns, in types that Airflow's XCom can carry."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Iterator, KeysView, Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Row

from .rows import row_of
from .series import PandasSeries

CARRIED_AS_THEY_ARE = (
    str, int, float, bool, decimal.Decimal, datetime.date, datetime.timedelta, uuid.UUID,
    pd.DataFrame, type(None),
)  # fmt: skip


def carried(value: Any) -> Any:
    """Returns the value with its type where XCom has one, and as text where there is none."""
    if isinstance(value, Row):
        return row_of(list(value._fields), [carried(item) for item in value])
    if isinstance(value, list | Iterator | KeysView):
        return [carried(item) for item in value]
    if isinstance(value, Mapping):
        return {key: carried(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(carried(item) for item in value)
    if isinstance(value, set | frozenset):
        return {carried(item) for item in value}
    if isinstance(value, bytes | memoryview):
        return f"\\x{bytes(value).hex()}"
    return _carried_scalar(value)


def _carried_scalar(value: Any) -> Any:
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, pd.Series):
        return PandasSeries(value)
    if type(value).__module__ == "numpy":
        return carried(value.tolist())
    is_plain = isinstance(value, CARRIED_AS_THEY_ARE) or hasattr(value, "serialize")
    return value if is_plain else str(value)
