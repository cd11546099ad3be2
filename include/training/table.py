"""The table: how it is read, which of its columns are features, which of its days are for tests."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .store import TrainingError, store_errors

TEST_SHARE = 0.2  # the latest days, which the model is tested on
MIN_ROWS = 50  # with fewer rows, the results of the test would depend on chance


@dataclass(frozen=True)
class Columns:
    """The names of the table's columns, by their use."""

    target: str
    day: str
    text: list[str]
    numbers: list[str]

    @property
    def features(self) -> list[str]:
        """The columns that the model learns from, in its order."""
        return [*self.text, *self.numbers]


def read_table(client: Any, bucket: str, key: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Reads the table; returns it, and which version of the object it came from.

    Raises: TrainingError when the object is missing or is not a table.
    """
    with store_errors(bucket, key):
        answer = client.get_object(Bucket=bucket, Key=key)
        body = io.BytesIO(answer["Body"].read())
    try:
        table = pd.read_csv(body) if key.endswith(".csv") else pd.read_parquet(body)
    except ValueError as error:  # the base class of pyarrow's errors too
        raise TrainingError(
            f"s3://{bucket}/{key} cannot be read", 5, found=str(error).partition("\n")[0],
            expected="a Parquet file, or a CSV with a header whose key ends in .csv",
        ) from error  # fmt: skip
    source = {"bucket": bucket, "key": key, "etag": answer["ETag"].strip('"'), "rows": len(table)}
    return table, source


def sort_columns(table: pd.DataFrame, target: str, day: str) -> tuple[pd.DataFrame, Columns]:
    """Converts every column to a type that the model accepts, and returns the columns' uses.

    Raises: TrainingError when a column is missing, or has values that the model cannot use.
    """
    features = _features(table, target, day)
    types = {name: _type_of(table[name]) for name in (target, *features)}
    if types[target] != "number" or table[target].isna().any():
        empty = int(table[target].isna().sum())
        raise TrainingError(
            f"{target} is not a number in every row", 5, expected="minutes",
            found=f"{empty} of {len(table)} rows are empty, type {types[target]}",
            do="leave such rows out of the query that makes the table",
        )  # fmt: skip
    columns = Columns(
        target, day,
        [name for name in features if types[name] == "text"],
        [name for name in features if types[name] == "number"],
    )  # fmt: skip
    numbers = table[[target, *columns.numbers]].astype(float)
    text = table[columns.text].astype(object).where(table[columns.text].notna(), None)
    return pd.concat([_days(table[day]), numbers, text], axis=1), columns


def _features(table: pd.DataFrame, target: str, day: str) -> list[str]:
    """Returns the columns besides the target and the day."""
    missing = [name for name in (target, day) if name not in table]
    features = [name for name in table if name not in (target, day)]
    if missing or not features:
        raise TrainingError(
            f"the table has no column {' and no column '.join(missing)}" if missing
            else "the table has no column to learn from",
            5, found=", ".join(map(str, table)) or "no column",
            expected=f"{target}, {day}, and the features",
        )  # fmt: skip
    return features


def _type_of(column: pd.Series) -> str:
    """Returns `text` or `number`; raises TrainingError for anything else."""
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred in ("string", "categorical"):
        return "text"
    if inferred in ("integer", "floating", "mixed-integer-float", "decimal", "boolean"):
        if column.notna().any():
            return "number"
        inferred = "empty"
    raise TrainingError(
        f"the model cannot learn from the column {column.name}", 5, found=inferred,
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
    """Returns the rows of the earlier days, and those of the latest days.

    The split is by whole days. With a random split, the model would learn from flights of the same
    day, in the same storm, as the flights that it is tested on.

    Raises: TrainingError when one of the two parts has too few rows.
    """
    days = np.sort(table[day].unique())
    first = days[min(len(days) - 1, round(len(days) * (1 - TEST_SHARE)))] if len(days) else None
    earlier, later = table[table[day] < first], table[table[day] >= first]
    if min(len(earlier), len(later)) < MIN_ROWS:
        raise TrainingError(
            "the table has too few rows", 5,
            found=f"{len(earlier)} rows to learn from, {len(later)} in the latest days",
            expected=f"at least {MIN_ROWS} of each, on {len(days) or 'more'} days or more",
        )  # fmt: skip
    return earlier, later
