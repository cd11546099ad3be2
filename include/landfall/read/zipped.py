"""Opens the one member of a zip file that is the arrival's data."""

from __future__ import annotations

import fnmatch
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from include.landfall.errors import DataError

ENCRYPTED = 0x1  # the bit of a member's flags
SHOWN_NAMES = 10
MOST_DIRECTORY_BYTES = 16 << 20  # of the list of members, which is held in memory
END_SIGNATURE = b"PK\x05\x06"


@contextmanager
def open_member(file: BinaryIO, size: int, pattern: str | None) -> Iterator[BinaryIO]:
    """Opens the member whose name the pattern matches; without a pattern the only one.

    Raises: DataError when there is no such member, more than one, or when it is encrypted.
    """
    _check_directory(file, size)
    try:
        with zipfile.ZipFile(file) as archive, _opened(archive, pattern) as stream:
            yield cast(BinaryIO, stream)
    except zipfile.BadZipFile as error:
        raise OSError(str(error)) from error


def _opened(archive: zipfile.ZipFile, pattern: str | None) -> IO[bytes]:
    member = _member(archive, pattern)
    try:
        return archive.open(member)
    except NotImplementedError as error:
        raise DataError(
            "the zip file's member is packed in a way that is not read",
            found=str(error),
            expected="a member that is stored, or packed with deflate, bzip2 or lzma",
            do="ask the sender for one of these",
        ) from error


def _check_directory(file: BinaryIO, size: int) -> None:
    """Refuses a list of members that would take the memory of a load."""
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read(size)
    end = tail[tail.rfind(END_SIGNATURE) :]
    directory = int.from_bytes(end[12:16], "little")
    if len(end) >= 22 and directory != 0xFFFFFFFF and directory > MOST_DIRECTORY_BYTES:
        raise DataError(
            "the zip file has too many members",
            found=f"a list of members of {directory} bytes",
            expected=f"at most {MOST_DIRECTORY_BYTES >> 20} MiB",
            do="ask the sender for a zip file of one member",
        )
    file.seek(0)


def _member(archive: zipfile.ZipFile, pattern: str | None) -> zipfile.ZipInfo:
    files = [member for member in archive.infolist() if not _is_by_the_way(member.filename)]
    fits = [m for m in files if pattern is None or fnmatch.fnmatchcase(m.filename, pattern)]
    if len(fits) != 1:
        raise DataError(
            f"the zip file has {len(fits)} members{f' that match {pattern!r}' if pattern else ''}",
            found=_names(fits or files),
            expected="exactly one",
            do="write in the feed which it is, as in source: {member: '*.csv'}",
        )
    if fits[0].flag_bits & ENCRYPTED:
        raise DataError(
            "the zip file's member is encrypted",
            found=fits[0].filename,
            expected="a member without a password",
            do="ask the sender for the file without a password",
        )
    return fits[0]


def _names(members: list[zipfile.ZipInfo]) -> str:
    names = [member.filename for member in members]
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return (", ".join(names[:SHOWN_NAMES]) + more) or "none"


def _is_by_the_way(name: str) -> bool:
    """Returns whether a member is a folder, or what macOS puts beside each file."""
    return name.endswith(("/", ".DS_Store")) or name.startswith("__MACOSX/")
