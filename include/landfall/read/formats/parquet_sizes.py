"""How much memory the columns of a Parquet file need, before any of them is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, BinaryIO

from include.landfall.errors import DataError
from include.landfall.feed.maxima import MEMORY
from include.landfall.read.formats.parquet_pages import MOST_PAGES, Page, pages_of

MOST_HELD_BYTES = 80 << 20  # of one column. Measured: more would exceed MEMORY in all
MOST_CELL_BYTES = 8 << 20
STEP = 10_000_000  # bytes of memory: an error names the next whole step that is enough
LARGE_TEXTS = 16 << 20  # a chunk of texts from this size on is looked into, page by page
LARGE_CHUNK = 4 << 20  # its first pages are looked into, where the chunks together are large
DICTIONARY_BYTES = 8  # below this mean size of a text, most of a chunk is numbers of its dictionary
FIXED = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 8, "FLOAT": 4, "DOUBLE": 8}


@dataclass(frozen=True)
class ColumnSize:
    """What a column needs: bytes held while rows are read, and bytes of a row.

    `repeats`: its texts are few and stand in a dictionary, so how long a row is shows only later.
    """

    name: str
    held: int
    row: float
    repeats: bool = False


def column_sizes(
    stream: BinaryIO, metadata: Any, names: Sequence[str], extra_memory: int = 0
) -> list[ColumnSize]:
    """Measures each column that is read, by the largest of its chunks.

    Raises: DataError when a page or a cell is larger than what can be read in MEMORY and the extra.
    """
    read = [
        i
        for i in range(metadata.num_columns)
        if _top(metadata.schema.column(i).path, names) in names
    ]
    largest = [_largest_chunk(metadata, i) for i in read]
    whole = sum(map(_whole, largest))
    leaves = [
        _leaf_size(stream, chunk, metadata.schema.column(i), whole, extra_memory)
        for i, chunk in zip(read, largest, strict=True)
    ]
    tops = [_top(leaf.name, names) for leaf in leaves]
    return [
        _sum(name, [leaf for _, leaf in pairs])
        for name, pairs in groupby(zip(tops, leaves, strict=True), key=lambda pair: pair[0])
    ]


def _largest_chunk(metadata: Any, number: int) -> Any:
    chunks = (metadata.row_group(g).column(number) for g in range(metadata.num_row_groups))
    return max(chunks, key=lambda chunk: int(chunk.total_uncompressed_size))


def _whole(chunk: Any) -> int:
    return int(chunk.total_uncompressed_size + chunk.total_compressed_size)


def _top(path: str, names: Sequence[str]) -> str:
    """Returns the column to which a leaf belongs: `a.list.element` is in the column `a`."""
    fits = (name for name in names if path == name or path.startswith(f"{name}."))
    return max(fits, key=len, default=path)


def _sum(name: str, leaves: list[ColumnSize]) -> ColumnSize:
    is_flat = len(leaves) == 1 and leaves[0].name == name
    held, row = sum(leaf.held for leaf in leaves), sum(leaf.row for leaf in leaves)
    return ColumnSize(name, held, row, is_flat and leaves[0].repeats)


def _leaf_size(
    stream: BinaryIO, chunk: Any, column: Any, whole: int, extra_memory: int
) -> ColumnSize:
    is_text = chunk.physical_type == "BYTE_ARRAY"
    size = chunk.total_uncompressed_size
    count = 0
    if is_text and size > LARGE_TEXTS:
        count = MOST_PAGES
    elif size > LARGE_CHUNK and whole > LARGE_TEXTS:
        count = 2  # the dictionary, and a page that is as large as the others
    pages = pages_of(stream, chunk, count) if count else []
    held = _held(pages) if pages else _whole(chunk)
    if pages:
        _check_pages(chunk.path_in_schema, pages, held, extra_memory)
        if is_text:
            _check_cells(chunk.path_in_schema, pages)
    values = max(chunk.num_values, 1)
    width = size / values if is_text else FIXED.get(chunk.physical_type) or column.length
    if is_text and pages:
        width = max(width, *(page.unpacked / max(page.values, 1) for page in pages))
    repeats = is_text and chunk.has_dictionary_page and size / values < DICTIONARY_BYTES
    return ColumnSize(chunk.path_in_schema, held, width, repeats)


def _held(pages: list[Page]) -> int:
    """Returns what Arrow holds: the dictionary twice, one page, and its packed bytes twice."""
    dictionary = max((page.unpacked for page in pages if page.is_dictionary), default=0)
    data = (page.unpacked + 2 * page.packed for page in pages if not page.is_dictionary)
    return 2 * dictionary + max(data, default=0)


def _check_pages(name: str, pages: list[Page], held: int, extra_memory: int) -> None:
    largest, most = max(pages), MOST_HELD_BYTES + extra_memory
    if held <= most:
        return
    memory = MEMORY + extra_memory
    needed = -(-(memory + held - most) // STEP) * STEP
    raise DataError(
        f"the file's pages are larger than what a load can read in {memory / 1e6:.0f} MB of memory",
        found=f"a page of {largest.unpacked / 1e6:.0f} MB, packed {largest.packed / 1e6:.0f}",
        expected=f"at most {most >> 20} MiB for a dictionary twice, a page, and its packed bytes"
        " twice",
        do=f"write limits: {{memory: {needed // STEP * 10} MB}} in the feed, or ask the sender for"
        " smaller pages or row groups (pyarrow: write_batch_size=16)",
    ).at(column=name)


def _check_cells(name: str, pages: list[Page]) -> None:
    cell = max(page.unpacked / max(page.values, 1) for page in pages)
    if cell > MOST_CELL_BYTES:
        raise DataError(
            "a cell is larger than what a load can read",
            found=f"a cell of {cell / 1e6:.0f} MB",
            expected=f"cells of at most {MOST_CELL_BYTES >> 20} MiB",
            do="ask the sender for smaller cells",
        ).at(column=name)
