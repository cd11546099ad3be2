"""Opens an arrival as bytes for its format: a stream that is unpacked, or a file to seek in."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError, TruncatedFile
from include.landfall.job import Unpacking
from include.landfall.read.local_faults import local_fault
from include.landfall.read.packings import ZIP, unpacked
from include.landfall.s3.ranged import ObjectFile
from include.landfall.s3.stream import ObjectStream, OnRead

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

UNPACKED_FREELY = 64 << 20  # bytes up to which no ratio is too large


Opened = Callable[[], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True)
class File:
    """One file of an arrival, which can be opened again and again.

    `name` is that of a member of a zip file of several, and empty for any other file.
    """

    name: str
    open: Opened


@contextmanager
def open_members(
    client: S3Client, arrival: Arrival, unpacking: Unpacking
) -> Iterator[list[File] | None]:
    """Opens a zip file of which several members are the data. Yields None for any other arrival.

    Raises: TruncatedFile when the archive is corrupt, DataError when no member is the data, when
    one cannot be read, or when all together unpack to more than `unpacking` allows.
    """
    if unpacking.member is None or not _is_zip(client, arrival):
        yield None
        return
    # Imported here: few files are zip files.
    from include.landfall.read.zipped import open_archive, opened

    with (
        _truncation_errors(arrival),
        cast(BinaryIO, ObjectFile(client, arrival)) as file,
        open_archive(file, arrival.size, unpacking.member) as (archive, members),
    ):
        if len(members) == 1:
            yield None
            return
        # A member never unpacks to more than the archive's directory says.
        _check_ratio(arrival, unpacking.ratio, sum(each.file_size for each in members))
        yield [File(each.filename, partial(opened, archive, each)) for each in members]


def _is_zip(client: S3Client, arrival: Arrival) -> bool:
    with open_file(client, arrival) as file:
        return file.read(4).startswith(ZIP)


@contextmanager
def open_text(
    client: S3Client,
    arrival: Arrival,
    unpacking: Unpacking | None = None,
    on_read: OnRead | None = None,
) -> Iterator[BinaryIO]:
    """Opens the arrival as a stream, unpacked. The packing is told by the content, not the name.

    `on_read` gets the bytes as the object has them, where they are read from end to end.

    Raises: TruncatedFile when the archive ends early or is corrupt, DataError when it is packed in
    a way that is not read or unpacks to more than `unpacking` allows.
    """
    unpacking = unpacking or Unpacking()
    with ExitStack() as stack:
        stack.enter_context(_truncation_errors(arrival))
        raw: io.BufferedReader = io.BufferedReader(
            ObjectStream(client, arrival, on_read=on_read), buffer_size=1 << 18
        )
        stack.callback(raw.close)
        if raw.peek(4).startswith(ZIP):
            raw.close()
            stream: BinaryIO | None = stack.enter_context(_open_zip(client, arrival, unpacking))
        else:
            stream = unpacked(raw, unpacking.extra_memory)
        yield raw if stream is None else cast(BinaryIO, _Bounded(stream, arrival, unpacking.ratio))


@contextmanager
def open_file(client: S3Client, arrival: Arrival) -> Iterator[BinaryIO]:
    """Opens the arrival as a file that can be read at any offset.

    Raises: TruncatedFile when the file ends early or is corrupt.
    """
    with ObjectFile(client, arrival) as raw, _truncation_errors(arrival):
        yield cast(BinaryIO, raw)


@contextmanager
def _open_zip(client: S3Client, arrival: Arrival, unpacking: Unpacking) -> Iterator[BinaryIO]:
    # Imported here: few files are zip files.
    from include.landfall.read.zipped import open_member

    file = cast(BinaryIO, ObjectFile(client, arrival))
    with file, open_member(file, arrival.size, unpacking.member) as stream:
        yield stream


class _Bounded(io.RawIOBase):
    """What a packed file unpacks to, as far as it is in proportion to the file."""

    def __init__(self, stream: BinaryIO, arrival: Arrival, ratio: int) -> None:
        self._stream = stream
        self._arrival, self._ratio = arrival, ratio
        self._size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Reads as the stream does, and counts.

        Raises: DataError when the file has unpacked to more than its bytes times the ratio.
        """
        data = self._stream.read(size)
        self._size += len(data)
        _check_ratio(self._arrival, self._ratio, self._size)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _check_ratio(arrival: Arrival, ratio: int, size: int) -> None:
    """Checks to how many bytes the arrival unpacks.

    Raises: DataError.
    """
    most = max(UNPACKED_FREELY, ratio * arrival.size)
    if size > most:
        raise DataError(
            f"the file unpacks to more than {ratio} times its size",
            found=f"{arrival.size} bytes packed",
            expected=f"at most {most} bytes unpacked",
            do="look into the file; where it is right, write limits: {ratio: …} in the feed",
        )


@contextmanager
def _truncation_errors(arrival: Arrival) -> Iterator[None]:
    """Turns what the libraries raise on a broken archive into an error that names the object."""
    try:
        yield
    except (OSError, EOFError, MemoryError, zlib.error) as error:
        if fault := local_fault(error):
            raise fault from error
        raise TruncatedFile(
            "the file is cut off or corrupt",
            found=str(error),
            expected="a whole archive",
            do="ask the sender for the file again; its new version is a new arrival",
        ).at(object=arrival.uri) from error
