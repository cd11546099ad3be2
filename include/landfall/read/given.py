"""The cells that a row has from its object, because the file does not have such a column."""

from __future__ import annotations

import re

from include.landfall.arrival import Arrival
from include.landfall.errors import HeaderMismatch
from include.landfall.job import PlannedColumn


def given_text(column: PlannedColumn, arrival: Arrival, member: str | None) -> str | None:
    """Returns the value of a column that is the same for all rows of a file.

    `member` is the file's name where it is one of a zip file.

    Raises: HeaderMismatch when the key does not have it.
    """
    if column.from_object == "last_modified":
        return arrival.last_modified.isoformat(sep=" ")
    if column.from_object == "member":
        return member
    if column.from_object:
        return str(getattr(arrival, column.from_object))
    match = re.search(column.from_key or "", arrival.key)
    if match is None:
        raise HeaderMismatch(
            "the object's key does not have the value of a column",
            found=arrival.key,
            expected=f"a key that {column.from_key} matches",
            do="correct from_key in the feed, or source.pattern",
        ).at(column=column.name)
    text: str | None = match.group(1)
    return text
