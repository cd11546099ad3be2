"""Finds where the rows are in JSON that is one object, though only its beginning may be there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

DEEPEST = 3  # keys of a path
JUDGED = 100  # rows
TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
CLOSING = {b"[": b"]", b"{": b"}"}


@dataclass(frozen=True)
class RowsAt:
    """An array whose elements look like rows. `width` is that of rows which are arrays."""

    path: tuple[str, ...]
    count: int
    width: int | None = None


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
    """Returns the arrays that look like rows, the largest first."""
    places = sorted(_rows_below(whole, ()), key=lambda place: -place.count)
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


def _rows_below(value: dict[str, Any], path: tuple[str, ...]) -> Iterator[RowsAt]:
    for key, below in value.items():
        here = (*path, key)
        if not key:
            continue  # no path of a feed leads through it
        if isinstance(below, dict) and len(here) < DEEPEST:
            yield from _rows_below(below, here)
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
