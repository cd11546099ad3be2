"""JSON: one object a line, or an array, where the feed says nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import BinaryIO, TypeAlias, cast

import msgspec
import pyarrow as pa

from include.landfall.contract import Expected
from include.landfall.feed.column_types import ColumnType
from include.landfall.feed.dialect import JsonDialect
from include.landfall.job import BLOCK_BYTES, Job, PlannedColumn
from include.landfall.read.formats.json_arrow import ArrowParser, count_objects
from include.landfall.read.formats.json_elements import blocks_of, elements
from include.landfall.read.formats.json_envelope import Way, enveloped_rows, rows_of_many
from include.landfall.read.formats.json_exact import (
    NO_ROW_OF_ID,
    NOT_AN_OBJECT,
    Keys,
    Parser,
    PositionParser,
    header_in,
)
from include.landfall.read.formats.json_fast import FastParser, FastPositionParser
from include.landfall.read.formats.json_nested import NestedFastParser
from include.landfall.read.formats.json_pieces import Ids, values
from include.landfall.read.formats.text_blocks import (
    Block,
    batch_rows,
    line_blocks,
    origins_in,
    rows_of,
)
from include.landfall.read.rows import Origin, Rows

RANDOM_ACCESS = False
BOM = b"\xef\xbb\xbf"
Cutter: TypeAlias = Callable[[BinaryIO, bytes, int], Iterator[tuple[int, bytes]]]


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the keys of the file's records that are columns, or new ones that the feed takes.

    A column whose key no record has is among them: it is NULL in every row.
    """
    if not (ahead := stream.read(BLOCK_BYTES)):
        return []
    if _dialect(job).has_arrays:
        return _records(stream, ahead, job)[1]
    taken = _Taken(job)
    if taken.by_name_alone:
        return taken.names([])
    keys: dict[str, None] = {}
    for block in _blocks(stream, ahead, job):
        for raw in block.raws:
            keys.update(dict.fromkeys(_keys_in(raw)))
    return taken.names(keys)


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows, in the declared types or as text.

    A block is read by the quickest parser that takes all of its records. The last one takes them
    one by one.

    Raises: TruncatedFile and MisshapenRow when an array is not one, or what is around it no JSON;
    HeaderMismatch when the feed's path leads to none, or the first array has no names.
    """
    job = _with_new_columns(job)
    blocks, order = _records(stream, stream.read(BLOCK_BYTES), job)
    exact, fast, batches = _exact(job, order), _fast(job, order), _typed(blocks, job)
    for block, batch in batches:
        if batch is None:
            batch = fast.batch(block.raws)
        if batch is None:
            yield rows_of(block, exact.cells, job)
        else:
            yield batch_rows(block, batch, [])
            del batch


def origins_of(
    stream: BinaryIO, job: Job, numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, list[str | None] | None]]:
    """Yields number, origin and cells, in the feed's order, of the records with these numbers."""
    job = _with_new_columns(job)
    blocks, order = _records(stream, stream.read(BLOCK_BYTES), job)
    yield from origins_in(blocks, _exact(job, order).cells, numbers)


def _records(stream: BinaryIO, ahead: bytes, job: Job) -> tuple[Iterator[Block], list[str]]:
    """Returns the file's rows and, where these are arrays, the columns of each."""
    blocks = _blocks(stream, ahead, job)
    if not _dialect(job).header:
        return blocks, _order(job) if _dialect(job).by_position else []
    first = next(blocks, None)
    return (_behind(first, blocks), header_in(first)) if first else (blocks, [])


def _behind(first: Block, blocks: Iterator[Block]) -> Iterator[Block]:
    """Yields the blocks without the first record, which has no number."""
    if len(first.raws) > 1:
        yield Block(1, first.raws[1:], first.lines[1:])
    for block in blocks:
        yield replace(block, first=block.first - 1)


def _blocks(stream: BinaryIO, ahead: bytes, job: Job) -> Iterator[Block]:
    ahead = ahead.removeprefix(BOM)
    line = 1
    while not ahead.lstrip() and (more := stream.read(BLOCK_BYTES)):
        line += ahead.count(b"\n")
        ahead = more
    if ahead.lstrip() and (cut := cutter_of(ahead, _dialect(job))):
        return blocks_of(cut(stream, ahead, line))
    return line_blocks(stream, ahead, line, blank=b" \t\r", count_records=count_objects)


