"""Turns the rows that a format gives into rows of the table.

A format gives the columns that the file has. Everything else comes in here: NULL for a missing
column, the values of the object, and what is rescued.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pyarrow as pa

from include.landfall.contract import NEW_LABEL
from include.landfall.job import Job
from include.landfall.read.casts.own_types import as_text, is_text
from include.landfall.read.given import given_text
from include.landfall.read.rows import Rows, numbers_of

Cells = Sequence[str | None]


class Completer:
    """Completes the rows of one reading."""

    def __init__(self, job: Job, reading: Job, member: str | None) -> None:
        self._names, self._rescue = job.names, job.rules.rescue
        self._are_json = job.dialect.is_json  # the cells of new columns
        self._cells_are_json = job.dialect.rescues_json  # those of single rows
        self._labels = reading.labels
        self._given = {
            column.name: given_text(column, job.arrival, member)
            for column in job.columns
            if not column.is_in_file and not column.is_number
        }
        self._numbered = frozenset(column.name for column in job.columns if column.is_number)
        self._is_whole = list(self._labels) == self._names

    def rows(self, rows: Rows) -> Rows:
        """Returns the rows with all columns of the table."""
        if self._is_whole:
            return rows
        columns = [self._column(name, rows) for name in self._names]
        return replace(rows, batch=pa.record_batch(columns, names=self._names))

    def cells(self, number: int, cells: Cells | None) -> list[str | None] | None:
        """Returns a row's cells, which are in the order of the labels, for all columns.

        `number` is that of the row in its file, from 1.
        """
        if cells is None or self._is_whole:
            return None if cells is None else list(cells[: len(self._labels)])
        width = len(self._labels)
        by_label, beyond = dict(zip(self._labels, cells[:width], strict=True)), cells[width:]
        rescued = {label: self._json_of(by_label[label]) for label in self._new_labels()}
        by_name = {**by_label, **self._given, **dict.fromkeys(self._numbered, str(number))}
        if self._rescue:
            by_name[self._rescue] = _json(rescued, beyond)
        return [by_name.get(name) for name in self._names]

    def _column(self, name: str, rows: Rows) -> pa.Array:
        batch = rows.batch
        if name in self._labels:
            return batch.column(self._labels.index(name))
        if name in self._given:
            return pa.repeat(pa.scalar(self._given[name], pa.string()), len(batch))
        if name in self._numbered:
            return numbers_of(rows).cast(pa.string())
        if name == self._rescue:
            return self._rescued(batch, rows.beyond)
        return pa.nulls(len(batch), pa.string())

    def _new_labels(self) -> list[str]:
        return [label for label in self._labels if label.startswith(NEW_LABEL)]

    def _rescued(self, batch: pa.RecordBatch, beyond: Mapping[int, Cells]) -> pa.Array:
        """Returns an object of JSON for each row that has something to rescue, else NULL."""
        labels = self._new_labels()
        cells = [batch.column(self._labels.index(label)) for label in labels]
        columns = [each.to_pylist() if self._are_json else json_values(each) for each in cells]
        texts = [
            _json(dict(zip(labels, row, strict=True)), beyond.get(position, ()))
            for position, row in enumerate(
                zip(*columns, strict=True) if columns else [()] * len(batch)
            )
        ]
        return pa.array(texts, pa.string())

    def _json_of(self, cell: str | None) -> str | None:
        """Returns the cell of a single row as JSON, NULL as None."""
        return cell if self._cells_are_json else _json_of(cell)


def _json(row: Mapping[str, str | None], beyond: Cells) -> str | None:
    """Returns what is rescued of a row as an object of JSON, or None when there is nothing.

    The row's values are JSON already, so that numbers keep all their digits.
    """
    values = {label.removeprefix(NEW_LABEL): v for label, v in row.items() if v is not None}
    numbered = (f"beyond_{n}" for n in count(1))
    free = (key for key in numbered if NEW_LABEL + key not in row)
    texts = ((key, text) for key, text in zip(free, beyond) if text is not None)
    values |= {key: json.dumps(text, ensure_ascii=False) for key, text in texts}
    pairs = [f"{json.dumps(key, ensure_ascii=False)}: {value}" for key, value in values.items()]
    return f"{{{', '.join(pairs)}}}" if pairs else None


def json_values(column: pa.Array) -> list[str | None]:
    """Returns the values of a new column as JSON, NULL as None."""
    return list(map(_json_of, _values(column)))


def _json_of(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _values(column: pa.Array) -> list[Any]:
    """Returns the cells as JSON can hold them: what is no number is text, as Postgres reads it."""
    own = column.type
    if pa.types.is_boolean(own) or pa.types.is_integer(own) or pa.types.is_nested(own):
        return list(column.to_pylist())
    return list((column if is_text(own) else as_text(column)).to_pylist())
