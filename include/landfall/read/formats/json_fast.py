"""JSON, read fast: the records of a block are parsed by msgspec, if all of them are plain.

msgspec takes exactly the JSON that RFC 8259 allows, and gives a value's bytes as the file has them.
What it would take in another way than the exact parser is looked for first: a key that stands
twice, and bytes that are no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.casts.guards import bytes_of
from include.landfall.read.formats.json_exact import JSON_TYPES, Keys, cell_of

Raw = msgspec.Raw
PLAIN_KEY = re.compile(r'[^"\\/\x00-\x1f\x7f-\U0010ffff]+')
NO_FIELD = re.compile(r'[\\"\x00-\x1f]')  # in keys that msgspec takes for no field
ESCAPED_ASCII = re.compile(rb"\\u00[0-7]")
# Types of which every value is a text in JSON, as far as a file is plain.
TEXT_TYPES = frozenset(
    "text varchar char date time timetz timestamp timestamptz uuid interval bytea inet".split()
)


class FastParser:
    """Reads blocks of plain records. It takes no paths, and no column twice."""

    def __init__(self, job: Job, keys: Keys, refuses: bool) -> None:
        self._job = job
        self._columns = [FastColumn(place, column) for place, column in enumerate(job.columns)]
        is_flat = not keys.below and all(len(places) == 1 for places in keys.places.values())
        is_taken = is_flat and not any(map(NO_FIELD.search, keys.places))
        # The first is for records that have all keys, as most files do.
        self._decoders = [
            _decoder(self._columns, keys, refuses, may_lack)
            for may_lack in (False, True)
            if is_taken
        ]
        places = [(key, places[0]) for key, places in keys.places.items()]
        self._quoted = [f'"{key}"'.encode() for key, _ in sorted(places, key=lambda pair: pair[1])]
        self._are_plain = all(PLAIN_KEY.fullmatch(key) for key in keys.places)

    def batch(self, raws: Sequence[bytes]) -> pa.RecordBatch | None:
        """Returns the records as a batch of texts, or None when one of them is not plain."""
        data = b"\n".join(raws)
        if not self._decoders or not self._is_plain(data) or max(map(len, raws)) > LONGEST_ROW:
            return None
        try:
            records = self._decoded(raws)
            columns = self._values(records)
            if not self._are_single(data, len(raws)) and self._may_repeat(data, columns):
                return None
            arrays = [
                column.texts(values) for column, values in zip(self._columns, columns, strict=True)
            ]
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        return pa.record_batch(arrays, names=self._job.names)

    def _values(self, records: Sequence[Any]) -> list[list[Any]]:
        return [column.values(records) for column in self._columns]

    def _decoded(self, raws: Sequence[bytes]) -> list[Any]:
        if len(self._decoders) > 1:
            try:
                return list(map(self._decoders[0], raws))
            except msgspec.ValidationError:
                del self._decoders[0]  # a record lacks a key, and others may lack it too
        return list(map(self._decoders[0], raws))

    def _are_single(self, data: bytes, count: int) -> bool:
        """Returns whether each key is there once, by the number of colons, where no text has one.

        All keys are there, and each time a key is written it takes a colon.
        """
        return len(self._decoders) > 1 and data.count(b":") == count * len(self._columns)

    def _is_plain(self, data: bytes) -> bool:
        """Returns whether the bytes are text that the database can hold, with keys as written."""
        if b"\\" in data and (not self._are_plain or ESCAPED_ASCII.search(data)):
            return False
        return holds_text(data, self._job.encoding)

    def _may_repeat(self, data: bytes, columns: list[list[Any]]) -> bool:
        """Returns whether a key may stand twice: its text is there more often than it is a key."""
        present = [
            column.present(cells) for column, cells in zip(self._columns, columns, strict=True)
        ]
        return self._is_more_often(data, zip(self._quoted, present, strict=True), columns)

    def _is_more_often(
        self, data: bytes, keys: Iterable[tuple[bytes, int]], columns: list[list[Any]]
    ) -> bool:
        """Returns whether a key's text is there more often than as a key, and within values.

        `keys` are their texts, each with the number of the objects that have the key.
        """
        values: list[bytes] | None = None
        for quoted, present in keys:
            if left := data.count(quoted) - present:
                values = values or [
                    c.joined(v) for c, v in zip(self._columns, columns, strict=True)
                ]
                if left != sum(value.count(quoted) for value in values):
                    return True
        return False


class FastPositionParser(FastParser):
    """Reads blocks of plain records that are arrays of `width` values, by these places."""

    def __init__(self, job: Job, places: Sequence[int], width: int) -> None:
        self._job = job
        self._columns = [FastColumn(place, column) for place, column in enumerate(job.columns)]
        fields: list[tuple[str, Any]] = [(f"unread{place}", Raw) for place in range(width)]
        for place, column in zip(places, self._columns, strict=True):
            fields[place] = (column.field, str | None if column.is_text else Raw)
        record = msgspec.defstruct(
            "Record", fields, array_like=True, forbid_unknown_fields=True, gc=False
        )
        self._decoders = [msgspec.json.Decoder(record).decode]
        self._are_plain = True

    def _may_repeat(self, data: bytes, columns: list[list[Any]]) -> bool:
        return False  # an array has no keys


class FastColumn:
    """How the values of one column are read."""

    def __init__(self, place: int, column: PlannedColumn) -> None:
        self._column = column
        self.field = f"c{place}"
        self._field = attrgetter(self.field)
        self._is_json = column.type.name in JSON_TYPES and not column.type.array
        self.is_text = column.type.name in TEXT_TYPES and not column.type.array
        self.is_text |= column.typtype == "e" and not column.type.array

    def values(self, records: Sequence[Any]) -> list[Any]:
        """Returns the values as texts or, where they need not be texts, as the file's bytes."""
        values = map(self._field, records)
        return list(values if self.is_text else map(bytes, values))

    def present(self, values: list[Any]) -> int:
        """Returns in how many records the key is."""
        return len(values) - values.count(msgspec.UNSET if self.is_text else b"")

    def joined(self, values: list[Any]) -> bytes:
        """Returns the values as they stand in the file, as far as they can hold a key's text."""
        if not self.is_text:
            return b"\n".join(values)
        texts = [value.replace('"', '\\"') for value in values if value]
        return "\n".join(f'"{text}"' for text in texts).encode()

    def texts(self, values: list[Any]) -> pa.Array:
        """Returns the values as the texts of cells."""
        if self.is_text:
            if msgspec.UNSET in values:
                values = [None if value is msgspec.UNSET else value for value in values]
            return pa.array(values, pa.string())
        raw = pa.array(values, pa.binary()).cast(pa.string())
        data = bytes_of(raw)
        if not self._is_json and (b'"' in data or b"[" in data):
            texts = [cell_of(value or "null", self._column) for value in raw.to_pylist()]
            return pa.array(texts, pa.string())
        if b"null" not in data and b"" not in values:
            return raw
        is_null = pc.or_(pc.equal(raw, "null"), pc.equal(raw, ""))
        return pc.if_else(is_null, pa.scalar(None, pa.string()), raw)


