"""Reads a bounded part of an object: its beginning, unpacked, and its end where that is cheap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError
from include.landfall.read.unpack import open_file, open_text

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SAMPLE_BYTES = 4 << 20  # of unpacked text: of one object at most 16 MB are read
TAIL_BYTES = 1 << 16
PACKED = {
    b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz",
    b"\x04\x22\x4d\x18": "lz4", b"\xff\x06\0\0sNaPpY": "snappy", b"PK\x03\x04": "zip",
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, unpacked. `tail` is the end of a larger file that is not packed."""

    name: str
    data: bytes
    is_whole: bool
    packing: str | None = None
    tail: bytes = b""


def read_sample(client: S3Client, arrival: Arrival, size: int = SAMPLE_BYTES) -> Sample:
    """Reads the beginning of an object, and its end.

    Raises: DataError when the object is empty, or packed in a way that is not read.
    """
    if arrival.size == 0:
        raise DataError("the object is empty", do="name one with rows").at(object=arrival.uri)
    with open_file(client, arrival) as file:
        head = file.read(16)
    packing = next((name for magic, name in PACKED.items() if head.startswith(magic)), None)
    with open_text(client, arrival) as stream:
        data = stream.read(size)
        is_whole = len(data) < size or not stream.read(1)
    tail = b"" if is_whole or packing else _tail(client, arrival)
    return Sample(arrival.key, data, is_whole, packing, tail)


def _tail(client: S3Client, arrival: Arrival) -> bytes:
    with open_file(client, arrival) as file:
        file.seek(max(0, arrival.size - TAIL_BYTES))
        return file.read(TAIL_BYTES)
