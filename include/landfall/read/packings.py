"""The packings of a whole file, told by its first bytes, and how each is unpacked as a stream."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import pyarrow as pa
from isal import igzip

from include.landfall.errors import DataError
from include.landfall.feed.maxima import MEMORY

Unpack = Callable[[io.BufferedReader, int], BinaryIO]  # from a packed stream, and the extra memory
TAR = b"ustar"  # at byte 257: https://www.gnu.org/software/tar/manual/html_node/Standard.html
CHUNK = 1 << 18  # packed bytes that are read at a time
WINDOW_BYTES = 66 << 20  # of what was unpacked, held to unpack more: `xz -9` needs 65 MiB
STEP = 10_000_000  # bytes of memory: an error names the next whole step that is enough
ZSTD = b"\x28\xb5\x2f\xfd"
ZLIB_BYTES = 1 << 16  # of a file that may be zlib's, packed and unpacked
LONGEST_TEXT = 1 << 10  # bytes of text in which zlib finds an error
SNAPPY_BEGIN = b"\xff\x06\0\0sNaPpY"
# Types of chunks: https://github.com/google/snappy/blob/main/framing_format.txt
SNAPPY_DATA = (0x00, 0x01)
SNAPPY_SKIPPED = 0x80  # from this type on a chunk may be passed over


def unpacked(raw: io.BufferedReader, extra_memory: int = 0) -> BinaryIO | None:
    """Returns the stream unpacked, or None where it is not packed.

    `extra_memory` is what the load may take beyond MEMORY.

    Raises: DataError when it is packed in a way that is not read, or needs more memory.
    """
    head = raw.peek(18)
    for magic, unpack in PACKINGS.items():
        if head.startswith(magic):
            return unpack(raw, extra_memory)
    packing = next((name for magic, name in NOT_READ.items() if head.startswith(magic)), None)
    if packing or _is_zlib(raw, head):
        raise DataError(
            f"the file is packed with {packing or 'zlib, without the frame of gzip'}",
            expected="plain text, gzip, zstd, bzip2, xz, lz4, snappy (framed) or zip",
            do="ask the sender for one of these",
        )
    return None


def _is_zlib(raw: io.BufferedReader, head: bytes) -> bool:
    """Returns whether the file is a stream of zlib: RFC 1950, without a magic number.

    Text may begin with the same two bytes. So the beginning is unpacked: to its end, where the
    checksum must be right, or so far that no text would be taken for packed bytes.
    """
    if head[:1] != b"x" or int.from_bytes(head[:2], "big") % 31:
        return False
    packed, unpacker = raw.peek(ZLIB_BYTES)[:ZLIB_BYTES], zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, ZLIB_BYTES)
    except zlib.error:
        return False
    return unpacker.eof or max(len(packed), len(data)) > LONGEST_TEXT


def packing_in(head: bytes) -> str | None:
    """Returns the name of the packing of a file that begins so, where it is packed."""
    return next((name for magic, name in NAMES.items() if head.startswith(magic)), None)


def other_file_in(head: bytes) -> str | None:
    """Returns what the unpacked bytes are, where they are no text but another kind of file."""
    if head[257:262] == TAR:
        return "a tar archive"
    for magic, kind in OTHER_FILES.items():
        if head.startswith(magic):
            return kind
    return "packed twice" if head.startswith((*PACKINGS, *NOT_READ, *ZIP)) else None


def _gzip(raw: io.BufferedReader, _: int) -> BinaryIO:
    # Measured on 766 MB: 0.8 s of CPU, where zlib, and so Arrow's own stream, takes 2.7.
    return cast(BinaryIO, igzip.IGzipFile(fileobj=raw, mode="rb"))  # type: ignore[no-untyped-call]


def _arrow(codec: str) -> Unpack:
    def unpack(raw: io.BufferedReader, _: int) -> BinaryIO:
        return cast(BinaryIO, pa.CompressedInputStream(pa.PythonFile(raw, "r"), codec))

    return unpack


def _zstd(raw: io.BufferedReader, extra_memory: int) -> BinaryIO:
    window = zstd_window(raw.peek(18))
    if window > WINDOW_BYTES + extra_memory:
        raise _needs_memory("zstd --long=26, or a level below 22", extra_memory, window)
    return _arrow("zstd")(raw, extra_memory)


def zstd_window(head: bytes) -> int:
    """Returns how many bytes of what was unpacked a zstd frame needs, by its first bytes.

    See https://datatracker.ietf.org/doc/html/rfc8878#section-3.1.1.1
    """
    if not head.startswith(ZSTD) or len(head) < 6:
        return 0
    descriptor = head[4]
    if not descriptor & 0x20:
        base = 1 << (10 + (head[5] >> 3))
        return base + base // 8 * (head[5] & 7)
    begin = 5 + (0, 1, 2, 4)[descriptor & 3]  # behind the number of the dictionary
    return int.from_bytes(head[begin : begin + (1 << (descriptor >> 6))], "little")


def _needs_memory(packing: str, extra_memory: int, needed: int | None = None) -> DataError:
    most = WINDOW_BYTES + extra_memory
    memory = MEMORY + extra_memory + (needed or 2 * most) - most
    return DataError(
        "the archive needs more memory to be unpacked than a load may take",
        found=f"a window of {needed >> 20} MiB" if needed else None,
        expected=f"at most {most >> 20} MiB, in {(MEMORY + extra_memory) / 1e6:.0f} MB of memory",
        do=f"write limits: {{memory: {-(-memory // STEP) * 10} MB}} in the feed, or ask the sender"
        f" for a smaller window ({packing})",
    )


def _bzip2(raw: io.BufferedReader, _: int) -> BinaryIO:
    return io.BufferedReader(_Unpacked(raw, bz2.BZ2Decompressor), CHUNK)


def _xz(raw: io.BufferedReader, extra_memory: int) -> BinaryIO:
    def new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=WINDOW_BYTES + extra_memory)

    return io.BufferedReader(_Unpacked(raw, new, b"\0", extra_memory), CHUNK)


def _snappy(raw: io.BufferedReader, _: int) -> BinaryIO:
    return io.BufferedReader(_Snappy(raw), CHUNK)


class _Unpacked(io.RawIOBase):
    """A stream through one of Python's decompressors, from one archive to the next in the file."""

    def __init__(
        self, raw: BinaryIO, new: Callable[[], Any], padding: bytes = b"", extra_memory: int = 0
    ) -> None:
        self._raw, self._new, self._padding = raw, new, padding
        self._extra_memory = extra_memory
        self._unpacker = new()
        self._packed = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data:
            if self._unpacker.eof and not self._begin_next():
                return 0
            if self._unpacker.needs_input and not self._packed:
                self._packed = self._raw.read(CHUNK)
                if not self._packed:
                    raise EOFError("the archive ends too early")
            data = self._unpack(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _unpack(self, size: int) -> bytes:
        packed, self._packed = self._packed, b""
        try:
            return cast(bytes, self._unpacker.decompress(packed, size))
        except lzma.LZMAError as error:
            if "Memory usage limit" in str(error):
                raise _needs_memory("xz -9 or less", self._extra_memory) from error
            raise OSError(str(error)) from error

    def _begin_next(self) -> bool:
        """Begins the next archive of the file. Returns False at the file's end."""
        rest = self._unpacker.unused_data or self._raw.read(CHUNK)
        while self._padding and rest and not (rest := rest.lstrip(self._padding)):
            rest = self._raw.read(CHUNK)
        if rest:
            self._unpacker, self._packed = self._new(), rest
        return bool(rest)


class _Snappy(io.RawIOBase):
    """A stream of snappy's framing format. Each chunk has a checksum, which is compared."""

    def __init__(self, raw: BinaryIO) -> None:
        # Imported here: few files need it.
        import cramjam

        self._snappy = cramjam.snappy
        self._errors = cramjam.DecompressionError
        self._raw = raw
        self._data = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._data:
            head = self._raw.read(4)
            if not head:
                return 0
            self._data = self._chunk(head, int.from_bytes(head[1:], "little"))
        data, self._data = self._data[: len(buffer)], self._data[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

    def _chunk(self, head: bytes, size: int) -> bytes:
        """Returns the data of the next chunk, or nothing where it holds none."""
        body = self._raw.read(size)
        if len(head) < 4 or len(body) < size:
            raise EOFError("the archive ends too early")
        if head[0] in SNAPPY_DATA:
            try:
                return bytes(self._snappy.decompress(SNAPPY_BEGIN + head + body))
            except self._errors as error:
                raise OSError(str(error)) from error
        if head[0] < SNAPPY_SKIPPED:
            raise OSError(f"a chunk of snappy's reserved type {head[0]:#04x}")
        return b""


# A zstd or lz4 file may begin with a frame to skip, of 16 kinds. Such files are mostly zstd.
PACKINGS: dict[bytes, Unpack] = {
    b"\x1f\x8b": _gzip,
    ZSTD: _zstd,
    **{bytes([0x50 + kind]) + b"\x2a\x4d\x18": _zstd for kind in range(16)},
    b"BZh": _bzip2,
    b"\xfd7zXZ\0": _xz,
    b"\x04\x22\x4d\x18": _arrow("lz4"),
    SNAPPY_BEGIN: _snappy,
}
NOT_READ = {b"7z\xbc\xaf": "7-Zip", b"Rar!": "RAR", b"\x02\x21\x4c\x18": "lz4's legacy form",
            b"\x1f\x9d": "compress (.Z)", b"\x5d\0\0": "lzma's old form"}  # fmt: skip
NAMES = {
    b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz",
    b"\x04\x22\x4d\x18": "lz4", b"\xff\x06\0\0sNaPpY": "snappy", b"PK\x03\x04": "zip",
}  # fmt: skip
OTHER_FILES = {b"PAR1": "Parquet", b"ORC\x08": "ORC", b"Obj\x01": "Avro", b"ARROW1": "Arrow",
               b"%PDF-": "PDF"}  # fmt: skip
ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second: a zip without a member
