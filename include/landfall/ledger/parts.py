"""Parts of one export, each of which would take the place of the others.

Spark calls them part-00000-…, part-00001-… and UNLOAD 0000_part_00, 0001_part_00.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from include.landfall.arrival import Arrival
from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed

NUMBER = re.compile(r"part-\d{5}|\d{4}_part_\d{2}")


def checked_parts(feed: Feed, arrivals: Iterable[Arrival]) -> Iterator[Arrival]:
    """Yields the arrivals, by key, where none is a part of the same export as another one.

    It looks only where a file takes away the rows of other files: of several parts the last one
    would be all that is in the table.

    Raises: FeedError.
    """
    if feed.source.snapshot or not feed.target.replaces_other_files:
        yield from arrivals
        return
    folder, numbers = "", dict[str, str]()
    for each in arrivals:
        path, _, name = each.key.rpartition("/")
        if path != folder:
            folder, numbers = path, {}
        if part := NUMBER.search(name):
            export = name[: part.start()] + name[part.end() :]
            if numbers.setdefault(export, part[0]) != part[0]:
                raise _error(feed, each, numbers[export])
        yield each


def _error(feed: Feed, arrival: Arrival, other: str) -> FeedError:
    return FeedError(
        f"parts of one export would replace each other in {feed.target.table}: the last one would"
        " be all that stays",
        found=f"{other} and this part in one folder, and disposition: {feed.target.disposition}",
        expected="one file, or all parts of a folder together",
        do="write snapshot: dir under source:, which loads them together once the folder has"
        " _SUCCESS or a manifest; or disposition: append, where each part adds its rows",
    ).at(feed=feed.name, object=arrival.uri)


def loaded_otherwise(feed: Feed, arrival: Arrival, loaded: str) -> FeedError:
    """Returns the error of a folder that is loaded in the other way than the feed says now."""
    way = "part by part" if feed.source.snapshot else "as one arrival (snapshot: dir)"
    return FeedError(
        f"this folder is loaded {way} already: its rows would be there twice",
        found=f"{loaded} in the ledger",
        do="forget what is loaded first (landfall forget), or leave source.snapshot as it was",
    ).at(feed=feed.name, object=arrival.uri)
