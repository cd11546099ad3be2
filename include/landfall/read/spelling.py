"""Rewrites the cells of text as Postgres spells them, where a feed says how the file spells them.

The step stands between parsing and casting, and is the same for rows, suspects and rejects. A cell
that does not fit what the feed says gets a note that Postgres refuses: never another reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, repeat

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.feed.dialect import AS_POSTGRES, Spelling
from include.landfall.job import Job, PlannedColumn
from include.landfall.read import dates, numbers
from include.landfall.read.rows import Rows

TEXT_TYPES = {"text", "varchar", "char"}
NUMBER_TYPES = {"smallint", "integer", "bigint", "numeric", "real", "double precision"}
Step = Callable[[pa.Array], pa.Array]


class Speller:
    """Rewrites the cells of one job."""

    def __init__(self, job: Job) -> None:
        spelling = job.dialect.spelling
        columns = {column.name: column for column in job.columns}
        labels = job.match.labels if job.match else job.names
        self._untyped = _steps_without_type(spelling)
        self._steps = [
            _steps_of(columns[label], spelling) if label in columns else self._untyped
            for label in labels
        ]
        self._changes = spelling != AS_POSTGRES

    def rows(self, rows: Rows) -> Rows:
        """Returns the rows with their cells rewritten."""
        if not self._changes:
            return rows
        columns = list(map(_apply, self._steps, rows.batch.columns))
        batch = pa.record_batch(columns, rows.batch.schema.names)
        beyond = {at: _each(cells, repeat(self._untyped)) for at, cells in rows.beyond.items()}
        return replace(rows, batch=batch, beyond=beyond)

    def cells(self, cells: Sequence[str | None] | None) -> list[str | None] | None:
        """Returns the cells of one row, rewritten."""
        if cells is None or not self._changes:
            return None if cells is None else list(cells)
        return _each(cells, chain(self._steps, repeat(self._untyped)))


def spelt_as(column: PlannedColumn, spelling: Spelling) -> Step:
    """Returns the step that rewrites cells as those of this column."""
    return partial(_apply, _steps_of(column, spelling))


def spelt_without_type(spelling: Spelling) -> Step:
    """Returns the step that rewrites cells of new columns, and those beyond a file's columns."""
    return partial(_apply, _steps_without_type(spelling))


def _each(cells: Sequence[str | None], steps: Iterable[Sequence[Step]]) -> list[str | None]:
    """Returns single cells, each rewritten by its own steps."""
    columns = (pa.array([cell], pa.string()) for cell in cells)
    return [_apply(own, column)[0].as_py() for own, column in zip(steps, columns)]


def _apply(steps: Sequence[Step], values: pa.Array) -> pa.Array:
    if pa.types.is_string(values.type):
        for step in steps:
            values = step(values)
    return values


def _steps_without_type(spelling: Spelling) -> list[Step]:
    steps = [_trim(spelling)] if spelling.trim else []
    return [*steps, _nulls(spelling)] if spelling.null_scope == "always" else steps


def _steps_of(column: PlannedColumn, spelling: Spelling) -> list[Step]:
    steps: list[Step] = []
    if spelling.trim:
        steps.append(_trim(spelling))
    if spelling.null_scope == "always" or (spelling.null_scope == "no_text" and _no_text(column)):
        steps.append(_nulls(spelling))
    read_as = column.read_as
    name = "" if read_as.array or column.typtype not in {"b", "d"} else read_as.name
    if name in NUMBER_TYPES and numbers.are_spelt(spelling):
        steps.append(numbers.step_for(spelling))
    if name in dates.TYPES and spelling.dates:
        steps.append(dates.step_for(spelling.dates))
    if name == "timestamptz" and spelling.time_zone:
        steps.append(dates.in_zone(spelling.time_zone))
    if name == "boolean" and (spelling.true_words or spelling.false_words):
        steps.append(_truth(spelling))
    return steps


def _no_text(column: PlannedColumn) -> bool:
    """Returns whether the type is known to be no text: a domain or an extension's may be one."""
    if column.type.array or column.typtype == "e":
        return True
    return column.typtype == "b" and column.type.built_in and column.type.name not in TEXT_TYPES


def _trim(spelling: Spelling) -> Step:
    nulls = pa.array(spelling.nulls, pa.string())

    def step(texts: pa.Array) -> pa.Array:
        trimmed = pc.utf8_trim_whitespace(texts)
        shorter = pc.less(pc.binary_length(trimmed), pc.binary_length(texts))
        is_null = pc.and_(shorter, pc.is_in(trimmed, nulls))
        return pc.if_else(is_null, pa.scalar(None, pa.string()), trimmed)

    return step


def _nulls(spelling: Spelling) -> Step:
    nulls = pa.array(spelling.nulls, pa.string())

    def step(texts: pa.Array) -> pa.Array:
        return pc.if_else(pc.is_in(texts, nulls), pa.scalar(None, pa.string()), texts)

    return step


def _truth(spelling: Spelling) -> Step:
    words = [word.lower() for word in (*spelling.true_words, *spelling.false_words)]
    values = ["true"] * len(spelling.true_words) + ["false"] * len(spelling.false_words)

    def step(texts: pa.Array) -> pa.Array:
        places = pc.index_in(pc.utf8_lower(pc.utf8_trim_whitespace(texts)), pa.array(words))
        return pc.coalesce(pa.array(values, pa.string()).take(places), texts)

    return step
