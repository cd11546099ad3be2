"""The tail of an ORC file: how many bytes its rows have, from its statistics.

The tail is made of messages of protobuf, packed in blocks:
https://orc.apache.org/specification/ORCv1/#file-tail
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import zstandard

MOST_BYTES = 4 << 20  # of the tail, packed; a block of it unpacks to no more either
READ_BYTES = 16 << 10  # of the tail, in the first request
VALUE_BYTES = 8  # of a value that is no text
Message: TypeAlias = dict[int, list[int | bytes]]

# Numbers of fields.
FOOTER_LENGTH, COMPRESSION, METADATA_LENGTH = 1, 2, 5  # of the postscript
STRIPES, TYPES = 3, 4  # of the footer
STRIPE_ROWS = 5  # of a stripe
SUBTYPES, FIELD_NAMES = 2, 3  # of a type
STRIPE_STATISTICS = COLUMN_STATISTICS = 1
VALUES, TEXTS, BINARIES = 1, 4, 8  # of a column's statistics
SUM_OF_TEXTS, SUM_OF_BINARIES = 3, 1


@dataclass(frozen=True)
class StripeSize:
    """A stripe: its rows, and the bytes of the columns that are read, unpacked."""

    rows: int
    size: int


def stripe_sizes(stream: BinaryIO, names: Collection[str]) -> list[StripeSize] | None:
    """Returns the sizes of the file's stripes, for these columns, or None where it has none."""
    try:
        return list(_stripe_sizes(stream, names))
    except (LookupError, ValueError, TypeError, zlib.error, zstandard.ZstdError):
        return None


def _stripe_sizes(stream: BinaryIO, names: Collection[str]) -> Iterator[StripeSize]:
    footer, metadata = _footer_and_metadata(stream)
    numbers = _numbers_of(footer, names)
    stripes = [_message(each) for each in footer[STRIPES]]
    for stripe, packed in zip(stripes, metadata[STRIPE_STATISTICS], strict=True):
        statistics = _message(packed)[COLUMN_STATISTICS]
        size = sum(_bytes_of(_message(statistics[number])) for number in numbers)
        yield StripeSize(_number(stripe, STRIPE_ROWS), size)


def _footer_and_metadata(stream: BinaryIO) -> tuple[Message, Message]:
    end = stream.seek(0, io.SEEK_END)
    data = _last(stream, end, READ_BYTES)
    length = data[-1]
    postscript = _message(data[-1 - length : -1])
    footer, metadata = (_number(postscript, f) for f in (FOOTER_LENGTH, METADATA_LENGTH))
    if footer + metadata > MOST_BYTES:
        raise ValueError("a tail that is too large")
    size = metadata + footer + length + 1
    if size > len(data):
        data = _last(stream, end, size)
    data = data[-size : -1 - length]
    compression = _number(postscript, COMPRESSION) if COMPRESSION in postscript else 0
    unpacked = [_unpacked(part, compression) for part in (data[metadata:], data[:metadata])]
    return _message(unpacked[0]), _message(unpacked[1])


def _last(stream: BinaryIO, end: int, size: int) -> bytes:
    stream.seek(max(0, end - size))
    return stream.read(size)


def _numbers_of(footer: Message, names: Collection[str]) -> list[int]:
    """Returns the numbers of the columns that are read, with all that they hold."""
    types = footer[TYPES]
    root = _message(types[0])
    tops = [n for packed in root[SUBTYPES] for n in _packed_numbers(packed)]
    ends = [*tops[1:], len(types)]
    labels = [label.decode() for label in root[FIELD_NAMES] if isinstance(label, bytes)]
    return [
        number
        for name, first, end in zip(labels, tops, ends, strict=True)
        if name in names
        for number in range(first, end)
    ]


def _bytes_of(statistics: Message) -> int:
    """Returns the bytes of a column. Of texts the statistics have the sum."""
    size = VALUE_BYTES * _number(statistics, VALUES)
    for field, total in ((TEXTS, SUM_OF_TEXTS), (BINARIES, SUM_OF_BINARIES)):
        for each in statistics.get(field, []):
            zigzag = _number(_message(each), total)
            size += (zigzag >> 1) ^ -(zigzag & 1)
    return size


# ---- packing -------------------------------------------------------------------------------------


def _unpacked(data: bytes, compression: int) -> bytes:
    if not compression:
        return data
    parts, place = [], 0
    while place < len(data):
        head = int.from_bytes(data[place : place + 3], "little")
        block = data[place + 3 : place + 3 + (head >> 1)]
        parts.append(block if head & 1 else CODECS[compression](block))
        place += 3 + (head >> 1)
    return b"".join(parts)


def _zlib(block: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(block, MOST_BYTES)


def _zstd(block: bytes) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(block) as reader:
        return reader.read(MOST_BYTES)


def _snappy(block: bytes) -> bytes:
    # Imported here: few files need it.
    import cramjam

    try:
        if cramjam.snappy.decompress_raw_len(block) > MOST_BYTES:
            raise ValueError("a block that is too large")
        return bytes(cramjam.snappy.decompress_raw(block))
    except cramjam.DecompressionError as error:
        raise ValueError(str(error)) from error


def _lz4(block: bytes) -> bytes:
    import cramjam

    try:
        return bytes(cramjam.lz4.decompress_block(block, output_len=MOST_BYTES))
    except cramjam.DecompressionError as error:
        raise ValueError(str(error)) from error


CODECS: dict[int, Callable[[bytes], bytes]] = {1: _zlib, 2: _snappy, 4: _lz4, 5: _zstd}


# ---- protobuf ------------------------------------------------------------------------------------


def _message(data: int | bytes) -> Message:
    """Reads a message: the values of its fields, by their numbers."""
    if isinstance(data, int):
        raise TypeError("a number where a message should be")
    fields: Message = {}
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        value: int | bytes
        if key & 7 == 0:
            value, place = _varint(data, place)
        else:
            size, place = _varint(data, place) if key & 7 == 2 else (SIZES[key & 7], place)
            value, place = data[place : place + size], place + size
        fields.setdefault(key >> 3, []).append(value)
    return fields


SIZES = {1: 8, 5: 4}  # of values of a fixed length, by their wire types


def _varint(data: bytes, place: int) -> tuple[int, int]:
    number, shift = 0, 0
    while (byte := data[place]) & 0x80:
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
    return number | byte << shift, place + 1


def _number(message: Message, field: int) -> int:
    value = message[field][0]
    if not isinstance(value, int):
        raise TypeError("no number")
    return value


def _packed_numbers(value: int | bytes) -> Sequence[int]:
    if isinstance(value, int):
        return [value]
    numbers, place = [], 0
    while place < len(value):
        number, place = _varint(value, place)
        numbers.append(number)
    return numbers
