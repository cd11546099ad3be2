"""JSON: one object a line, or an array of objects. The first byte tells which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

from include.landfall.feed.dialect import JsonDialect
from include.landfall.job import BLOCK_BYTES, Job
from include.landfall.read.formats.json_elements import element_blocks
from include.landfall.read.formats.json_exact import Keys, Parser
from include.landfall.read.formats.json_fast import FastParser
from include.landfall.read.formats.text_blocks import (
    Block,
    batch_rows,
    expected_names,
    line_blocks,
    origins_in,
    rows_of,
)
from include.landfall.read.rows import Origin, Rows

RANDOM_ACCESS = False
BOM = b"\xef\xbb\xbf"


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the columns that the feed declares; none of a file without a byte."""
    return expected_names(stream, job)


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows, every cell as text.

    A block that has a record which is not plain is parsed record by record.

    Raises: TruncatedFile and MisshapenRow when an array is not one.
    """
    keys = _keys(job)
    exact, fast = _parser(job, keys), FastParser(job, keys, _refuses(job))
    for block in _blocks(stream):
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
    yield from origins_in(_blocks(stream), _parser(job, _keys(job)).cells, numbers)


def _blocks(stream: BinaryIO) -> Iterator[Block]:
    ahead = stream.read(BLOCK_BYTES).removeprefix(BOM)
    line = 1
    while not ahead.lstrip() and (more := stream.read(BLOCK_BYTES)):
        line += ahead.count(b"\n")
        ahead = more
    if ahead.lstrip().startswith(b"["):
        return element_blocks(stream, ahead, line)
    return line_blocks(stream, ahead, line, blank=b" \t\r")


def _keys(job: Job) -> Keys:
    dialect = cast(JsonDialect, job.dialect)
    return Keys.of(job.names, dict(dialect.paths))


def _parser(job: Job, keys: Keys) -> Parser:
    return Parser(job.columns, keys, _refuses(job))


def _refuses(job: Job) -> bool:
    return cast(JsonDialect, job.dialect).refuses_other_keys
