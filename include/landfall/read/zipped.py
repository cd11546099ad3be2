"""Opens the members of a zip file that are the arrival's data."""

from __future__ import annotations

import fnmatch
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from include.landfall.errors import DataError

ENCRYPTED = 0x1  # the bit of a member's flags
SHOWN_NAMES = 10
NO_DATA = {".DS_Store", "Thumbs.db", "desktop.ini"}
MOST_DIRECTORY_BYTES = 16 << 20  # of the list of members, which is held in memory
END_SIGNATURE = b"PK\x05\x06"


@contextmanager
def open_member(file: BinaryIO, size: int, pattern: str | None) -> Iterator[BinaryIO]:
    """Opens the member whose name the pattern matches; without a pattern the only one.

    Raises: DataError when there is no such member, more than one, or when it is encrypted.
    """
    with open_archive(file, size, pattern) as (archive, members):
        if len(members) > 1:
            raise _not_one(pattern, members, members)
        with opened(archive, members[0]) as stream:
            yield stream


@contextmanager
def open_archive(
    file: BinaryIO, size: int, pattern: str | None
) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """Opens a zip file, with the members whose names the pattern matches, in the file's order.

    Raises: DataError when there is none, when one is encrypted, or when two have the same name.
    """
    _check_directory(file, size)
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive, _members(archive, pattern)
    except zipfile.BadZipFile as error:
        raise OSError(str(error)) from error


@contextmanager
def opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[BinaryIO]:
    """Opens one member as a stream.

    Raises: DataError when it is packed in a way that is not read.
    """
    try:
        stream = archive.open(member)
    except NotImplementedError as error:
        raise DataError(
            "the zip file's member is packed in a way that is not read",
            found=str(error),
            expected="a member that is stored, or packed with deflate, bzip2 or lzma",
            do="ask the sender for one of these",
        ) from error
    with stream:
        yield cast(BinaryIO, stream)


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
            do="ask the sender for a zip file of fewer members",
        )
    file.seek(0)


def _members(archive: zipfile.ZipFile, pattern: str | None) -> list[zipfile.ZipInfo]:
    files = [member for member in archive.infolist() if not _is_by_the_way(member.filename)]
    fits = [m for m in files if pattern is None or fnmatch.fnmatchcase(m.filename, pattern)]
    if not fits:
        raise _not_one(pattern, fits, files)
    for member in fits:
        if member.flag_bits & ENCRYPTED:
            raise DataError(
                "the zip file's member is encrypted",
                found=member.filename,
                expected="a member without a password",
                do="ask the sender for the file without a password",
            )
    twice = [name for name, count in Counter(m.filename for m in fits).items() if count > 1]
    if twice:
        raise DataError(
            "two members of the zip file have the same name",
            found=twice[0],
            expected="a name of its own for each member",
            do="ask the sender for the file again",
        )
    return fits


def _not_one(
    pattern: str | None, fits: list[zipfile.ZipInfo], files: list[zipfile.ZipInfo]
) -> DataError:
    expected = "one or more" if pattern and not fits else "exactly one"
    return DataError(
        f"the zip file has {len(fits)} members{f' that match {pattern!r}' if pattern else ''}",
        found=_names(fits or files),
        expected=expected,
        do="write in the feed which are the data, as in source: {member: '*.csv'}",
    )


def _names(members: list[zipfile.ZipInfo]) -> str:
    names = [member.filename for member in members]
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return (", ".join(names[:SHOWN_NAMES]) + more) or "none"


def _is_by_the_way(name: str) -> bool:
    """Returns whether a member is a folder, or what macOS or Windows puts beside the files."""
    base = name.rpartition("/")[2]
    return not base or name.startswith("__MACOSX/") or base.startswith("._") or base in NO_DATA
