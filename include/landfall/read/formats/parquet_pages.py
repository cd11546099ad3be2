"""The pages of a column chunk: how large each is, from the headers that stand before them.

Arrow holds a page whole, packed and unpacked, and does not say before how large it is. The headers
are structs of Thrift's compact protocol:
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

HEADER_BYTES = (1 << 10, 1 << 20)  # statistics, with cells of the file, may make a header long
MOST_PAGES = 10_000  # of one chunk: nobody's file has more, and each is a request to the store

# Numbers of the fields in a page's header.
UNPACKED, PACKED, DATA, DICTIONARY, DATA_V2 = 2, 3, 5, 7, 8
VALUES = 1  # in each of the last three


class Page(NamedTuple):
    """A page: its bytes when it is unpacked and packed, and how many values it has."""

    unpacked: int
    packed: int
    values: int
    is_dictionary: bool


def pages_of(stream: BinaryIO, chunk: Any, most: int = MOST_PAGES) -> list[Page]:
    """Returns the first pages of the chunk (a ColumnChunkMetaData), none if it cannot be read."""
    try:
        return list(_pages(stream, chunk, most))
    except (IndexError, ValueError, RecursionError):
        return []


def _pages(stream: BinaryIO, chunk: Any, most: int) -> Iterator[Page]:
    offsets = (chunk.dictionary_page_offset, chunk.data_page_offset)
    place = min(offset for offset in offsets if offset)
    end = place + chunk.total_compressed_size
    for _ in range(most):
        if place >= end:
            return
        header, size = _header(stream, place)
        yield _page(header)
        place += size + header[PACKED]


def _page(header: dict[int, Any]) -> Page:
    if min(header.get(UNPACKED, -1), header.get(PACKED, -1)) < 0:
        raise ValueError("no header of a page")
    details: dict[int, Any] = next(
        (header[d] for d in (DATA, DICTIONARY, DATA_V2) if d in header), {}
    )
    return Page(header[UNPACKED], header[PACKED], details.get(VALUES, 0), DICTIONARY in header)


def _header(stream: BinaryIO, place: int) -> tuple[dict[int, Any], int]:
    """Returns the fields of the header at that place, and its size."""
    for size in HEADER_BYTES:
        stream.seek(place)
        compact = _Compact(stream.read(size))
        try:
            return compact.struct(), compact.place
        except IndexError:
            continue
    raise ValueError("no header of a page")


class _Compact:
    """A reader of Thrift's compact protocol: numbers and structs, everything else is skipped."""

    def __init__(self, data: bytes) -> None:
        self.place = 0
        self._data = data

    def struct(self) -> dict[int, Any]:
        """Reads a struct: its values by the numbers of the fields."""
        values: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            values[number] = self._value(head & 15)
        return values

    def _value(self, thrift_type: int) -> Any:
        if thrift_type in (1, 2):
            return thrift_type == 1
        if thrift_type == 3:
            return self._byte()
        if thrift_type in (4, 5, 6):
            return self._signed()
        if thrift_type == 12:
            return self.struct()
        if thrift_type in (7, 8):
            return self._skip(8 if thrift_type == 7 else self._unsigned())
        raise ValueError(f"a type that no header of a page has: {thrift_type}")

    def _skip(self, size: int) -> None:
        self.place += size

    def _byte(self) -> int:
        self.place += 1
        return self._data[self.place - 1]

    def _unsigned(self) -> int:
        number, shift = 0, 0
        while (byte := self._byte()) & 0x80:
            number |= (byte & 0x7F) << shift
            shift += 7
        return number | byte << shift

    def _signed(self) -> int:
        number = self._unsigned()
        return (number >> 1) ^ -(number & 1)
