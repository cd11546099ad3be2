"""The contract: the file's columns against the feed's. Pure: it reads no file and no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from include.landfall.errors import HeaderMismatch, Place


@dataclass(frozen=True)
class Match:
    """Where the feed's columns are in the file.

    `places` has for each of the feed's columns its place among those of the file, from 0.
    """

    places: tuple[int, ...]


def renamed(names: Sequence[str], given: Sequence[str]) -> list[str]:
    """Returns the given names in place of the file's own, or these where none are given.

    Raises: HeaderMismatch when the file has more or fewer columns.
    """
    if given and len(names) != len(given):
        raise HeaderMismatch(
            "the file's columns have changed while it was loaded",
            found=f"{len(names)} columns",
            expected=f"{len(given)} columns",
            do="load the file again",
        )
    return list(given or names)


def match_columns(names: Sequence[str], expected: Sequence[str]) -> Match:
    """Returns where the feed's columns, the expected ones, are among those of the file.

    Raises: HeaderMismatch, as `check_header`.
    """
    check_header(names, expected)
    return Match(tuple(map(names.index, expected)))


def check_header(names: Sequence[str], expected: Sequence[str]) -> None:
    """Checks that the file has each of the feed's columns once, and no other, in any order.

    Raises: HeaderMismatch with every column that stands twice, is missing or is not in the feed.
    """
    departures = {
        "twice": sorted({name for name in names if names.count(name) > 1}),
        "missing": [name for name in expected if name not in names],
        "not in the feed": [name for name in names if name not in expected],
    }
    if not any(departures.values()):
        return
    raise HeaderMismatch(
        "the file's columns are not the feed's",
        found="; ".join(
            f"{what}: {', '.join(map(repr, columns))}"
            for what, columns in departures.items()
            if columns
        ),
        expected=", ".join(expected),
        do="name the columns under columns: as the file has them, or ask the sender",
        place=Place(line=1),
    )
