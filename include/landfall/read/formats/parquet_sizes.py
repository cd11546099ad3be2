"""How much memory the columns of a Parquet file need, before any of them is read."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import add
from typing import Any, BinaryIO

from include.landfall.read.formats.parquet_chunks import MOST_HELD_BYTES, Chunks, Look, whole_bytes

FIRST_PAGES = 16  # that are seen of a chunk which is no larger than another one
FIXED = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 8, "FLOAT": 4, "DOUBLE": 8}


@dataclass(frozen=True)
class ColumnSize:
    """How many bytes of a column are held while rows are read.

    `repeats`: its texts are few and stand in a dictionary, so how long a row is shows only later.
    """

    name: str
    held: int
    repeats: bool = False


@dataclass(frozen=True)
class Sizes:
    """What each column that is read needs, and by row group the bytes of a row of all columns."""

    columns: list[ColumnSize]
    rows: list[float]


def sizes_of(
    stream: BinaryIO, metadata: Any, names: AbstractSet[str], extra_memory: int = 0
) -> Sizes:
    """Measures the columns that are read.

    Raises: DataError when a page or a cell is larger than what can be read in MEMORY and the extra.
    """
    tops = [_top(metadata.schema.column(i).path, names) for i in range(metadata.num_columns)]
    leaves = [_Leaf.of(metadata, i, top) for i, top in enumerate(tops) if top in names]
    whole = sum(whole_bytes(leaf.chunk(leaf.largest)) for leaf in leaves)
    chunks = Chunks(stream, whole, extra_memory)
    rows = [0.0] * metadata.num_row_groups
    columns: dict[str, ColumnSize] = {}
    for leaf in leaves:
        looks, row_bytes = _measured(chunks, leaf)
        rows = list(map(add, rows, row_bytes))
        held = max(look.held for look in looks)
        if leaf.top in columns:
            held += columns[leaf.top].held
        columns[leaf.top] = ColumnSize(leaf.top, held, looks[0].repeats)
    return Sizes(list(columns.values()), rows)


def _top(path: str, names: AbstractSet[str]) -> str:
    """Returns the column to which a leaf belongs: `a.list.element` is in the column `a`."""
    if path in names:
        return path
    fits = (name for name in names if path.startswith(f"{name}."))
    return max(fits, key=len, default=path)


@dataclass(frozen=True)
class _Leaf:
    """A column as Parquet stores it: a list or a struct has one for each of its parts."""

    metadata: Any
    number: int
    top: str  # the column of the table
    largest: int  # the row group with its largest chunk

    @classmethod
    def of(cls, metadata: Any, number: int, top: str) -> _Leaf:
        sizes = [
            int(metadata.row_group(group).column(number).total_uncompressed_size)
            for group in range(metadata.num_row_groups)
        ]
        return cls(metadata, number, top, sizes.index(max(sizes)))

    def chunk(self, group: int) -> Any:
        """Returns what the row group has of it."""
        return self.metadata.row_group(group).column(self.number)

    def too_large(self) -> set[int]:
        """Returns the row groups whose chunks are so large that one page may be too large."""
        if 2 * self.chunk(self.largest).total_uncompressed_size <= MOST_HELD_BYTES:
            return set()
        groups = range(self.metadata.num_row_groups)
        return {group for group in groups if whole_bytes(self.chunk(group)) > MOST_HELD_BYTES}

    @property
    def is_flat(self) -> bool:
        """Whether it is a column of the table as a whole."""
        return bool(self.metadata.schema.column(self.number).path == self.top)

    def values(self) -> list[tuple[float, float]]:
        """Returns, by the row groups, how many values a row has, and the mean bytes of a value."""
        column, groups = self.metadata.schema.column(self.number), self.metadata.num_row_groups
        is_text = column.physical_type == "BYTE_ARRAY"
        width = FIXED.get(column.physical_type) or column.length
        if not is_text and not column.max_repetition_level:
            return [(1, width)] * groups
        chunks = [(self.chunk(group), self.metadata.row_group(group)) for group in range(groups)]
        return [
            (
                chunk.num_values / max(row_group.num_rows, 1),  # a list has many
                chunk.total_uncompressed_size / max(chunk.num_values, 1) if is_text else width,
            )
            for chunk, row_group in chunks
        ]


def _measured(chunks: Chunks, leaf: _Leaf) -> tuple[list[Look], list[float]]:
    """Looks into the chunks that matter, the largest first. Returns the bytes of a row, too.

    A chunk with values that are much longer than those of the largest is looked into as well. Of
    any other only the first pages are, where it is so large that one of them may be too large.
    """
    values = leaf.values()
    means = [mean for _, mean in values]
    looks = {leaf.largest: chunks.look(leaf.chunk(leaf.largest), leaf.is_flat)}
    longest = means.index(max(means))
    if means[longest] > 2 * max(looks[leaf.largest].width, means[leaf.largest]):
        looks[longest] = chunks.look(leaf.chunk(longest), leaf.is_flat)
    for group in leaf.too_large() - looks.keys():
        looks[group] = chunks.look(leaf.chunk(group), leaf.is_flat, FIRST_PAGES)
    skew = looks[leaf.largest].width / max(means[leaf.largest], 1e-9)
    rows = []
    for group, (in_row, mean) in enumerate(values):
        # In others, values may be as much longer than the mean as they are in the largest.
        like_largest = min(mean * skew, looks[leaf.largest].width)
        width = looks[group].width if group in looks else like_largest
        rows.append(in_row * max(mean, width))
    return list(looks.values()), rows