def holds_text(data: bytes, encoding: str | None) -> bool:
    """Returns whether the bytes are text that the database can hold, as far as it is not escaped.

    `encoding` is the Python codec of a database that is not UTF-8. It takes no escaped letters.
    """
    if b"\0" in data:
        return False
    if data.isascii():
        return encoding is None or b"\\u" not in data
    try:
        data.decode().encode(encoding or "utf-8")
    except UnicodeError:
        return False
    return encoding is None or b"\\u" not in data


def _decoder(columns: Sequence[FastColumn], keys: Keys, refuses: bool, may_lack: bool) -> Any:
    fields = list(_struct_fields(columns, keys, may_lack))
    record = msgspec.defstruct("Record", fields, forbid_unknown_fields=refuses, gc=False)
    return msgspec.json.Decoder(record).decode


def _struct_fields(
    columns: Sequence[FastColumn], keys: Keys, may_lack: bool
) -> Iterator[tuple[str, Any, Any]]:
    for key, (place,) in keys.places.items():
        yield struct_field(key, columns[place], may_lack)


def struct_field(key: str, column: FastColumn, may_lack: bool) -> tuple[str, Any, Any]:
    """Returns the field of a column, which may be missing or not."""
    default = (msgspec.UNSET if column.is_text else Raw(b"")) if may_lack else msgspec.NODEFAULT
    own = str | None | msgspec.UnsetType if column.is_text else Raw
    return column.field, own, msgspec.field(name=key, default=default)
