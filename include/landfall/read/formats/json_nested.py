"""JSON, read fast, of which columns lie within objects of a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec

from include.landfall.job import Job
from include.landfall.read.formats.json_exact import Keys
from include.landfall.read.formats.json_fast import (
    NO_FIELD,
    PLAIN_KEY,
    FastColumn,
    FastParser,
    struct_field,
)


class NestedFastParser(FastParser):
    """Reads blocks of plain records. It takes no column twice, and none that holds others."""

    def __init__(self, job: Job, keys: Keys, refuses: bool) -> None:
        self._job = job
        self._columns = [FastColumn(place, column) for place, column in enumerate(job.columns)]
        self._decoders = []
        self._present: Counter[str] = Counter()  # in how many objects of a block a key is
        names = _names_in(keys)
        self._are_plain = all(map(PLAIN_KEY.fullmatch, names))
        if _is_tree(keys) and not any(map(NO_FIELD.search, names)):
            self._record = _Object.of(keys, self._columns, refuses)
            self._decoders = [msgspec.json.Decoder(self._record.struct).decode]

    def _values(self, records: Sequence[Any]) -> list[list[Any]]:
        self._present.clear()
        values: list[list[Any]] = [[] for _ in self._columns]
        self._record.fill(records, values, self._present)
        return values

    def _may_repeat(self, data: bytes, columns: list[list[Any]]) -> bool:
        pairs = [(f'"{key}"'.encode(), present) for key, present in self._present.items()]
        return self._is_more_often(data, pairs, columns)


@dataclass(frozen=True)
class _Object:
    """An object: how it is decoded, its keys that are columns, and its objects with columns."""

    struct: type[msgspec.Struct]
    columns: dict[str, tuple[int, FastColumn]]
    below: dict[str, tuple[str, _Object]]

    @classmethod
    def of(cls, keys: Keys, columns: Sequence[FastColumn], refuses: bool) -> _Object:
        """Makes the object of these keys, each of which a record may lack."""
        own = {key: (place, columns[place]) for key, (place,) in keys.places.items()}
        below = {
            key: (f"o{number}", cls.of(each, columns, refuses))
            for number, (key, each) in enumerate(keys.below.items())
        }
        fields = [struct_field(key, column, may_lack=True) for key, (_, column) in own.items()]
        fields += [
            (
                name,
                each.struct | None | msgspec.UnsetType,
                msgspec.field(name=key, default=msgspec.UNSET),
            )
            for key, (name, each) in below.items()
        ]
        struct = msgspec.defstruct("Object", fields, forbid_unknown_fields=refuses, gc=False)
        return cls(struct, own, below)

    def fill(self, objects: Sequence[Any], values: list[list[Any]], present: Counter[str]) -> None:
        """Sets the values of each column, and counts in how many objects each key is."""
        for key, (place, column) in self.columns.items():
            values[place] = column.values(objects)
            present[key] += column.present(values[place])
        for key, (name, each) in self.below.items():
            held = list(map(attrgetter(name), objects))
            present[key] += sum(value is not msgspec.UNSET for value in held)
            empty = each.struct()
            objects_below = [value if isinstance(value, each.struct) else empty for value in held]
            each.fill(objects_below, values, present)


def _names_in(keys: Keys) -> list[str]:
    return [
        *keys.places,
        *keys.below,
        *(n for each in keys.below.values() for n in _names_in(each)),
    ]


def _is_tree(keys: Keys) -> bool:
    """Returns whether each key is one column, or holds columns."""
    is_own = not keys.places.keys() & keys.below.keys()
    return (
        is_own
        and all(len(places) == 1 for places in keys.places.values())
        and all(map(_is_tree, keys.below.values()))
    )
