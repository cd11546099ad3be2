"""The table: read from the bucket, its columns sorted into features, its days into two parts."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .store import TrainingError, clear_errors

TEST_SHARE = 0.2  # of the days, the latest
LEAST_ROWS = 50  # below this a figure of the test is chance


@dataclass(frozen=True)
class Columns:
    """Which columns of the table are what."""

    target: str
    day: str
    text: list[str]
    numbers: list[str]

    @property
    def features(self) -> list[str]:
        """What the model is given, in the order in which it takes them."""
        return [*self.text, *self.numbers]


def read_table(client: Any, bucket: str, key: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table, and which version of the object it was. Raises TrainingError."""
    with clear_errors(bucket, key):
        answer = client.get_object(Bucket=bucket, Key=key)
        body = io.BytesIO(answer["Body"].read())
    try:
        table = pd.read_csv(body) if key.endswith(".csv") else pd.read_parquet(body)
    except ValueError as error:  # pyarrow's own errors are ValueErrors too
        raise TrainingError(
            f"s3://{bucket}/{key} cannot be read", 5, found=str(error).partition("\n")[0],
            expected="a Parquet file, or a CSV with a header whose key ends in .csv",
        ) from error  # fmt: skip
    source = {"bucket": bucket, "key": key, "etag": answer["ETag"].strip('"'), "rows": len(table)}
    return table, source


def sort_columns(table: pd.DataFrame, target: str, day: str) -> tuple[pd.DataFrame, Columns]:
    """The table with a type for every column that a model takes. Raises TrainingError."""
    missing = [name for name in (target, day) if name not in table]
    others = [name for name in table if name not in (target, day)]
    if missing or not others:
        raise TrainingError(
            f"the table has no column {' and none '.join(missing)}" if missing
            else "the table has no column to learn from",
            5, found=", ".join(map(str, table)) or "no column",
            expected=f"{target}, {day}, and the features",
        )  # fmt: skip
    kinds = {name: _kind(table[name]) for name in (target, *others)}
    if kinds[target] != "number" or table[target].isna().any():
        raise TrainingError(
            f"{target} is not a number in every row", 5, expected="minutes",
            found=f"{int(table[target].isna().sum())} empty of {len(table)}, type {kinds[target]}",
            do="leave such rows out of the query that makes the table",
        )  # fmt: skip
    columns = Columns(
        target, day,
        [name for name in others if kinds[name] == "text"],
        [name for name in others if kinds[name] == "number"],
    )  # fmt: skip
    numbers = table[[target, *columns.numbers]].astype(float)
    text = table[columns.text].astype(object).where(table[columns.text].notna(), None)
    return pd.concat([_days(table[day]), numbers, text], axis=1), columns


def _kind(column: pd.Series) -> str:
    """`text` or `number`. Raises TrainingError for anything else."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("string", "categorical"):
        return "text"
    if kind in ("integer", "floating", "mixed-integer-float", "decimal", "boolean"):
        if column.notna().any():
            return "number"
        kind = "empty"
    raise TrainingError(
        f"the column {column.name} cannot be learned from", 5, found=kind,
        expected="numbers or text, and a value in at least one row",
    )  # fmt: skip


def _days(column: pd.Series) -> pd.Series:
    try:
        return pd.to_datetime(column, errors="raise").rename(column.name)
    except (ValueError, TypeError) as error:
        raise TrainingError(
            f"{column.name} is not a day in every row", 5, found=str(error).partition("\n")[0],
            expected="a date, in CSV as 2013-01-31",
        ) from error  # fmt: skip


def split(table: pd.DataFrame, day: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The earlier days, and the latest, whole ones. Raises TrainingError when there are too few.

    By time: rows drawn at random would leave in the test the neighbours of what was learned, the
    same storm on the same day.
    """
    days = np.sort(table[day].unique())
    first = days[min(len(days) - 1, round(len(days) * (1 - TEST_SHARE)))] if len(days) else None
    earlier, later = table[table[day] < first], table[table[day] >= first]
    if min(len(earlier), len(later)) < LEAST_ROWS:
        raise TrainingError(
            "the table has too few rows", 5,
            found=f"{len(earlier)} rows to learn from, {len(later)} in the latest days",
            expected=f"at least {LEAST_ROWS} of each, on {len(days) or 'more'} days or more",
        )  # fmt: skip
    return earlier, later
