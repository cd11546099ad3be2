"""The container of an Avro file: its header, and its blocks of rows, each within limits.

https://avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

from __future__ import annotations

import bz2
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import zstandard

from include.landfall.errors import DataError, TruncatedFile

MAGIC = b"Obj\x01"
SYNC_BYTES = 16
MOST_SCHEMA_BYTES = 512 << 10  # a schema of 1,600 columns with their descriptions has fewer
MOST_BLOCK_BYTES = 32 << 20  # of a block, packed and unpacked: it is held as a whole
LONGEST_NUMBER = 10  # bytes of a 64-bit number


class Container:
    """One Avro file, read from its beginning to its end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        if stream.read(len(MAGIC)) != MAGIC:
            raise corrupt("another beginning than Avro's")
        metadata = self._metadata()
        self.schema = _schema(metadata.get("avro.schema", b""))
        codec = metadata.get("avro.codec", b"null").decode(errors="backslashreplace")
        if codec not in CODECS:
            raise DataError(
                "the Avro file is packed in a way that is not read",
                found=codec,
                expected=", ".join(CODECS),
            )
        self._unpack = CODECS[codec]
        self._sync = self._exactly(SYNC_BYTES)

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yields each block: how many rows it has, and their bytes.

        Raises: TruncatedFile when the file is cut off or corrupt, DataError when a block is large.
        """
        while first := self._stream.read(1):
            count, size = self._number(first), self._size(self._number(), MOST_BLOCK_BYTES)
            packed = self._exactly(size)
            if self._exactly(SYNC_BYTES) != self._sync:
                raise corrupt("a block does not end with the file's mark")
            data = self._unpacked(packed)
            if not 0 <= count <= max(len(data), 1):
                raise corrupt(f"a block of {len(data)} bytes that says it has {count} rows")
            yield count, data

    def _unpacked(self, packed: bytes) -> bytes:
        try:
            data = self._unpack(packed)
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise corrupt(str(error)) from error
        except zstandard.ZstdError as error:
            raise corrupt(str(error)) from error
        self._size(len(data), MOST_BLOCK_BYTES)
        return data

    def _metadata(self) -> dict[str, bytes]:
        entries: dict[str, bytes] = {}
        while count := self._number():
            if count < 0:
                self._number()  # the size of this part, which need not be known
            for _ in range(abs(count)):
                key = self._text()
                entries[key.decode(errors="backslashreplace")] = self._text()
        return entries

    def _text(self) -> bytes:
        return self._exactly(self._size(self._number(), MOST_SCHEMA_BYTES))

    def _size(self, size: int, most: int) -> int:
        if size < 0:
            raise corrupt(f"a length of {size}")
        if size > most:
            what = "schema" if most == MOST_SCHEMA_BYTES else "block"
            raise DataError(
                f"the Avro file has a {what} that is larger than what a load can read",
                found=f"more than {most >> 10} KiB" if what == "block" else f"{size} bytes",
                expected=f"at most {most >> 10} KiB",
                do=f"ask the sender for a file with smaller {what}s",
            )
        return size

    def _number(self, first: bytes = b"") -> int:
        """Returns the next number: 7 bits a byte, the lowest first, the sign in the lowest."""
        value, byte = 0, first or self._exactly(1)
        for place in range(LONGEST_NUMBER):
            value |= (byte[0] & 0x7F) << (7 * place)
            if byte[0] < 0x80:
                return (value >> 1) ^ -(value & 1)
            byte = self._exactly(1)
        raise corrupt("a number of more than 64 bits")

    def _exactly(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            part = self._stream.read(left)
            if not part:
                raise corrupt("the file ends too early")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


def corrupt(found: str) -> TruncatedFile:
    """Returns the error of a file that is no whole Avro file."""
    return TruncatedFile(
        "the file is not whole Avro",
        found=found,
        expected="an Avro file",
        do="check the feed's format, or ask the sender for the file again",
    )


def _schema(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise corrupt(f"no schema: {error}") from error


def _deflate(packed: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(packed, MOST_BLOCK_BYTES + 1)


def _bounded(new: Callable[[], Any]) -> Callable[[bytes], bytes]:
    def unpack(packed: bytes) -> bytes:
        data: bytes = new().decompress(packed, MOST_BLOCK_BYTES + 1)
        return data

    return unpack


def _zstd(packed: bytes) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
        return reader.read(MOST_BLOCK_BYTES + 1)


def _snappy(packed: bytes) -> bytes:
    # Imported here: few files need it.
    import cramjam

    body, checksum = packed[:-4], packed[-4:]
    try:
        if cramjam.snappy.decompress_raw_len(body) > MOST_BLOCK_BYTES:
            return bytes(MOST_BLOCK_BYTES + 1)
        data = bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise OSError(str(error)) from error
    if zlib.crc32(data).to_bytes(4, "big") != checksum:
        raise OSError("a checksum does not match")
    return data


CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": bytes, "deflate": _deflate, "snappy": _snappy, "zstandard": _zstd,
    "bzip2": _bounded(bz2.BZ2Decompressor),
    "xz": _bounded(lambda: lzma.LZMADecompressor(memlimit=128 << 20)),
}  # fmt: skip
