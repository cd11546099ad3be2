"""Reads a sample as a load of the proposed feed would: its rows, and what would be refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import ColumnType
from include.landfall.feed.model import Feed
from include.landfall.job import Job, PlannedColumn
from include.landfall.planned import planned_column, rules_of
from include.landfall.read.casts.columns import cast_column
from include.landfall.read.casts.own_types import as_text
from include.landfall.read.casts.types import fast_cast_of
from include.landfall.read.formats import format_of
from include.landfall.read.planning import plan
from include.landfall.read.rows import Misshapen, Rows, numbers_of
from include.landfall.read.spelling import Speller
from include.landfall.sniff.postgres_forms import is_read
from include.landfall.sniff.sample import Sample

FIRST_ROWS = 5
CELL_WIDTH = 24
MOST_MISFITS = 1000
MOST_ROWS = 20_000  # of a file that is read at any offset; of others all of the sample are read


@dataclass
class Misfit:
    """Cells of a column that do not fit: the first, where it stands, and how many they are."""

    first: str | None
    place: str
    count: int = 0


@dataclass
class Reading:
    """What became of a sample: rows, rejects, and cells that Postgres may refuse.

    `nulls` are NULLs in columns that take none; `types` are the columns' types, and
    `cells` how many are not NULL.
    `misfits` are those of the cells that are refused, or would be rounded, up to a number.
    """

    names: list[str]
    rows: int = 0
    first: list[list[str | None]] = field(default_factory=list)
    misshapen: list[Misshapen] = field(default_factory=list)
    doubtful: dict[str, Misfit] = field(default_factory=dict)
    nulls: dict[str, Misfit] = field(default_factory=dict)
    cells: dict[str, int] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    misfits: dict[str, set[str]] = field(default_factory=dict)


def read_as_load(feed: Feed, arrival: Arrival, sample: Sample) -> Reading:
    """Reads the first rows of a sample, which ends with a whole row, as the feed says.

    Raises: DataError when the file does not fit the feed at all.
    """
    job = job_of(feed, arrival)
    reading = plan(job, sample.open).reading
    speller = Speller(reading)
    result = Reading([column.name for column in reading.columns])
    result.types = {column.name: str(column.type) for column in reading.columns}
    with sample.open() as stream:
        for part in format_of(job).rows(stream, reading):
            _judge(speller.rows(part), reading.columns, result)
            if sample.file and result.rows >= MOST_ROWS:
                break
    return result


def job_of(feed: Feed, arrival: Arrival) -> Job:
    """Returns the job of a load, without its database."""
    planned = tuple(planned_column(feed, name) for name in feed.table_columns)
    dialect, order = feed.format.dialect(), feed.order
    return Job(feed.name, arrival, Store(), planned, 0, dialect, rules=rules_of(feed), order=order)


def _judge(rows: Rows, columns: Sequence[PlannedColumn], result: Reading) -> None:
    result.rows += rows.count
    result.misshapen += rows.misshapen
    for column, values in zip(columns, rows.batch.columns, strict=False):
        _keep_misfits(column, _rounded(values, column.type), result)
        texts, unread = _unread(column, values)
        filled = len(values) - values.null_count
        result.cells[column.name] = result.cells.get(column.name, 0) + filled
        if unread:
            is_unread = pc.is_in(texts, pa.array(unread, pa.string()))
            _count(column.name, result.doubtful, is_unread, texts, rows)
            _keep_misfits(column, unread, result)
        if values.null_count and not column.nullable:
            _count(column.name, result.nulls, values.is_null(), texts, rows)
    if missing := FIRST_ROWS - len(result.first):
        result.first += _texts(rows.batch.slice(0, missing))


def _unread(column: PlannedColumn, values: pa.Array) -> tuple[pa.Array, list[str]]:
    """Returns the column as texts, and those of which Postgres may not read a value.

    Where the fast path casts strictly, what it casts fits. Of other types each text is judged.
    """
    fast_cast = fast_cast_of(column)
    _, suspects = cast_column(values, fast_cast, column.read_as)
    texts = as_text(values, column.read_as)
    if fast_cast and not pa.types.is_string(fast_cast.arrow):
        judged = texts.filter(suspects) if suspects is not None else texts.slice(0, 0)
    else:
        judged = texts if _can_be_judged(column) else texts.slice(0, 0)
    cells = judged.drop_null().unique().to_pylist()
    return texts, [text for text in cells if not is_read(text, column.type)]


def _can_be_judged(column: PlannedColumn) -> bool:
    """Returns whether texts of the type can be none of its values, without asking the database."""
    declared = column.type
    return declared.built_in and (declared.name != "text" or declared.array)


def _count(
    name: str, counted: dict[str, Misfit], mask: pa.Array, texts: pa.Array, rows: Rows
) -> None:
    positions = pc.indices_nonzero(mask)
    first = positions[0].as_py()
    if name not in counted:
        counted[name] = Misfit(texts[first].as_py(), _place_of(rows, first))
    counted[name].count += len(positions)


def _place_of(rows: Rows, position: int) -> str:
    """Returns where a row stands: its line, or its number where the format has no lines."""
    line = rows.origins([position])[0].line
    return f"line {line:,}" if line else f"row {numbers_of(rows)[position].as_py():,}"


def _rounded(values: pa.Array, declared: ColumnType) -> list[str]:
    """Returns the texts of numbers with more digits behind the mark than the type keeps."""
    if declared.name != "numeric" or not declared.modifiers or not pa.types.is_string(values.type):
        return []
    scale = (*declared.modifiers, 0)[1]
    texts = values.filter(pc.match_substring_regex(values, rf"^[^.]*\.\d{{{scale}}}\d*[1-9]"))
    return [str(text) for text in texts.unique().slice(0, MOST_MISFITS).to_pylist()]


def _keep_misfits(column: PlannedColumn, texts: Sequence[str], result: Reading) -> None:
    if texts and len(kept := result.misfits.setdefault(column.name, set())) < MOST_MISFITS:
        kept.update(texts)


def _texts(batch: pa.RecordBatch) -> list[list[str | None]]:
    columns: list[list[Any]] = [column.to_pylist() for column in batch.columns]
    return [
        [None if cell is None else _text(cell) for cell in row]
        for row in zip(*columns, strict=True)
    ]


def _text(cell: Any) -> str:
    return json.dumps(cell, default=str) if isinstance(cell, bool | list) else str(cell)


def preview(reading: Reading) -> list[str]:
    """Returns the first rows as a table for people."""
    rows = [reading.names, *([_shown(cell) for cell in row] for row in reading.first)]
    cut = [[_cut(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cut, strict=False)]
    lines = [" | ".join(map(str.ljust, row, widths)).rstrip() for row in cut]
    rows_read = "1 row" if reading.rows == 1 else f"{reading.rows:,} rows"
    return [f"{rows_read} read. The first, as they would be loaded:", *lines]


def _shown(cell: str | None) -> str:
    if cell == "NULL":
        return '"NULL"'  # the text
    return "NULL" if cell is None else cell


def _cut(cell: str) -> str:
    text = cell if cell.isprintable() else repr(cell)[1:-1]
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1] + "\u2026"


def doubts_of(
    reading: Reading, *, sparing: Iterable[str] = (), secret: Sequence[str] = ()
) -> list[str]:
    """Returns what a load of the sample would refuse, or leave to Postgres.

    Cells of secret columns are not shown, nor messages that may quote them.
    """
    doubts = []
    if reading.misshapen:
        first = reading.misshapen[0]
        message = first.reason if secret else first.message
        doubts.append(
            f"{len(reading.misshapen)} of {reading.rows} rows would be rejects, the first in line"
            f" {first.line}: {message}"
        )
    for name, misfit in reading.doubtful.items():
        if name not in {*sparing}:
            example = "" if name in secret else f": {str(misfit.first)[:60]!r}"
            doubts.append(
                f"{counted_cells(misfit)} of {name} may not fit its type"
                f" {reading.types[name]}, the first in {misfit.place}{example}"
            )
    for name, misfit in reading.nulls.items():
        doubts.append(
            f"{counted_cells(misfit)} of {name} would be NULL, the first in {misfit.place}:"
            " the column is nullable: false"
        )
    return doubts


def counted_cells(misfit: Misfit) -> str:
    """Returns how many cells there are."""
    return "1 cell" if misfit.count == 1 else f"{misfit.count:,} cells"
