"""Reads a bounded part of an object: its beginning, unpacked, and its end where that is cheap."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, cast

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError, LandfallError
from include.landfall.job import Unpacking
from include.landfall.read.packings import ZIP, packing_in
from include.landfall.read.unpack import Opened, open_file, open_members, open_text
from include.landfall.s3.ranged import ObjectFile
from include.landfall.sniff.findings import Finding

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SAMPLE_BYTES = 4 << 20  # of unpacked text: of one object at most 16 MB are read
RANDOM_ACCESS_BYTES = 3 * SAMPLE_BYTES  # of a file that is read at any offset
TAIL_BYTES = 1 << 16
# How files of formats begin that are read at any offset. The last: a stream of Arrow.
MAGICS = {b"PAR1": "parquet", b"ORC": "orc", b"ARROW1": "arrow", b"\xff\xff\xff\xff": "arrow"}
WORKBOOK = "xl/workbook.xml"  # the member that makes a zip file one of Excel
DOCUMENTS = {"[Content_Types].xml", "META-INF/manifest.xml"}  # members of documents, as .ods, .docx


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, unpacked. `tail` is the end of a larger file that is not packed.

    Of a format that is read at any offset, which `format` names, `file` opens a bounded part.
    `member` is the pattern of the members of a zip file of several that are the data.
    """

    name: str
    data: bytes
    is_whole: bool
    packing: str | None = None
    tail: bytes = b""
    format: str | None = None
    file: Opened | None = None
    member: Finding | None = None

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Opens the sample as a file."""
        return self.file() if self.file else BytesIO(self.data)


def read_sample(
    client: S3Client,
    arrival: Arrival,
    size: int = SAMPLE_BYTES,
    unpacking: Unpacking | None = None,
) -> Sample:
    """Reads the beginning of an object, and its end.

    Raises: DataError when the object is empty, or packed in a way that is not read.
    """
    with placed(arrival):
        return _read_sample(client, arrival, size, unpacking or Unpacking())


@contextmanager
def placed(arrival: Arrival) -> Iterator[None]:
    """Adds the object to an error."""
    try:
        yield
    except LandfallError as error:
        error.at(object=arrival.uri)
        raise


def _read_sample(client: S3Client, arrival: Arrival, size: int, unpacking: Unpacking) -> Sample:
    if arrival.size == 0:
        raise DataError("the object is empty", do="name one with rows")
    with open_file(client, arrival) as file:
        head = file.read(16)
    if own := _own_format(client, arrival, head):
        most = RANDOM_ACCESS_BYTES * size // SAMPLE_BYTES
        opened = partial(_opened, client, arrival, most)
        return Sample(arrival.key, head, arrival.size <= size, format=own, file=opened)
    packing = packing_in(head)
    with _first_text(client, arrival, unpacking) as stream:
        data = stream.read(size)
        is_whole = len(data) < size or not stream.read(1)
    tail = b"" if is_whole or packing else _tail(client, arrival)
    return Sample(arrival.key, data, is_whole, packing, tail)


def _own_format(client: S3Client, arrival: Arrival, head: bytes) -> str | None:
    for magic, name in MAGICS.items():
        if head.startswith(magic):
            return name
    return "excel" if head.startswith(ZIP) and _is_workbook(client, arrival) else None


def is_workbook(client: S3Client, arrival: Arrival) -> bool:
    """Returns whether the object is a workbook of Excel, whatever its name is.

    Raises: DataError when it is another office document that is packed as a zip file.
    """
    with open_file(client, arrival) as file:
        is_zip = file.read(4).startswith(ZIP)
    return is_zip and _is_workbook(client, arrival)


def _is_workbook(client: S3Client, arrival: Arrival) -> bool:
    with _opened(client, arrival, RANDOM_ACCESS_BYTES) as file:
        try:
            names = zipfile.ZipFile(file).namelist()
        except zipfile.BadZipFile:
            return False  # the error of a load says more
    if WORKBOOK not in names and (DOCUMENTS & {*names} or names[:1] == ["mimetype"]):
        do = "save it as .xlsx or as CSV"
        raise DataError("the file is an office document", expected="rows in .xlsx or text", do=do)
    return WORKBOOK in names


@contextmanager
def _first_text(client: S3Client, arrival: Arrival, unpacking: Unpacking) -> Iterator[BinaryIO]:
    """Opens the text of the object, or of the first member where a zip file has several."""
    with open_members(client, arrival, unpacking) as members:
        opened = members[0].open if members else partial(open_text, client, arrival, unpacking)
        with opened() as stream:
            yield stream


def _tail(client: S3Client, arrival: Arrival) -> bytes:
    with open_file(client, arrival) as file:
        file.seek(max(0, arrival.size - TAIL_BYTES))
        return file.read(TAIL_BYTES)


def _opened(client: S3Client, arrival: Arrival, most: int) -> BinaryIO:
    return cast(BinaryIO, _BoundedFile(client, arrival, most))


class _BoundedFile(ObjectFile):
    """An object of which no more than a number of bytes is read."""

    def __init__(self, client: S3Client, arrival: Arrival, most: int) -> None:
        super().__init__(client, arrival)
        self._most = self._left = most

    def _get(self, start: int, stop: int) -> bytearray:
        self._left -= stop - start
        if self._left < 0:
            raise TooMuch(
                "more of the file must be read than a look at it may read",
                expected=f"at most {self._most >> 20} MiB",
                do="name a smaller file of the same kind",
            )
        return super()._get(start, stop)


class TooMuch(DataError):
    """A sample for which more would have to be read than it may."""
