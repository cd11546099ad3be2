"""A dataframe as XCom keeps it: Parquet, and JSON for the cells that Parquet has no type for.

Parquet alone gives every dict of a column the keys of all, turns lists into arrays and UUIDs into
bytes, and refuses a column of numbers and texts.
"""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandas.api.types import infer_dtype

LABELS = {"string", "empty", "integer", "floating", "datetime64", "datetime"}
MIXED = {"mixed", "mixed-integer"}


def to_data(frame: pd.DataFrame) -> dict[str, Any]:
    """Returns what XCom keeps; `json` has the places of the columns whose cells are JSON."""
    places = [place for place in range(frame.shape[1]) if _needs_json(frame.iloc[:, place])]
    # A new frame from the columns, because pandas may keep the old type when a column is set.
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    for place in places:
        columns[place] = columns[place].astype(object).map(_to_json)
    copy = pd.DataFrame(dict(enumerate(columns)), index=frame.index)
    copy.columns = _labels(frame.columns)
    buffer = io.BytesIO()
    # pyarrow keeps names that are no texts, which pandas' own `to_parquet` refuses.
    pq.write_table(pa.Table.from_pandas(copy), buffer)
    return {"parquet": base64.b64encode(buffer.getvalue()).decode("ascii"), "json": places}


def from_data(data: dict[str, Any]) -> pd.DataFrame:
    """Returns the dataframe again."""
    frame = pq.read_table(io.BytesIO(base64.b64decode(data["parquet"]))).to_pandas()
    for place in data.get("json", ()):
        cells = [None if cell is None else json.loads(cell) for cell in frame.iloc[:, place]]
        values = pd.Series(cells, index=frame.index, dtype=object)
        frame.isetitem(place, values)
    return frame


def _labels(columns: pd.Index) -> pd.Index:
    """The names of the columns, as texts where Parquet cannot give their type back."""
    is_kept = isinstance(columns, pd.MultiIndex) or infer_dtype(columns, skipna=False) in LABELS
    return columns if is_kept else columns.map(str)


def _needs_json(values: pd.Series) -> bool:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return isinstance(values.cat.categories.dtype, pd.IntervalDtype)  # as of pd.cut
    if values.dtype == object and infer_dtype(values, skipna=True) in MIXED:
        return True
    try:
        pa.Array.from_pandas(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return True
    return False


def _to_json(cell: Any) -> str | None:
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    return json.dumps(cell, default=plain_of)


def plain_of(value: Any) -> Any:
    """Returns what JSON has for a value that it does not know: a list, a number, or a text."""
    if isinstance(value, set | frozenset):
        return list(value)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)