def cutter_of(ahead: bytes, dialect: JsonDialect, ids: Ids | None = None) -> Cutter | None:
    """Returns what cuts the records of a file that begins so; none where each is a line.

    It takes the stream, what was read of it before, and the number of the first line. `ids` makes
    the records of members, in place of the dialect's own.
    """
    is_array = ahead.lstrip(b" \t\r\n\x1e").startswith(b"[")
    if dialect.rows or dialect.ids:
        rows = rows_of_many if dialect.concatenated else enveloped_rows
        return partial(rows, way=Way.of(dialect, ids))
    if dialect.concatenated and (dialect.has_arrays or not is_array):
        return values
    return partial(elements, are_many=dialect.concatenated) if is_array else None


def _typed(blocks: Iterator[Block], job: Job) -> Iterator[tuple[Block, pa.RecordBatch | None]]:
    if _dialect(job).has_arrays:
        return ((block, None) for block in blocks)
    return ArrowParser(job, _keys(job), _refuses(job)).batches(blocks)


def _fast(job: Job, order: Sequence[str] = ()) -> FastParser:
    if _dialect(job).has_arrays:
        return FastPositionParser(job, job.match_columns(order).places, len(order))
    keys = _keys(job)
    return (NestedFastParser if keys.below else FastParser)(job, keys, _refuses(job))


def _exact(job: Job, order: Sequence[str] = ()) -> Parser:
    if _dialect(job).has_arrays:
        return PositionParser(job.columns, job.match_columns(order).places, len(order))
    no_row = NO_ROW_OF_ID if _dialect(job).ids else NOT_AN_OBJECT
    return Parser(job.columns, _keys(job), _refuses(job), no_row)


def _dialect(job: Job) -> JsonDialect:
    return cast(JsonDialect, job.dialect)


def _order(job: Job) -> list[str]:
    """Returns the columns of a row that is an array."""
    return list(job.order or (column.name for column in job.expected))


def _with_new_columns(job: Job) -> Job:
    """Returns the job with a column for each label: a new one has any JSON, or text to infer from.

    What is rescued stays JSON; a new column of the table gets its type from the texts.
    """
    if job.match is None:
        return job
    by_name = {column.name: column for column in job.columns}
    new = ColumnType("jsonb" if job.rules.new_columns == "rescue" else "text")
    columns = [by_name.get(label) or PlannedColumn(label, new) for label in job.match.labels]
    return replace(job, columns=tuple(columns))


def _keys(job: Job) -> Keys:
    match, paths = job.match, dict(_dialect(job).paths)
    names = dict(zip(match.labels, match.names, strict=True)) if match else {}
    return Keys.of(job.names, {**{label: (name,) for label, name in names.items()}, **paths})


def _keys_in(raw: bytes) -> list[str]:
    """Returns the keys of a record; none of one that is no object, which will be a reject."""
    try:
        return list(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return []


class _Taken:
    """The keys that a feed takes as columns."""

    def __init__(self, job: Job) -> None:
        paths = _dialect(job).paths
        self._rules, self._columns = job.rules, job.expected
        self._by_path = {name for name, _ in paths}
        self._holders = {path[0] for _, path in paths}

    @property
    def by_name_alone(self) -> bool:
        """Whether a key is a column by its name, so that the file need not be read for them."""
        rules = self._rules
        has_rules = rules.ignores_case or rules.trims or rules.new_columns != "refuse"
        return not has_rules and not any(column.other_names for column in self._columns)

    def names(self, keys: Iterable[str]) -> list[str]:
        """Returns the keys that are columns or new, then the columns whose keys are not there."""
        own = [column for column in self._columns if column.name not in self._by_path]
        declared = {
            name for column in (*own, *self._rules.ignored) for name in self._folded(column)
        }
        takes_new = self._rules.new_columns != "refuse"
        names = [
            key
            for key in keys
            if self._rules.folded(key) in declared or (takes_new and key not in self._holders)
        ]
        there = {self._rules.folded(name) for name in names}
        # A key of a column that has a path is another value: it has no place, and must not go.
        kept = self._by_path if self._rules.new_columns in {"rescue", "evolve"} else set()
        return names + [
            c.name for c in self._columns if c.name in kept or not there & self._folded(c)
        ]

    def _folded(self, column: Expected) -> set[str]:
        return {self._rules.folded(name) for name in (column.name, *column.other_names)}


def _refuses(job: Job) -> bool:
    return _dialect(job).refuses_other_keys and job.rules.new_columns == "refuse"
