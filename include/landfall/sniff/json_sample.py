"""The sample of a JSON file as whole records, whatever the file's form is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import cast

from include.landfall.errors import TruncatedFile
from include.landfall.feed.dialect import Dialect, JsonDialect
from include.landfall.read.formats.json_elements import elements
from include.landfall.read.formats.json_envelope import envelope_elements
from include.landfall.read.formats.json_lines import BOM
from include.landfall.sniff.sample import Sample


def as_declared(sample: Sample, dialect: Dialect) -> Sample:
    """Returns the sample with whole records, in the form that the dialect says.

    Raises: DataError when it has another form.
    """
    declared = cast(JsonDialect, dialect)
    if not declared.rows and not declared.by_position:
        return as_lines(sample)
    return enveloped(sample, rows_at(sample, declared.rows), declared.rows)


def enveloped(sample: Sample, rows: Sequence[bytes], path: Sequence[str]) -> Sample:
    """Returns a sample of these rows alone, where the path leads to them."""
    begin = b"".join(b"{%b:" % json.dumps(step).encode() for step in path)
    return replace(sample, data=begin + b"[" + b",\n".join(rows) + b"]" + b"}" * len(path))


def as_lines(sample: Sample) -> Sample:
    """Returns the sample with a record a line: elements of an array, or whole lines."""
    data = sample.data.removeprefix(BOM)
    if data.lstrip().startswith(b"["):
        return lines_of(sample, rows_at(sample, ()))
    end = len(data) if sample.is_whole else data.rfind(b"\n") + 1
    return replace(sample, data=data[:end])


def lines_of(sample: Sample, rows: Sequence[bytes]) -> Sample:
    """Returns the sample with each row on a line of its own."""
    # Line breaks are only between the parts of a value.
    one_line = (row.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n" for row in rows)
    return replace(sample, data=b"".join(one_line))


def rows_at(sample: Sample, path: Sequence[str]) -> list[bytes]:
    """Returns the whole elements of the array that the path leads to.

    Raises: DataError when there is none, or the file is no JSON.
    """
    data = sample.data.removeprefix(BOM)
    stream, rows = BytesIO(), list[bytes]()
    is_on_top = not path and data.lstrip().startswith(b"[")
    try:
        for _, raw in (
            elements(stream, data) if is_on_top else envelope_elements(stream, data, 1, path)
        ):
            rows.append(raw)
    except TruncatedFile:
        if sample.is_whole:
            raise
    return rows
