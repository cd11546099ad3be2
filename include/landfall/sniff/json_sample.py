"""The sample of a JSON file as whole records, one a line, whatever the file's form is."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from include.landfall.errors import TruncatedFile
from include.landfall.read.formats.json_elements import elements
from include.landfall.read.formats.json_lines import BOM
from include.landfall.sniff.sample import Sample


def as_lines(sample: Sample) -> Sample:
    """Returns the sample with a record a line: elements of an array, or whole lines."""
    data = sample.data.removeprefix(BOM)
    if data.lstrip().startswith(b"["):
        return replace(sample, data=_elements(data, is_whole=sample.is_whole))
    end = len(data) if sample.is_whole else data.rfind(b"\n") + 1
    return replace(sample, data=data[:end])


def _elements(data: bytes, *, is_whole: bool) -> bytes:
    """Returns the elements of an array. Line breaks are only between the parts of a value."""
    lines: list[bytes] = []
    try:
        for _, raw in elements(BytesIO(), data):
            lines.append(raw)
    except TruncatedFile:
        if is_whole:
            raise
    return b"".join(line.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n" for line in lines)
