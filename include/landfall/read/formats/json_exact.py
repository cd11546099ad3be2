"""JSON, record by record: an object's values as the texts that Postgres reads.

A text is taken without its quotes and escapes, every other value exactly as the file writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json import JSONDecodeError, JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]  # has no annotation
from typing import Any

from include.landfall.errors import HeaderMismatch
from include.landfall.job import PlannedColumn
from include.landfall.read.formats.text_blocks import Block, Cells, Unreadable, text_of
from include.landfall.read.rows import Fault, wrong_width

JSON_TYPES = frozenset({"json", "jsonb"})
SPACE = re.compile(r"[ \t\r\n]*")
_INVALID, _TWICE, _BAD_FILE = "22032", "22030", "22P04"  # SQLSTATEs of like errors
NOT_AN_OBJECT = Fault("json", _INVALID, "the row is no JSON object")
NO_ROW_OF_ID = Fault(
    "json", _INVALID, "the value of the id is no JSON object, and format.values names no column"
)
NOT_AN_ARRAY = Fault("json", _INVALID, "the row is no JSON array, and columns are by position")
TOO_DEEP = Fault("json", _INVALID, "the row's JSON is nested too deep")


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


# Gives a value and where it ends. Numbers stay texts: Python refuses those of many digits.
_decoder: Any = JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)
_value_at = _decoder.scan_once


@dataclass
class Keys:
    """The keys of an object: those that are columns, and those under which more keys are."""

    places: dict[str, list[int]] = field(default_factory=dict)
    below: dict[str, Keys] = field(default_factory=dict)

    def add(self, path: Sequence[str], place: int) -> None:
        """Adds the column at this place of the feed, by its path."""
        if len(path) > 1:
            self.below.setdefault(path[0], Keys()).add(path[1:], place)
        else:
            self.places.setdefault(path[0], []).append(place)

    @classmethod
    def of(cls, names: Sequence[str], paths: Mapping[str, Sequence[str]]) -> Keys:
        """Makes the keys of columns. One without a path is the key of its name."""
        keys = cls()
        for place, name in enumerate(names):
            keys.add(paths.get(name, (name,)), place)
        return keys


class Parser:
    """Reads the cells of a record, in the order of the columns."""

    _begin = "{"

    def __init__(
        self,
        columns: Sequence[PlannedColumn],
        keys: Keys,
        refuses: bool,
        no_row: Fault = NOT_AN_OBJECT,
    ) -> None:
        self._columns, self._keys, self._refuses = columns, keys, refuses
        self._no_row = no_row

    def _row(self, text: str, start: int, cells: Cells) -> int:
        return self._object(text, start, self._keys, cells)

    def cells(self, raw: bytes) -> Cells:
        """Returns a record's cells.

        Raises: Unreadable when it is no JSON of its kind, has a key twice, or one that is refused.
        """
        text = text_of(raw)
        start = _space(text, 0)
        if text[start : start + 1] != self._begin:
            raise Unreadable(self._no_row)
        cells: Cells = [None] * len(self._columns)
        try:
            end = _space(text, self._row(text, start, cells))
            if end < len(text):
                raise JSONDecodeError("Extra data", text, end)
        except JSONDecodeError as error:
            raise Unreadable(_invalid(error.msg, error.pos)) from None
        except StopIteration as error:
            raise Unreadable(_invalid("Expecting value", error.value)) from None
        except ValueError as error:
            raise Unreadable(Fault("json", _INVALID, str(error))) from None
        except RecursionError:
            raise Unreadable(TOO_DEEP) from None
        return cells

    def _object(self, text: str, start: int, keys: Keys, cells: Cells) -> int:
        """Reads the object that begins at `start`. Returns where it ends."""
        at, seen = _space(text, start + 1), set[str]()
        if text[at : at + 1] == "}":
            return at + 1
        while True:
            _expect(text, at, '"', "Expecting property name enclosed in double quotes")
            key, at = scanstring(text, at + 1)
            self._check_key(key, keys, seen)
            at = _space(text, at)
            _expect(text, at, ":", "Expecting ':' delimiter")
            at = _space(text, self._value(text, _space(text, at + 1), key, keys, cells))
            if text[at : at + 1] == "}":
                return at + 1
            _expect(text, at, ",", "Expecting ',' delimiter")
            at = _space(text, at + 1)

    def _check_key(self, key: str, keys: Keys, seen: set[str]) -> None:
        if key not in keys.places and key not in keys.below:
            if self._refuses:
                message = f"the row has a key that the feed does not know: {key[:100]!r}"
                raise Unreadable(Fault("other_key", _BAD_FILE, message))
            return
        if key in seen:
            message = f"the row has the key {key!r} twice"
            raise Unreadable(Fault("duplicate_key", _TWICE, message), self._name(key, keys))
        seen.add(key)

    def _name(self, key: str, keys: Keys) -> str | None:
        places = keys.places.get(key)
        return self._columns[places[0]].name if places else None

    def _value(self, text: str, start: int, key: str, keys: Keys, cells: Cells) -> int:
        """Reads the value of a key into its columns. Returns where it ends."""
        below = keys.below.get(key)
        if below and text[start : start + 1] == "{":
            end = self._object(text, start, below, cells)
        else:
            _, end = _value_at(text, start)
            if below and text[start:end] != "null":
                message = f"the key {key!r} holds no object, and columns are paths through it"
                raise Unreadable(Fault("path", _BAD_FILE, message))
        for place in keys.places.get(key, ()):
            cells[place] = cell_of(text[start:end], self._columns[place])
        return end


class PositionParser(Parser):
    """Reads the cells of a record that is an array, from these places of it.

    `width` is how many values it must have.
    """

    _begin = "["

    def __init__(self, columns: Sequence[PlannedColumn], places: Sequence[int], width: int) -> None:
        super().__init__(columns, Keys(), refuses=True, no_row=NOT_AN_ARRAY)
        self._places, self._width = places, width

    def _row(self, text: str, start: int, cells: Cells) -> int:
        at, ends = _space(text, start + 1), list[tuple[int, int]]()
        is_more = text[at : at + 1] != "]"
        while is_more:
            ends.append((at, _value_at(text, at)[1]))
            at = _space(text, ends[-1][1])
            if is_more := text[at : at + 1] != "]":
                _expect(text, at, ",", "Expecting ',' delimiter")
                at = _space(text, at + 1)
        if len(ends) != self._width:
            raise Unreadable(wrong_width(len(ends), self._width))
        for cell, (column, place) in enumerate(zip(self._columns, self._places, strict=True)):
            begin, end = ends[place]
            cells[cell] = cell_of(text[begin:end], column)
        return at + 1


def header_in(block: Block) -> list[str]:
    """Returns the names of columns that the first record of a block has, which is an array.

    Raises: HeaderMismatch.
    """
    try:
        names = json.loads(block.raws[0])
    except (ValueError, RecursionError):
        names = None
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        return names
    raise HeaderMismatch(
        "the first row is no array of names, and the feed has header: true",
        found=block.raws[0][:100].decode(errors="backslashreplace"),
        expected='an array of texts, such as ["id", "name"]',
        do="leave out format.header, if the rows have no names; arrays then need columns: by"
        " position",
    ).at(line=block.lines[0])


def cell_of(value: str, column: PlannedColumn) -> str | None:
    """Returns a JSON value as the text of a cell, NULL as None."""
    if value == "null":
        return None
    if column.type.name in JSON_TYPES and not column.type.array:
        return value
    if value[0] == '"':
        text: str = scanstring(value, 1)[0]
        return text
    if value[0] == "[" and column.type.array:
        return _array(value, column)
    return value


def _array(value: str, column: PlannedColumn) -> str:
    """Returns a JSON array as Postgres writes one; arrays in it are its further dimensions."""
    element = PlannedColumn(column.name, column.type.element, column.typtype)
    at, elements = _space(value, 1), []
    while value[at] != "]":
        end = _value_at(value, at)[1]
        if value[at] == "[" and element.type.name not in JSON_TYPES:
            elements.append(_array(value[at:end], column))
        else:
            elements.append(_quoted(cell_of(value[at:end], element)))
        at = _space(value, end)
        at = _space(value, at + 1) if value[at] == "," else at
    return "{" + ",".join(elements) + "}"


def _quoted(text: str | None) -> str:
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _space(text: str, at: int) -> int:
    match = SPACE.match(text, at)
    assert match is not None  # it takes no space, too
    return match.end()


def _expect(text: str, at: int, letter: str, message: str) -> None:
    if text[at : at + 1] != letter:
        raise JSONDecodeError(message, text, at)


def _invalid(message: str, position: int) -> Fault:
    # Some of the decoder's own messages end with "at", for the place that follows.
    message = message[:1].lower() + message[1:].removesuffix(" at")
    return Fault("json", _INVALID, f"the row is no JSON: {message} at character {position + 1}")
