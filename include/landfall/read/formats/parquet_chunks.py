"""What a look into a chunk of a Parquet file shows, before the chunk is read.

A chunk is what a row group has of a column. Each page that is looked at is a request to the store.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Look:
    """What is seen of a chunk.

    `held` are the bytes that Arrow holds while it reads the chunk, `width` those of a value where
    values are longest, as far as pages were seen. `repeats`: its texts are few and stand in a
    dictionary, so how long a row is shows only later.
    """

    held: int
    width: float = 0
    repeats: bool = False


@dataclass(frozen=True)
class Chunks:
    """Looks into chunks of a file, of which the columns together have `whole` bytes."""

    stream: BinaryIO
    whole: int
    extra_memory: int

    def look(self, chunk: Any, is_flat: bool, most: int = MOST_PAGES) -> Look:
        """Looks into a chunk, at `most` of its pages. That of a list or a struct is not flat.

        Raises: DataError when a page or a cell is larger than what can be read.
        """
        is_text = chunk.physical_type == "BYTE_ARRAY"
        count = min(_pages_to_see(chunk, is_text, self.whole), most)
        pages = pages_of(self.stream, chunk, count) if count else []
        held = _held(pages) if pages else whole_bytes(chunk)
        if pages:
            _check_pages(chunk.path_in_schema, pages, held, self.extra_memory)
        if not is_text:
            return Look(held)
        _check_cells(chunk.path_in_schema, pages)
        mean = chunk.total_uncompressed_size / max(chunk.num_values, 1)
        repeats = is_flat and chunk.has_dictionary_page and mean < DICTIONARY_BYTES
        if chunk.has_dictionary_page and not pages and not repeats:
            pages = pages_of(self.stream, chunk, 1)
        widths = [page.unpacked / max(page.values, 1) for page in pages]
        return Look(held, max(widths, default=0), repeats)


def whole_bytes(chunk: Any) -> int:
    """Returns the bytes of a chunk, unpacked and packed."""
    return int(chunk.total_uncompressed_size + chunk.total_compressed_size)


def check_cells(batch: Any) -> None:
    """Checks the cells of a batch that has been read, where no look has shown a large one.

    Raises: DataError.
    """
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        _check_cell(name, column.nbytes // max(len(column), 1))


def _pages_to_see(chunk: Any, is_text: bool, whole: int) -> int:
    size = chunk.total_uncompressed_size
    if is_text and size > LARGE_TEXTS:
        return MOST_PAGES
    # The dictionary, and a page that is as large as the others.
    return 2 if size > LARGE_CHUNK and whole > LARGE_TEXTS else 0


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
    for page in pages:
        _check_cell(name, page.unpacked / max(page.values, 1))


def _check_cell(name: str, cell: float) -> None:
    if cell > MOST_CELL_BYTES:
        raise DataError(
            "a cell is larger than what a load can read",
            found=f"a cell of {cell / 1e6:.0f} MB",
            expected=f"cells of at most {MOST_CELL_BYTES >> 20} MiB",
            do="ask the sender for smaller cells",
        ).at(column=name)
