"""The contract: the file's columns against the feed's. Pure: it reads no file and no database."""

from __future__ import annotations

from include.landfall.errors import HeaderMismatch, Place


def check_header(names: list[str], expected: list[str]) -> None:
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
