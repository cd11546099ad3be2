"""Finds where the rows are in JSON that is one object, though only its beginning may be there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from include.landfall.feed.dialect import JsonDialect

DEEPEST = 3  # keys of a path
JUDGED = 100  # rows
FEWEST_IDS, LEAST_SHARED = 3, 0.4  # objects, and the share of all their keys that each has
FEWEST_VALUES, FEWEST_BELOW = 20, 10  # values by their ids: on top, and under a key
MOST_COLUMNS = 300  # that a row is taken to have
MANY_MORE = 20  # rows in an array for each object that holds such arrays
TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
CLOSING = {b"[": b"]", b"{": b"}"}


@dataclass(frozen=True)
class RowsAt:
    """An array whose elements look like rows. `width` is that of rows which are arrays.

    With `ids`, the column for its keys, it is an object whose values are the rows; `values` is the
    column for values that are no objects.
    """

    path: tuple[str, ...]
    count: int
    width: int | None = None
    ids: str = ""
    values: str = ""

    @property
    def dialect(self) -> JsonDialect:
        """How the rows are read by their keys."""
        return JsonDialect(rows=self.path, ids=self.ids, values=self.values)


def parsed(data: bytes) -> Any:
    """Returns the value that the text is, or None where it is no JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def beginning_of(data: bytes) -> Any:
    """Returns the value of which this is the beginning, as far as its brackets are closed."""
    opened: list[bytes] = []
    end = still_open = 0
    for match in TOKEN.finditer(data):
        token = match[0]
        if token in CLOSING:
            opened.append(CLOSING[token])
        elif token in (b"]", b"}"):
            if not opened or opened.pop() != token:
                return None
            end, still_open = match.end(), len(opened)
    closing = b"".join(reversed(opened[:still_open]))
    return parsed(data[:end].decode("utf-8", "replace").encode() + closing)


def rows_in(whole: dict[str, Any]) -> list[RowsAt]:
    """Returns what looks like rows: arrays, objects by ids, values by ids; the largest first."""
    places = sorted(_rows_at(whole, ()), key=_rank)
    tables = [place for place in places if place.width is not None]
    if not tables:
        return places
    described = _descriptions(whole, ()).items()
    of_columns = {path for path, names in described if len(names) == tables[0].width}
    return [place for place in places if place.path not in of_columns]


def names_for(whole: dict[str, Any], width: int) -> tuple[tuple[str, ...], list[str]] | None:
    """Returns names of so many columns and the path to them, where an array has them."""
    named = _descriptions(whole, ()).items()
    return next(((path, names) for path, names in named if len(names) == width), None)


def _rank(place: RowsAt) -> tuple[int, int]:
    return bool(place.ids) + bool(place.values), -place.count


def _rows_at(value: dict[str, Any], path: tuple[str, ...]) -> Iterator[RowsAt]:
    """Yields the rows that an object has by their ids, or else those below it."""
    below = list(_rows_below(value, path))
    if _are_rows([*value.values()][:JUDGED]):
        own = RowsAt(path, len(value), ids=_free_key(value.values()))
        larger = [each for each in below if each.count >= MANY_MORE * own.count]
        yield from larger or [own]
    elif len(path) < 2 and not below and _are_values([*value.values()], path):
        yield RowsAt(path, len(value), ids="id", values="value")
    else:
        yield from below


def _are_rows(values: Sequence[Any]) -> bool:
    """Returns whether these are objects of which each has enough of all their keys."""
    if len(values) < FEWEST_IDS or not all(isinstance(each, dict) for each in values):
        return False
    keys = {key for each in values for key in each}
    return sum(map(len, values)) >= LEAST_SHARED * len(keys) * len(values) > 0


def _are_values(values: Sequence[Any], path: tuple[str, ...]) -> bool:
    """Returns whether these are many texts, or numbers, or more than the columns of a row."""
    if len(values) < (FEWEST_BELOW if path else FEWEST_VALUES):
        return False
    are_texts = all(isinstance(each, str) for each in values)
    are_numbers = all(type(each) in (int, float) for each in values)
    return are_texts or are_numbers or len(values) > MOST_COLUMNS


def _free_key(rows: Iterable[Any]) -> str:
    """Returns a name for the ids that no row has as a key."""
    taken = {key for row in rows if isinstance(row, dict) for key in row}
    numbered = (f"key_{number}" for number in count(2))
    return next(name for name in chain(("id", "key"), numbered) if name not in taken)


def _rows_below(value: dict[str, Any], path: tuple[str, ...]) -> Iterator[RowsAt]:
    for key, below in value.items():
        here = (*path, key)
        if not key:
            continue  # no path of a feed leads through it
        if isinstance(below, dict) and len(here) < DEEPEST:
            yield from _rows_at(below, here)
        elif isinstance(below, list) and below:
            first = below[:JUDGED]
            if all(isinstance(each, dict) for each in first):
                yield RowsAt(here, len(below))
            elif width := _width(first):
                yield RowsAt(here, len(below), width)


def _width(rows: Sequence[Any]) -> int | None:
    """Returns the width of a table of arrays, or None where it is none."""
    if not all(isinstance(row, list) for row in rows):
        return None
    widths = {len(row) for row in rows[:-1] or rows}
    are_nested = all(isinstance(cell, list) for row in rows for cell in row)
    return widths.pop() if len(widths) == 1 and not are_nested else None


def _descriptions(value: dict[str, Any], path: tuple[str, ...]) -> dict[tuple[str, ...], list[str]]:
    """Returns the arrays of names: of texts, or of objects that have a name."""
    described: dict[tuple[str, ...], list[str]] = {}
    for key, below in value.items():
        if isinstance(below, dict) and len(path) + 1 < DEEPEST:
            described |= _descriptions(below, (*path, key))
        elif isinstance(below, list):
            names = [name for each in below if isinstance(name := _name_in(each), str)]
            if names and len(names) == len(below):
                described[(*path, key)] = names
    return described


def _name_in(value: Any) -> Any:
    """Returns the name of a described column: of Socrata's that for machines."""
    return value.get("fieldName") or value.get("name") if isinstance(value, dict) else value
