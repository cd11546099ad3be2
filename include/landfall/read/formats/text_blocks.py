"""Records of text in blocks: how lines are cut, and how cut records become rows or rejects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, TypeAlias, overload

import pyarrow as pa

from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.job import BLOCK_BYTES, Job
from include.landfall.read.rows import (
    NOT_UTF8,
    SHOWN_CHARACTERS,
    TOO_LONG,
    UNTRANSLATABLE,
    ZERO_BYTE,
    Fault,
    Misshapen,
    Origin,
    Rows,
    numbers_without,
    readable,
)

Cells: TypeAlias = list[str | None]


class Unreadable(Exception):
    """A record that cannot be cut into cells: its fault, and the column where one is to blame."""

    def __init__(self, fault: Fault, column: str | None = None) -> None:
        super().__init__(fault.message)
        self.fault, self.column = fault, column


class Lines(Sequence[bytes]):
    """Lines that follow one another, each of them a record. They are cut when one is needed."""

    def __init__(self, data: bytes, count: int) -> None:
        self.data, self._count = data, count

    @cached_property
    def _raws(self) -> list[bytes]:
        return [raw.removesuffix(b"\r") for raw in self.data.split(b"\n")]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._raws)

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        return self._raws[at]


@dataclass(frozen=True)
class Block:
    """Records that follow one another, without their line ends. `first` is the first's number.

    Of a record that is too long there is only the beginning, of one byte more than a row may have.
    """

    first: int
    raws: Sequence[bytes]
    lines: Sequence[int]


def expected_names(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the columns that the feed declares, as those of a file that does not name its own."""
    return [column.name for column in job.expected] if stream.read(1) else []


def line_blocks(
    stream: BinaryIO,
    ahead: bytes,
    line: int,
    *,
    blank: bytes = b"\r",
    count_records: Callable[[bytes], int] = lambda _: 0,
) -> Iterator[Block]:
    """Yields the lines of a stream in blocks of about 1 MiB. A line of only `blank` is no record.

    `ahead` is what was read of the stream before, and `line` the number of its first line.
    `count_records` returns how many lines there are, where it sees that each of them is a record:
    these are not cut before they are needed. Else it returns 0.
    """
    first = 1
    for data in _whole_lines(stream, ahead):
        count = count_records(data)
        if count:
            yield Block(first, Lines(data, count), range(line, line + count))
            ends = count
        else:
            raws = data.split(b"\n")
            block = _block(first, line, raws, blank)
            count, ends = len(block.raws), len(raws)
            if count:
                yield block
        first, line = first + count, line + ends


def _whole_lines(stream: BinaryIO, ahead: bytes) -> Iterator[bytes]:
    """Yields lines that follow one another, without the last one's end.

    Of a line that is too long there is only the beginning.
    """
    rest = ahead
    while chunk := stream.read(BLOCK_BYTES):
        whole, end, rest = (rest + chunk).rpartition(b"\n")
        if len(rest) > LONGEST_ROW:
            yield whole + end + rest[: LONGEST_ROW + 1]
            rest = _behind_line(stream)
        elif end:
            yield whole
    if rest:
        yield rest.removesuffix(b"\n")


def _behind_line(stream: BinaryIO) -> bytes:
    """Reads to the end of a line, and returns what was read behind it."""
    while chunk := stream.read(BLOCK_BYTES):
        _, end, rest = chunk.partition(b"\n")
        if end:
            return rest
    return b""


def _block(first: int, line: int, lines: list[bytes], blank: bytes) -> Block:
    numbers: Sequence[int] = range(line, line + len(lines))
    if not all(raw.strip(blank) for raw in lines):
        numbers = [line + at for at, raw in enumerate(lines) if raw.strip(blank)]
        lines = [raw for raw in lines if raw.strip(blank)]
    return Block(first, [raw.removesuffix(b"\r") for raw in lines], numbers)


def text_of(raw: bytes) -> str:
    """Returns a record as text.

    Raises: Unreadable when it is too long, no UTF-8, or holds a zero byte.
    """
    if len(raw) > LONGEST_ROW:
        raise Unreadable(TOO_LONG)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Unreadable(NOT_UTF8) from None
    if "\0" in text:
        raise Unreadable(ZERO_BYTE)
    return text


def check_cells(cells: Cells, encoding: str | None) -> None:
    """Checks that the database can hold the cells. `encoding` is its codec, where not UTF-8.

    Raises: Unreadable.
    """
    text = "".join(cell for cell in cells if cell)
    if "\0" in text:
        raise Unreadable(ZERO_BYTE)
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError as error:
        is_half = "\ud800" <= text[error.start] <= "\udfff"
        message = "the row holds half of a surrogate pair, which is no letter"
        fault = UNTRANSLATABLE._replace(message=message) if is_half else UNTRANSLATABLE
        raise Unreadable(fault) from None


def rows_of(block: Block, parse: Callable[[bytes], Cells], job: Job) -> Rows:
    """Parses a block record by record. What `parse` raises as Unreadable becomes a reject."""
    rows: list[Cells] = []
    misshapen: list[Misshapen] = []
    for number, line, raw in zip(_numbers(block), block.lines, block.raws, strict=True):
        try:
            cells = parse(raw)
            check_cells(cells, job.encoding)
            rows.append(cells)
        except Unreadable as error:
            shown = readable(
                raw[:SHOWN_CHARACTERS] if len(raw) > LONGEST_ROW else raw, job.encoding
            )
            misshapen.append(Misshapen(number, line, *error.fault, shown, error.column))
    columns: Iterable[Sequence[str | None]] = (
        zip(*rows, strict=True) if rows else [[]] * len(job.labels)
    )
    arrays = [pa.array(cells, pa.string()) for cells in columns]
    return batch_rows(block, pa.record_batch(arrays, names=list(job.labels)), misshapen)


def batch_rows(block: Block, batch: pa.RecordBatch, misshapen: list[Misshapen]) -> Rows:
    """Returns the rows of a block, of which `misshapen` are not in the batch."""
    if not misshapen:
        return Rows(block.first, batch, lambda positions: origins(block, positions))
    left_out = [record.number for record in misshapen]
    numbers = numbers_without(block.first, len(block.raws), left_out)
    return Rows(
        block.first,
        batch,
        lambda positions: origins(block, [numbers[p] - block.first for p in positions]),
        numbers,
        misshapen,
    )


def origins(block: Block, positions: Sequence[int]) -> list[Origin]:
    """Returns line and text of the records at these positions of a block."""
    return [Origin(block.lines[p], readable(block.raws[p])) for p in positions]


def origins_in(
    blocks: Iterable[Block], parse: Callable[[bytes], Cells], numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, Cells | None]]:
    """Yields number, origin and cells of the records with these numbers, which ascend."""
    wanted = list(reversed(numbers))
    for block in blocks:
        while wanted and wanted[-1] < block.first + len(block.raws):
            number = wanted.pop()
            position = number - block.first
            yield number, origins(block, [position])[0], _cells(parse, block.raws[position])
        if not wanted:
            return


def _cells(parse: Callable[[bytes], Cells], raw: bytes) -> Cells | None:
    try:
        return parse(raw)
    except Unreadable:
        return None


def _numbers(block: Block) -> range:
    return range(block.first, block.first + len(block.raws))
