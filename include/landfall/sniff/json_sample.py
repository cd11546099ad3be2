"""The sample of a JSON file as whole records, whatever the file's form is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import islice
from typing import Any, cast

from include.landfall.errors import MisshapenRow, TruncatedFile
from include.landfall.feed.dialect import Dialect, JsonDialect
from include.landfall.read.formats.json_envelope import Way, enveloped_rows
from include.landfall.read.formats.json_lines import BOM, cutter_of
from include.landfall.read.formats.json_pieces import Ids, values
from include.landfall.sniff.json_rows import parsed
from include.landfall.sniff.sample import Sample


def as_declared(sample: Sample, dialect: Dialect) -> Sample:
    """Returns the sample with whole records, in the form that the dialect says.

    Raises: DataError when it has another form.
    """
    declared = cast(JsonDialect, dialect)
    if not (declared.rows or declared.ids or declared.concatenated or declared.has_arrays):
        return as_lines(sample)
    records = rows_at(sample, declared, _AsTheyAre() if declared.ids else None)
    if declared.concatenated and not declared.rows and not declared.ids:
        return replace(sample, data=b"\n".join(records))
    begin = b"".join(b"{%b:" % json.dumps(step).encode() for step in declared.rows)
    brackets = b"{%b}" if declared.ids else b"[%b]"
    end = b"}" * len(declared.rows)
    return replace(sample, data=begin + brackets % b",\n".join(records) + end)


class _AsTheyAre(Ids):
    """Keeps the members of an object."""

    def __init__(self) -> None:
        super().__init__("id", "")

    def record(self, member: bytes, line: int) -> bytes:
        return member


def first_of_many(sample: Sample) -> dict[str, Any] | list[Any] | None:
    """Returns the first of objects, or arrays, that follow one another, and are not one a line."""
    data = sample.data.removeprefix(BOM)
    two: list[tuple[int, bytes]] = []
    with suppress(TruncatedFile, MisshapenRow):
        two.extend(islice(values(BytesIO(), data), 2))
    if len(two) < 2:
        return None
    (line, raw), (next_line, next_raw) = two
    is_one_a_line = raw.startswith(b"{") and b"\n" not in raw and line != next_line
    first, second = parsed(raw), parsed(next_raw)
    if is_one_a_line or type(first) is not type(second):
        return None
    return first if isinstance(first, dict | list) else None


def as_lines(sample: Sample) -> Sample:
    """Returns the sample with a record a line: elements of an array, or whole lines."""
    data = sample.data.removeprefix(BOM)
    if data.lstrip().startswith(b"["):
        return lines_of(sample, rows_at(sample, JsonDialect()))
    end = len(data) if sample.is_whole else data.rfind(b"\n") + 1
    return replace(sample, data=data[:end])


def lines_of(sample: Sample, rows: Sequence[bytes]) -> Sample:
    """Returns the sample with each row on a line of its own."""
    # Line breaks are only between the parts of a value.
    one_line = (row.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n" for row in rows)
    return replace(sample, data=b"".join(one_line))


def rows_at(sample: Sample, dialect: JsonDialect, ids: Ids | None = None) -> list[bytes]:
    """Returns the whole records of a file that no lines cut. `ids` makes them, in place of its own.

    Raises: DataError when the file has another form, or is no JSON.
    """
    data = sample.data.removeprefix(BOM)
    cut = cutter_of(data, dialect, ids) or partial(enveloped_rows, way=Way(()))
    rows = list[bytes]()
    try:
        rows.extend(raw for _, raw in cut(BytesIO(), data, 1))
    except TruncatedFile:
        if sample.is_whole:
            raise
    return rows
