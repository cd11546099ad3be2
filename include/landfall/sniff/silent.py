"""Drifts that a load would not notice: it takes every row, and not as the file means it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from include.landfall.feed.column_types import ColumnType
from include.landfall.feed.dialect import CsvDialect
from include.landfall.feed.model import Feed
from include.landfall.job import Job
from include.landfall.read.formats import format_of
from include.landfall.sniff.postgres_forms import is_read
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.verify import Reading

TEXTS = {"text", "varchar", "char"}
MARKS = ('"', "'")
YEAR = re.compile(r"(19|20)\d\d")


def silent_drifts(feed: Feed, job: Job, sample: Sample, reading: Reading) -> list[str]:
    """Returns where a file that can be read is not written as its feed says."""
    drifts = list(_encoding(feed, sample))
    if isinstance(job.dialect, CsvDialect):
        drifts += _names_as_row(reading)
        drifts += _header(feed, job, sample)
        drifts += _quotes(feed, reading)
    return drifts


def _encoding(feed: Feed, sample: Sample) -> Iterator[str]:
    """Yields a drift where text is UTF-8, which some encodings read as other letters."""
    declared = getattr(feed.format, "encoding", "utf-8")
    if declared.startswith("utf") or sample.file or sample.data.isascii():
        return
    try:
        sample.data.decode()
    except UnicodeDecodeError:
        return
    yield f"encoding looks like 'utf-8', the feed has {declared!r}"


def _names_as_row(reading: Reading) -> Iterator[str]:
    """Yields a drift where the first row has the columns' names."""
    names = [name.casefold() for name in reading.names]
    if reading.first and [(cell or "").strip().casefold() for cell in reading.first[0]] == names:
        yield "the first row has the names of the columns, and would be loaded as a row"


def _header(feed: Feed, job: Job, sample: Sample) -> Iterator[str]:
    """Yields a drift where columns are taken by position, and the header says other places."""
    dialect = job.dialect
    if not isinstance(dialect, CsvDialect) or not (dialect.by_position and dialect.header):
        return
    by_name = replace(job, dialect=replace(dialect, by_position=False))
    with sample.open() as stream:
        names = format_of(by_name).names_of(stream, by_name)
    expected = list(job.order)
    yield from _moved([name.strip().casefold() for name in names], expected)
    if _is_row(names, [feed.columns[name].parsed for name in expected]):
        yield "the header's cells fit the columns' types: a row stands in its place"


def _moved(names: Sequence[str], expected: Sequence[str]) -> Iterator[str]:
    columns = [name.casefold() for name in expected]
    for at, name in enumerate(names):
        if name in columns and name != columns[at] and columns.index(name) != at:
            yield (
                f"the header has {name!r} in field {at + 1}, where the feed has {expected[at]!r}:"
                " columns are taken by position"
            )


def _is_row(cells: Sequence[str], types: Sequence[ColumnType]) -> bool:
    """Returns whether each cell of a type that is no text is a value of it, and there are such.

    Years may be names, as in a table with a column for each.
    """
    typed = [
        (cell.strip(), declared)
        for cell, declared in zip(cells, types, strict=False)
        if declared.built_in and declared.name not in TEXTS
    ]
    if all(YEAR.fullmatch(cell) for cell, _ in typed):
        return False
    return all(is_read(cell, declared) for cell, declared in typed)


def _quotes(feed: Feed, reading: Reading) -> Iterator[str]:
    """Yields a drift where all texts stand within a mark that quotes nothing."""
    if getattr(feed.format, "quotes", "") == "literal":
        return
    texts = [
        [cell for cell in cells if cell]
        for name, cells in zip(reading.names, zip(*reading.first, strict=True), strict=False)
        if feed.table_columns[name].parsed.name in TEXTS
    ]
    values = [cell for cells in texts for cell in cells]
    for mark in MARKS:
        if len(values) > 1 and all(len(v) > 1 and v[0] == v[-1] == mark for v in values):
            declared = getattr(feed.format, "quote", None)
            yield f"quote looks like {mark!r}, the feed has {declared!r}"
