"""JSON, read fastest: the records of a block are parsed by Arrow, into the declared types.

Arrow reads a number's text by the column's type, and takes no value of another kind: no number for
a text, no text for an integer. What it takes and Postgres reads in another way is looked for here.
A block that is refused is read by the parsers that take longer.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.job import BLOCK_BYTES, Job, PlannedColumn
from include.landfall.read.casts.types import MOST_DIGITS, fast_cast_of
from include.landfall.read.formats.json_exact import Keys
from include.landfall.read.formats.json_fast import ESCAPED_ASCII, TEXT_TYPES, holds_text
from include.landfall.read.formats.text_blocks import Block, Lines
from include.landfall.read.lent import lend

VALUE_TYPES = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "real": pa.float32(),
    "double precision": pa.float64(),
}
AHEAD = 2  # threads, and blocks that are parsed before they are needed
AHEAD_BYTES = 2 * BLOCK_BYTES  # of a block, beyond which memory would be short
TRIES = 4  # blocks in a row that Arrow may refuse before it is asked no more
# What Arrow takes for numbers, and JSON does not have.
NO_NUMBER = re.compile(rb"[:\[,]\s*-?(NaN|Inf(inity)?)\s*[\]},]")
MOST_BRACKETS = 300  # of a record: Python's parser takes about 1,000, one within another
# A decimal that is written as a text, with an exponent that only Arrow reads: 2E+-1, 1e0x1.
ODD_EXPONENT = re.compile(rb'"[+-]?[\d.]+[eE](\+-|[+-]?0[xX])')
ODD_MARKS = (b"+-", b"0x", b"0X")
# Numbers that may be too small for a float, which Arrow reads as 0.
SMALL_NUMBER = re.compile(rb'"\s*:\s*-?[\d.]+[eE]-\d')
ZEROS = b"0" * 40


class ArrowParser:
    """Reads blocks of records with one object a line.

    It takes no paths, no key for two columns, and only columns whose type tells which kind of JSON
    value they have.
    """

    def __init__(self, job: Job, keys: Keys, refuses: bool) -> None:
        self._encoding, self._names = job.encoding, job.names
        self._refuses = refuses
        self._left = TRIES if _is_flat(keys) and job.bounds.row_bytes is None else 0
        fields = []
        for key, (place, *_) in keys.places.items():
            own = _value_type(job.columns[place])
            if own is None:
                self._left = 0
            fields.append((place, pa.field(key, own or pa.string())))
        fields.sort(key=lambda pair: pair[0])
        self._has_decimals = any(pa.types.is_decimal(own.type) for _, own in fields)
        self._options = pj.ParseOptions(
            explicit_schema=pa.schema([own for _, own in fields]),
            unexpected_field_behavior="error" if refuses else "ignore",
        )

    def batches(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, pa.RecordBatch | None]]:
        """Yields each block with its batch, or with None when one of its records is not plain.

        Blocks are parsed ahead by other threads: Arrow does not hold Python's lock.
        """
        if not self._left:
            yield from ((block, None) for block in blocks)
            return
        waiting: deque[tuple[Block, Future[pa.RecordBatch | None]]] = deque()
        with ThreadPoolExecutor(AHEAD) as pool:
            for block in blocks:
                waiting.append((block, pool.submit(self.batch, block.raws)))
                is_large = _size(block.raws) > AHEAD_BYTES
                while len(waiting) > (0 if is_large else AHEAD):
                    yield self._first(waiting)
            while waiting:
                yield self._first(waiting)

    def _first(
        self, waiting: deque[tuple[Block, Future[pa.RecordBatch | None]]]
    ) -> tuple[Block, pa.RecordBatch | None]:
        block, parsing = waiting.popleft()
        batch = parsing.result()
        self._left = TRIES if batch is not None else max(0, self._left - 1)
        return block, batch

    def batch(self, raws: Sequence[bytes]) -> pa.RecordBatch | None:
        """Returns the records as a batch, or None when one of them is not plain."""
        if not self._left:
            return None
        lines = raws if isinstance(raws, Lines) else _as_lines(raws)
        return self._parsed(lines) if lines and self._is_plain(lines) else None

    def _is_plain(self, lines: Lines) -> bool:
        data = lines.data
        if b"\\" in data and b"\\u0000" in data:
            return False
        if not holds_text(data, self._encoding):
            return False
        if len(data) > LONGEST_ROW and max(map(len, lines)) > LONGEST_ROW:
            return False
        return self._refuses or not _is_strange(lines)

    def _parsed(self, lines: Lines) -> pa.RecordBatch | None:
        size = len(lines.data) + 1
        options = pj.ReadOptions(use_threads=False, block_size=size)
        data = memoryview(lines.data)
        lend(data)  # a thread of Arrow may hold it for a while after the reading
        try:
            table = pj.read_json(pa.BufferReader(pa.py_buffer(data)), options, self._options)
        except pa.ArrowInvalid:
            return None
        [batch] = table.to_batches()
        # There are more rows than lines where a line has two objects.
        if len(batch) != len(lines) or any(_is_doubtful(own, lines.data) for own in batch.columns):
            return None
        if self._has_decimals and _has_odd_exponent(lines.data):
            return None
        return pa.record_batch(batch.columns, names=self._names)


def count_objects(data: bytes) -> int:
    """Returns the number of lines, or 0 where one does not begin and end as an object does.

    Arrow may crash on data that begins with null.
    """
    if not data.startswith(b"{") or not data.endswith((b"}", b"}\r")):
        return 0
    ends = data.count(b"\n")
    first_key = data[: data.find(b":")]  # most often all lines begin so, and a long text is quick
    if ends == data.count(b"}\n" + first_key):
        return ends + 1
    left = ends - data.count(b"}\n{")
    return ends + 1 if left == 0 or left == data.count(b"}\r\n{") else 0


def _size(raws: Sequence[bytes]) -> int:
    return len(raws.data) if isinstance(raws, Lines) else sum(map(len, raws))


def _as_lines(raws: Sequence[bytes]) -> Lines | None:
    """Returns records that are elements of an array as lines, where none has several."""
    data = b"\n".join(raws)
    return Lines(data, len(raws)) if count_objects(data) == len(raws) else None


def _is_flat(keys: Keys) -> bool:
    return not keys.below and all(len(places) == 1 for places in keys.places.values())


def _value_type(column: PlannedColumn) -> pa.DataType | None:
    """Returns Arrow's type for the column's values, or None where they may be of several kinds."""
    read_as = column.read_as
    if read_as.array or column.type.array:
        return None
    if column.typtype == "e" or read_as.name in TEXT_TYPES:
        return pa.string()
    if column.typtype != "b":
        return None
    if column.type.name == "numeric":
        return _decimal(column)
    return VALUE_TYPES.get(column.type.name)


def _decimal(column: PlannedColumn) -> pa.DataType | None:
    """Returns the type of a decimal that Arrow cannot overflow, as it does without an error."""
    own = fast_cast_of(column)
    if own is None or own.arrow.precision + own.arrow.scale > MOST_DIGITS:
        return None
    return own.arrow


def _is_strange(lines: Lines) -> bool:
    """Returns whether values of keys that no column has may be no JSON, or nested too deep."""
    data = lines.data
    if (b"NaN" in data or b"Inf" in data) and NO_NUMBER.search(data):
        return True
    brackets = data.count(b"{") + data.count(b"[") - len(lines)
    return brackets > MOST_BRACKETS and any(
        raw.count(b"{") + raw.count(b"[") > MOST_BRACKETS for raw in lines
    )


def _is_doubtful(column: pa.Array, data: bytes) -> bool:
    """Returns whether a number may be another one to Postgres."""
    if pa.types.is_decimal(column.type):
        return _is_beyond(column)
    if not pa.types.is_floating(column.type):
        return False
    if not pc.all(pc.is_finite(column), min_count=0).as_py():
        return True
    if not pc.any(pc.equal(column, pa.scalar(0, column.type))).as_py():
        return False
    return ZEROS in data or ((b"e-" in data or b"E-" in data) and bool(SMALL_NUMBER.search(data)))


def _has_odd_exponent(data: bytes) -> bool:
    if b"\\" in data and ESCAPED_ASCII.search(data):
        return True
    # A single byte is found ten times as fast as two.
    may_have = any(mark[:1] in data and mark[1:] in data and mark in data for mark in ODD_MARKS)
    return may_have and bool(ODD_EXPONENT.search(data))


def _is_beyond(column: pa.Array) -> bool:
    """Returns whether a decimal has more digits before the point than its type: Arrow lets it."""
    own, ends = column.type, pc.min_max(column)
    if ends["min"].as_py() is None:
        return False
    limit = 10 ** (own.precision - own.scale)
    return bool(max(-ends["min"].as_py(), ends["max"].as_py()) >= limit)
