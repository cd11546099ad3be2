"""Proposes a feed for files of JSON: where their rows are, and how their columns are found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError
from include.landfall.feed.dialect import JsonDialect
from include.landfall.read.formats.json_envelope import spelt
from include.landfall.read.formats.json_lines import BOM
from include.landfall.sniff import described
from include.landfall.sniff.findings import Finding, Proposal
from include.landfall.sniff.header import header_of, names_of
from include.landfall.sniff.json_rows import RowsAt, beginning_of, names_for, parsed, rows_in
from include.landfall.sniff.json_sample import as_lines, first_of_many, lines_of, rows_at
from include.landfall.sniff.sample import Sample

EXPECTED = "objects one a line or one after the other, in an array, or by their ids"
MOST_NAMED = 5
MOST_JUDGED = 1000  # arrays, of which the first may have names
OF_LINES = re.compile(r"\.(jsonl|ndjson|jsonlines)\b", re.IGNORECASE)
PROPERTIES = "properties"  # of a feature of GeoJSON
Raws = dict[str, msgspec.Raw]


def propose(name: str, arrival: Arrival, sample: Sample) -> Proposal:
    """Returns the rows' place and the columns of a file of JSON.

    Raises: DataError when it is one object over several lines without rows, or has no objects.
    """
    if first := first_of_many(sample):
        return _one_after_the_other(name, arrival, sample, first)
    whole, is_one_line = _one_object(sample)
    places = rows_in(whole) if whole else []
    if places and not (is_one_line and OF_LINES.search(arrival.key)):
        return _under_a_key(name, arrival, sample, whole, places)
    proposal = _on_top(name, arrival, sample, whole)
    if is_one_line and (way := _way_to_rows(whole, places)):
        proposal.doubts.append(f"the file is one row; {way}")
    return proposal


def _one_object(sample: Sample) -> tuple[dict[str, Any], bool]:
    """Returns the object that the file is, as far as it was read, and whether it is one line.

    It is empty where the file is something else.
    """
    data = sample.data.removeprefix(BOM).lstrip()
    first, _, more = data.partition(b"\n")
    if not data.startswith(b"{") or (more.strip() and isinstance(parsed(first), dict)):
        return {}, False
    whole = parsed(data) if sample.is_whole else beginning_of(data)
    return (whole if isinstance(whole, dict) else {}), sample.is_whole and not more.strip()


def _on_top(name: str, arrival: Arrival, sample: Sample, whole: dict[str, Any]) -> Proposal:
    lines = as_lines(sample)
    if not lines.data and not sample.is_whole:
        way = _way_to_rows(whole, [])
        do = way or "write rows: under format:, where they lie under a key, and the columns by hand"
        raise DataError("the first row is longer than a look reads", expected=EXPECTED, do=do)
    first = parsed(lines.data.split(b"\n", 1)[0])
    if isinstance(first, list):
        rows = rows_at(sample, JsonDialect())
        return _by_position(name, arrival, sample, rows, {}, len(first))
    if first is not None and not isinstance(first, dict):
        start = lines.data[:60].split(b"\n")[0].decode("utf-8", "replace")
        do = "write each as an object with a name for the value"
        raise DataError("the rows are no objects", found=start, expected=EXPECTED, do=do)
    if first is None and whole and sample.is_whole:
        return _one_row(name, arrival, sample, whole)
    if first is None:
        _refuse_one_object(lines.data, whole)
    return described.propose(name, arrival, lines)


def _one_row(name: str, arrival: Arrival, sample: Sample, whole: dict[str, Any]) -> Proposal:
    """Returns a proposal for a file that is one object over several lines."""
    rows = rows_at(sample, JsonDialect(concatenated=True))
    proposal = described.propose(name, arrival, lines_of(sample, rows))
    proposal.options["objects"] = Finding("concatenated", "one object over several lines")
    way = _way_to_rows(whole, [])
    proposal.doubts.append("the file is one row" + (f"; {way}" if way else ""))
    return proposal


def _one_after_the_other(
    name: str, arrival: Arrival, sample: Sample, first: dict[str, Any] | list[Any]
) -> Proposal:
    """Returns a proposal for objects, or arrays, that follow one another."""
    is_table = isinstance(first, list) and not any(isinstance(each, dict) for each in first)
    rows = rows_at(sample, JsonDialect(concatenated=True, by_position=is_table))
    if is_table:
        proposal = _by_position(name, arrival, sample, rows, {}, len(first))
    else:
        proposal = described.propose(name, arrival, lines_of(sample, rows))
    why = "one after the other, which are not one a line"
    if isinstance(first, list):
        why = "each array is a row" if is_table else "several arrays of rows, one after the other"
    proposal.options = {"objects": Finding("concatenated", why), **proposal.options}
    if isinstance(first, dict) and (places := rows_in(first)):
        proposal.doubts.append(f"each object is one row; {_way_to_rows(first, places)}")
    return proposal


def _under_a_key(
    name: str, arrival: Arrival, sample: Sample, whole: dict[str, Any], places: Sequence[RowsAt]
) -> Proposal:
    place, *others = places
    rows = rows_at(sample, place.dialect)
    if not rows:
        way = f"ids: {place.ids}" if place.ids else f"rows: {spelt(place.path)}"
        do = f"write {way} under format:, and the columns by hand"
        raise DataError("the first row is longer than a look reads", expected=EXPECTED, do=do)
    if place.width is not None:
        proposal = _by_position(name, arrival, sample, rows, whole, place.width)
    elif whole.get("type") == "FeatureCollection":
        proposal = _of_features(name, arrival, sample, rows)
    else:
        proposal = described.propose(name, arrival, lines_of(sample, rows))
    proposal.options = {**_way(place, others), **proposal.options}
    return proposal


def _way(place: RowsAt, others: Sequence[RowsAt]) -> dict[str, Finding]:
    """Returns the options that lead to the rows."""
    number = f"{place.count:,} row" + ("" if place.count == 1 else "s")
    options: dict[str, Finding] = {}
    if place.path:
        why = "the only array of rows in what was read" if not others else "the largest array"
        why = "the object with the rows" if place.ids else why
        has_dot = any("." in step for step in place.path)
        value = list(place.path) if has_dot else ".".join(place.path)
        options["rows"] = Finding(value, f"{why}: {number}", _doubts_of(others))
    if place.ids:
        what = "values" if place.values else "objects of like keys"
        doubts = [] if place.path else _doubts_of(others)
        options["ids"] = Finding(place.ids, f"{number}: {what} by their ids", doubts)
    if place.values:
        doubt = "a name made up for the values; or the file is one row, and these are its columns"
        options["values"] = Finding(place.values, "the values are no objects", [doubt])
    return options


def _doubts_of(others: Sequence[RowsAt]) -> list[str]:
    if not others:
        return []
    named = ", ".join(f"{spelt(each.path)} ({each.count:,})" for each in others[:MOST_NAMED])
    what = "keys" if any(each.ids for each in others) else "arrays"
    return [f"other {what} may have the rows: {named}"]


def _of_features(name: str, arrival: Arrival, sample: Sample, rows: Sequence[bytes]) -> Proposal:
    """Returns a proposal for GeoJSON: each property is a column with a path."""
    features = list(map(_raws, rows))
    column_of = _columns_of_properties(features)
    for feature in features if column_of else ():
        below = _raws(bytes(feature.pop(PROPERTIES, b"{}")))
        feature |= {column_of[key]: value for key, value in below.items()}
    flat = list(map(msgspec.json.encode, features))
    proposal = described.propose(name, arrival, lines_of(sample, flat))
    key_of = {column: key for key, column in column_of.items()}
    paths: dict[str, str | list[str]] = {}
    for column, own in zip(proposal.columns, _own_names(proposal), strict=True):
        if key := key_of.get(own):
            paths[column] = [PROPERTIES, key] if "." in key else f"{PROPERTIES}.{key}"
            _without_other_names(proposal.columns[column])
    if paths:
        proposal.options["paths"] = Finding(paths, "the properties of GeoJSON's features")
    return proposal


def _columns_of_properties(features: Sequence[Raws]) -> dict[str, str]:
    """Returns a column for each property; none where one has no name, so that no path leads to it.

    A property that is called like another member of a feature gets a longer name.
    """
    taken = {key for feature in features for key in feature}
    below = [_raws(bytes(feature.get(PROPERTIES, b"{}"))) for feature in features]
    columns: dict[str, str] = {}
    for key in dict.fromkeys(key for each in below for key in each):
        column = key
        while column in taken:
            column = f"{PROPERTIES}_{column}"
        taken.add(column)
        columns[key] = column
    return {} if "" in columns else columns


def _by_position(
    name: str,
    arrival: Arrival,
    sample: Sample,
    rows: Sequence[bytes],
    whole: dict[str, Any],
    width: int,
) -> Proposal:
    """Returns a proposal for rows that are arrays."""
    described_at = names_for(whole, width)
    own = described_at[1] if described_at else [f"column_{n}" for n in range(1, width + 1)]
    header = None if described_at else _header_in(rows)
    if header:
        own, rows = header.value, rows[1:]
    names, _ = names_of([own], width)
    objects = [
        msgspec.json.encode(dict(zip(names, row, strict=False)))
        for row in map(_raws_of_array, rows)
        if len(row) == width
    ]
    proposal = described.propose(name, arrival, lines_of(sample, objects))
    for finding in proposal.columns.values():
        _without_other_names(finding)
    why = f"the rows are arrays; {spelt(described_at[0])} has the names" if described_at else ""
    proposal.options["columns"] = Finding("by position", why or "the rows are arrays")
    if header:
        _with_header(proposal, header)
    return proposal


def _with_header(proposal: Proposal, header: Finding) -> None:
    """Has the columns found by the names in the first array."""
    del proposal.options["columns"]
    evidence = f"the first array has names: {header.evidence}"
    proposal.options["header"] = Finding(True, evidence, header.doubts)
    for column, own in zip(list(proposal.columns), header.value, strict=True):
        if column != own:
            finding = proposal.columns[column]
            proposal.columns[column] = replace(
                finding, value={"type": finding.value, "from": [own]}
            )


def _header_in(rows: Sequence[bytes]) -> Finding | None:
    """Returns the names that the first array has, where it looks so and more arrays follow."""
    arrays = [each for row in rows[:MOST_JUDGED] if isinstance(each := parsed(row), list)]
    if len(arrays) < 2 or not all(isinstance(cell, str) for cell in arrays[0]):
        return None
    cells = [[None if cell is None else str(cell) for cell in array] for array in arrays]
    judged = header_of(cells)
    is_header = judged.value is True and names_of(cells[:1], len(cells[0]))[1] is None
    return Finding(cells[0], judged.evidence, judged.doubts) if is_header else None


def _own_names(proposal: Proposal) -> list[str]:
    """Returns what the file calls the columns."""
    return [
        each.value["from"][0] if isinstance(each.value, dict) and "from" in each.value else column
        for column, each in proposal.columns.items()
    ]


def _without_other_names(finding: Finding) -> None:
    """Takes away what no column has that is found by its place."""
    if isinstance(finding.value, dict) and finding.value.pop("from", None):
        rest = finding.value
        finding.value = rest["type"] if list(rest) == ["type"] else rest
        finding.evidence = finding.evidence.partition("; the file's own name")[0]


def _raws(row: bytes) -> Raws:
    try:
        return msgspec.json.decode(row, type=Raws)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}


def _raws_of_array(row: bytes) -> list[msgspec.Raw]:
    try:
        return msgspec.json.decode(row, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return []


def _refuse_one_object(data: bytes, whole: dict[str, Any]) -> None:
    """Raises: DataError when the text is one object over several lines."""
    first, _, second = data.partition(b"\n")
    is_over_lines = bool(second.strip()) and not second.lstrip().startswith(b"{")
    if not whole and not is_over_lines and first.strip() != b"{":
        return  # a broken row
    way = _way_to_rows(whole, [])
    do = way or (
        "write rows: under format:, if a key has them; if it is one row, write objects:"
        " concatenated, and the columns by hand"
    )
    raise DataError("the file is one JSON object over several lines", expected=EXPECTED, do=do)


def _way_to_rows(whole: dict[str, Any], places: Sequence[RowsAt]) -> str | None:
    """Says how to get rows of an object that has them below it."""
    if places:
        more = "".join(f" or {spelt(each.path)}" for each in places[1:MOST_NAMED])
        if places[0].ids:
            return "format.ids reads each value below its keys as a row"
        return f"format.rows: {spelt(places[0].path)}{more} reads the array below it"
    empty = [key for key, value in whole.items() if value == []]
    if empty:
        return f"if {empty[0]}, which is empty here, has the rows of other files, write format.rows"
    if len(whole) > 1 and all(isinstance(value, dict) for value in whole.values()):
        return "if each key is the id of a row, write format.ids, and the columns by hand"
    return None
