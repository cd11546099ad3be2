"""Proposes a feed for files of JSON, and says where their rows are when they are not on top."""

from __future__ import annotations

import json
import shlex
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError
from include.landfall.sniff import described
from include.landfall.sniff.findings import Proposal
from include.landfall.sniff.sample import Sample

EXPECTED = "one object a line, or one array of objects"
MOST_NAMED = 5


def propose(name: str, arrival: Arrival, sample: Sample) -> Proposal:
    """Returns the columns of a file of JSON, whose sample has a record a line.

    Raises: DataError when it is one object over several lines, or has no objects.
    """
    if not sample.data and not sample.is_whole:
        do = "write each row as an object on a line of its own: jq -c '.[]' FILE, or of a key of it"
        raise DataError("the first row is longer than a look reads", expected=EXPECTED, do=do)
    lines = sample.data.split(b"\n", 2)
    first = _parsed(lines[0])
    if isinstance(first, list):
        do = "write each as an object, or as CSV: jq -r '.[] | @csv' FILE"
        raise DataError("the rows are arrays, whose values have no names", expected=EXPECTED, do=do)
    if first is not None and not isinstance(first, dict):
        start = lines[0][:60].decode("utf-8", "replace")
        do = "write each as an object with a name for the value"
        raise DataError("the rows are no objects", found=start, expected=EXPECTED, do=do)
    if first is None:
        _refuse_one_object(sample.data)
    proposal = described.propose(name, arrival, sample)
    is_one = not any(line.strip() for line in lines[1:])
    if isinstance(first, dict) and is_one and (way := _way_to_rows(first)):
        proposal.doubts.append(f"the file is one row; {way}")
    return proposal


def _refuse_one_object(data: bytes) -> None:
    """Raises: DataError when the text is one object over several lines."""
    whole = _parsed(data)
    first, _, second = data.partition(b"\n")
    is_over_lines = bool(second.strip()) and not second.lstrip().startswith(b"{")
    if whole is None and not is_over_lines and first.strip() != b"{":
        return  # a broken row
    expected = f"{EXPECTED}, as jq writes them"
    way = _way_to_rows(whole) if isinstance(whole, dict) else None
    do = way or "jq -c . FILE writes an object on one line; the rows of one within it need a path"
    raise DataError("the file is one JSON object over several lines", expected=expected, do=do)


def _way_to_rows(whole: dict[str, Any]) -> str | None:
    """Says how to take the rows out of an object that has them under one of its keys."""
    arrays = {key: len(value) for key, value in whole.items() if _is_array_of_objects(value)}
    if arrays:
        key = max(arrays, key=lambda key: arrays[key])
        others = [each for each in arrays if each != key][:MOST_NAMED]
        more = f"; others are under {', '.join(others)}" if others else ""
        path = shlex.quote(f".[{json.dumps(key)}]")
        return f"jq {path} FILE takes out the array under {key}{more}"
    if len(whole) > 1 and all(isinstance(value, dict) for value in whole.values()):
        return "jq 'to_entries | map({key} + .value)' FILE makes a row of each key's object"
    return None


def _is_array_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
